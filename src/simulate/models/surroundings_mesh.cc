// Houses, trees, lamp posts, signals, kerbs.
#include <algorithm>
#include <cmath>

#include "simulate/models/mesh_builder.h"

namespace sightline::simulate {
namespace {

// From an object's axes to the world.
void Move(const Point2& origin, double heading, size_t first_vertex, size_t first_triangle, Mesh* mesh) {
  const double c = Cos(heading), s = Sin(heading);
  for (size_t i = first_vertex; i < mesh->vertices.size(); ++i) {
    Vertex& v = mesh->vertices[i];
    v = V(origin.x + c * v.x - s * v.y, origin.y + s * v.x + c * v.y, v.z);
  }
  for (size_t i = first_triangle; i < mesh->triangles.size(); ++i) {
    Vertex& n = mesh->triangles[i].normal;
    n = V(c * n.x - s * n.y, s * n.x + c * n.y, n.z);
  }
}

Rgb Shade(const Rgb& color, double factor) {
  const auto scaled = [&](float v) { return static_cast<float>(std::clamp(v * factor, 0.0, 0.9)); };
  return {scaled(color.red), scaled(color.green), scaled(color.blue)};
}

// Windows of one wall: the wall runs along x from -half to half at y = out, facing +y (out > 0) or -y.
void Windows(double half, double out, double height, Random* random, const Paint& frame, MeshBuilder* build) {
  const double floor_height = random->Uniform(2.9, 3.6), pitch = random->Uniform(2.0, 3.4);
  const double width = pitch * random->Uniform(0.4, 0.65), tall = floor_height * random->Uniform(0.42, 0.6);
  const double y = out > 0 ? out + 0.02 : out - 0.02;
  const auto pane = [&](double x1, double x2, double z1, double z2, const Paint& paint) {
    if (out > 0) {
      build->Face(V(x2, y, z1), V(x1, y, z1), V(x1, y, z2), V(x2, y, z2), paint);
    } else {
      build->Face(V(x1, y, z1), V(x2, y, z1), V(x2, y, z2), V(x1, y, z2), paint);
    }
  };
  // The ground floor: shop fronts or a door among windows.
  const bool shops = random->Chance(0.5);
  if (shops) {
    const Paint sign{CarPaint(random)};
    for (double x = -half + 0.8; x + 3.5 < half; x += 4.2)
      pane(x, x + 3.4, 0.5, 2.6, {{0.05f, 0.055f, 0.06f}, Surface::kGlass});
    pane(-half + 0.5, half - 0.5, 2.75, 3.25, sign);
  }
  for (double z = shops ? 3.7 : 0.9; z + tall < height - 0.5; z += floor_height) {
    for (double x = -half + pitch * 0.4; x + width < half - 0.3; x += pitch) {
      const bool lit = random->Chance(0.18);  // at night somebody is at home
      pane(x - 0.09, x + width + 0.09, z - 0.12, z + tall + 0.09, frame);
      const double inset = out > 0 ? 0.012 : -0.012;
      const float tone = static_cast<float>(random->Uniform(0.02, 0.09));
      const Paint glass{lit ? Rgb{0.16f, 0.13f, 0.08f} : Rgb{tone, tone * 1.05f, tone * 1.15f},
                        Surface::kGlass};
      const double at = y + inset;
      if (out > 0) {
        build->Face(V(x + width, at, z), V(x, at, z), V(x, at, z + tall), V(x + width, at, z + tall), glass);
      } else {
        build->Face(V(x, at, z), V(x + width, at, z), V(x + width, at, z + tall), V(x, at, z + tall), glass);
      }
    }
  }
}

Mesh BuildBuilding(const Building& building) {
  Mesh mesh;
  MeshBuilder build(&mesh);
  Random random(building.look, 21);
  constexpr Rgb kWalls[] = {{0.46f, 0.40f, 0.33f}, {0.36f, 0.17f, 0.12f}, {0.55f, 0.53f, 0.49f},
                            {0.40f, 0.40f, 0.40f}, {0.52f, 0.44f, 0.28f}, {0.28f, 0.24f, 0.21f},
                            {0.50f, 0.36f, 0.27f}, {0.60f, 0.60f, 0.58f}};
  const Paint wall{Shade(kWalls[random.Below(8)], random.Uniform(0.85, 1.15))};
  const Paint frame{Shade(wall.color, random.Chance(0.5) ? 1.4 : 0.6)};
  const double a = building.length / 2, b = building.width / 2;
  const bool pitched = random.Chance(0.35) && building.height > 7 && building.height < 14;
  const double h = pitched ? building.height - b * 0.6 : building.height;
  build.Frustum({-a, a, b, 0}, {-a, a, b, h}, wall, {{0.22f, 0.21f, 0.2f}});
  Windows(a, b, h, &random, frame, &build);
  Windows(a, -b, h, &random, frame, &build);
  // The narrow sides have windows as well: drawn along x, then turned by a right angle.
  const size_t vertices = mesh.vertices.size(), triangles = mesh.triangles.size();
  Windows(b, a, h, &random, frame, &build);
  Windows(b, -a, h, &random, frame, &build);
  Move({0, 0}, -kPi / 2, vertices, triangles, &mesh);
  if (pitched) {
    const Paint tiles{Shade({0.33f, 0.12f, 0.07f}, random.Uniform(0.5, 1.3))};
    const double ridge = h + b * 0.6;
    const double o = 0.4;
    build.Face(V(-a - o, -b - o, h), V(a + o, -b - o, h), V(a + o, 0, ridge), V(-a - o, 0, ridge), tiles);
    build.Face(V(a + o, b + o, h), V(-a - o, b + o, h), V(-a - o, 0, ridge), V(a + o, 0, ridge), tiles);
    build.Face(V(a, -b, h), V(a, b, h), V(a, 0, ridge - 0.2), wall);
    build.Face(V(-a, b, h), V(-a, -b, h), V(-a, 0, ridge - 0.2), wall);
  } else {
    build.Frustum({-a, a, b, h}, {-a, a, b, h + 0.5}, frame, {{0.3f, 0.29f, 0.28f}});  // parapet
    if (random.Chance(0.6))
      build.Box(V(-a * 0.4, -b * 0.3, h + 0.4), V(a * 0.1, b * 0.3, h + 2.2), {{0.38f, 0.38f, 0.38f}});
  }
  Move(building.center, building.heading, 0, 0, &mesh);
  return mesh;
}

Mesh BuildTree(const Tree& tree) {
  Mesh mesh;
  MeshBuilder build(&mesh);
  Random random(tree.look, 22);
  build.Limb(V(0, 0, 0), V(0.1, 0, tree.height * 0.55), 0.16, 0.09, 6, {{0.12f, 0.085f, 0.055f}});
  const float tone = static_cast<float>(random.Uniform(0.7, 1.3));
  const int blobs = 5 + random.Below(4);
  for (int i = 0; i < blobs; ++i) {
    const double around = random.Uniform(0, 2 * kPi), out = tree.crown * random.Uniform(0.1, 0.55);
    const double z = tree.height * random.Uniform(0.55, 0.85),
                 radius = tree.crown * random.Uniform(0.45, 0.75);
    const float light = tone * static_cast<float>(random.Uniform(0.75, 1.25));
    build.Ball(V(out * Cos(around), out * Sin(around), z), radius, std::min(radius * 0.85, tree.height - z),
               5, 8, {{0.055f * light, 0.105f * light, 0.03f * light}});
  }
  Move(tree.position, random.Uniform(0, kPi), 0, 0, &mesh);
  return mesh;
}

Mesh BuildPole(const Pole& pole) {
  Mesh mesh;
  MeshBuilder build(&mesh);
  const Paint steel{{0.22f, 0.23f, 0.23f}};
  build.Limb(V(0, 0, 0), V(0, 0, pole.height), 0.09, 0.05, 6, steel);
  build.Limb(V(0, 0, pole.height - 0.05), V(1.6, 0, pole.height + 0.1), 0.04, 0.035, 4, steel);
  build.Box(V(1.3, -0.12, pole.height), V(2.0, 0.12, pole.height + 0.12), steel);
  Move(pole.position, pole.heading, 0, 0, &mesh);
  return mesh;
}

// The lamps of a signal, from the top: red, (amber,) green; x is towards those who look.
double LampZ(const Signal& signal, int lamp) {
  return signal.head.z + (signal.pedestrian ? 0.15 - 0.3 * (lamp / 2) : 0.3 - 0.3 * lamp);
}

Mesh BuildSignal(const Signal& signal) {
  Mesh mesh;
  MeshBuilder build(&mesh);
  const Paint dark{{0.025f, 0.027f, 0.027f}};
  const double half = signal.pedestrian ? 0.34 : 0.5;
  build.Limb(V(-0.15, 0, 0), V(-0.15, 0, signal.head.z + 0.1), 0.07, 0.06, 6, {{0.24f, 0.25f, 0.25f}});
  build.Box(V(-0.1, -0.17, signal.head.z - half), V(0.1, 0.17, signal.head.z + half), dark);
  Move({signal.head.x, signal.head.y}, signal.facing, 0, 0, &mesh);
  return mesh;
}

// Kerb stones along the edges of a raised area.
Mesh BuildKerb(const Polygon& area, double height, const Paint& paint) {
  Mesh mesh;
  MeshBuilder build(&mesh);
  for (size_t i = 0; i < area.size(); ++i) {
    const Point2 &p = area[i], &q = area[(i + 1) % area.size()];
    build.Face(V(p.x, p.y, 0), V(q.x, q.y, 0), V(q.x, q.y, height), V(p.x, p.y, height), paint);
  }
  return mesh;
}

}  // namespace

std::vector<Mesh> BuildSurroundings(const Layout& layout) {
  std::vector<Mesh> meshes;
  for (const Building& building : layout.buildings) meshes.push_back(BuildBuilding(building));
  for (const Tree& tree : layout.trees) meshes.push_back(BuildTree(tree));
  for (const Pole& pole : layout.poles) meshes.push_back(BuildPole(pole));
  for (const Signal& signal : layout.signals) meshes.push_back(BuildSignal(signal));
  for (const Polygon& island : layout.islands) {
    Mesh mesh = BuildKerb(island, 0.14, {{0.42f, 0.41f, 0.39f}});
    MeshBuilder build(&mesh);
    if (island.size() == 4) {
      const auto top = [&](size_t i) { return V(island[i].x, island[i].y, 0.14); };
      build.Face(top(0), top(1), top(2), top(3), {{0.10f, 0.15f, 0.06f}});
    }
    meshes.push_back(std::move(mesh));
  }
  return meshes;
}

void BuildSignalLamps(const Layout& layout, const std::vector<SignalColor>& colors, Mesh* mesh) {
  mesh->Clear();
  MeshBuilder build(mesh);
  for (size_t i = 0; i < layout.signals.size() && i < colors.size(); ++i) {
    const Signal& signal = layout.signals[i];
    const int lamp = colors[i] == SignalColor::kRed ? 0 : colors[i] == SignalColor::kAmber ? 1 : 2;
    constexpr Rgb kColors[] = {{1.0f, 0.05f, 0.03f}, {1.0f, 0.5f, 0.03f}, {0.08f, 1.0f, 0.45f}};
    const double z = LampZ(signal, lamp);
    const size_t vertices = mesh->vertices.size(), triangles = mesh->triangles.size();
    build.Box(V(0.1, -0.11, z - 0.11), V(0.14, 0.11, z + 0.11), {kColors[lamp], Surface::kLamp});
    Move({signal.head.x, signal.head.y}, signal.facing, vertices, triangles, mesh);
  }
}

}  // namespace sightline::simulate
