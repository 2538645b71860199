#include "simulate/models/mesh_builder.h"

#include <algorithm>
#include <cmath>

namespace sightline::simulate {
namespace {

Vertex Minus(const Vertex& a, const Vertex& b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
Vertex Cross(const Vertex& a, const Vertex& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
float Length(const Vertex& a) { return std::sqrt(a.x * a.x + a.y * a.y + a.z * a.z); }

}  // namespace

void MeshBuilder::Face(const Vertex& a, const Vertex& b, const Vertex& c, const Paint& paint) {
  Vertex normal = Cross(Minus(b, a), Minus(c, a));
  const float length = Length(normal);
  if (!(length > 1e-9f)) return;
  normal = {normal.x / length, normal.y / length, normal.z / length};
  const auto first = static_cast<uint16_t>(mesh_->vertices.size());
  mesh_->vertices.insert(mesh_->vertices.end(), {a, b, c});
  Triangle triangle;
  triangle.corners = {first, static_cast<uint16_t>(first + 1), static_cast<uint16_t>(first + 2)};
  triangle.normal = normal;
  triangle.color = paint.color;
  triangle.surface = paint.surface;
  mesh_->triangles.push_back(triangle);
}

void MeshBuilder::Face(const Vertex& a, const Vertex& b, const Vertex& c, const Vertex& d,
                       const Paint& paint) {
  Face(a, b, c, paint);
  Face(a, c, d, paint);
}

void MeshBuilder::Frustum(const Level& low, const Level& high, const Paint& front, const Paint& rear,
                          const Paint& flank, const Paint& top) {
  // Corners: rear right, front right, front left, rear left (x forward, y left).
  const auto ring = [](const Level& l) {
    return std::array<Vertex, 4>{V(l.x1, -l.half_width, l.z), V(l.x2, -l.half_width, l.z),
                                 V(l.x2, l.half_width, l.z), V(l.x1, l.half_width, l.z)};
  };
  const auto a = ring(low), b = ring(high);
  Face(a[0], a[1], b[1], b[0], flank);
  Face(a[1], a[2], b[2], b[1], front);
  Face(a[2], a[3], b[3], b[2], flank);
  Face(a[3], a[0], b[0], b[3], rear);
  Face(b[0], b[1], b[2], b[3], top);
  Face(a[3], a[2], a[1], a[0], flank);
}

void MeshBuilder::Frustum(const Level& low, const Level& high, const Paint& side, const Paint& top) {
  Frustum(low, high, side, side, side, top);
}

void MeshBuilder::Box(const Vertex& low, const Vertex& high, const Paint& paint) {
  const auto corner = [&](int i) {
    return Vertex{(i & 1) != 0 ? high.x : low.x, (i & 2) != 0 ? high.y : low.y,
                  (i & 4) != 0 ? high.z : low.z};
  };
  constexpr int kFaces[6][4] = {{0, 2, 3, 1}, {4, 5, 7, 6}, {0, 1, 5, 4},
                                {2, 6, 7, 3}, {0, 4, 6, 2}, {1, 3, 7, 5}};
  for (const auto& f : kFaces) Face(corner(f[0]), corner(f[1]), corner(f[2]), corner(f[3]), paint);
}

void MeshBuilder::Limb(const Vertex& a, const Vertex& b, double radius_a, double radius_b, int sides,
                       const Paint& paint) {
  const Vertex axis = Minus(b, a);
  const float length = Length(axis);
  if (!(length > 1e-6f)) return;
  const Vertex n = {axis.x / length, axis.y / length, axis.z / length};
  // Limbs swing about y: seen from there, their sides turn with them and never jump.
  const Vertex other = std::abs(n.y) < 0.9f ? Vertex{0, 1, 0} : Vertex{1, 0, 0};
  Vertex u = Cross(other, n);
  const float ul = Length(u);
  u = {u.x / ul, u.y / ul, u.z / ul};
  const Vertex w = Cross(n, u);
  const auto at = [&](const Vertex& center, double radius, int i) {
    const double angle = 2 * kPi * i / sides;
    const auto c = static_cast<float>(radius * Cos(angle)), s = static_cast<float>(radius * Sin(angle));
    return Vertex{center.x + u.x * c + w.x * s, center.y + u.y * c + w.y * s, center.z + u.z * c + w.z * s};
  };
  for (int i = 0; i < sides; ++i) {
    const Vertex a1 = at(a, radius_a, i), a2 = at(a, radius_a, i + 1), b1 = at(b, radius_b, i),
                 b2 = at(b, radius_b, i + 1);
    Face(a1, a2, b2, b1, paint);
    Face(a, a2, a1, paint);
    Face(b, b1, b2, paint);
  }
}

void MeshBuilder::Wheel(double x, double y, double radius, double width, double steering, int sides,
                        const Paint& tyre, const Paint& rim) {
  const double c = Cos(steering), s = Sin(steering);
  const auto at = [&](double along, double across, double z) {
    return V(x + c * along - s * across, y + s * along + c * across, z);
  };
  for (int i = 0; i < sides; ++i) {
    // A corner stands on the ground.
    const double a1 = 2 * kPi * i / sides - kPi / 2, a2 = 2 * kPi * (i + 1) / sides - kPi / 2;
    const double x1 = radius * Cos(a1), z1 = radius + radius * Sin(a1), x2 = radius * Cos(a2),
                 z2 = radius + radius * Sin(a2);
    const double h = width / 2;
    Face(at(x1, h, z1), at(x2, h, z2), at(x2, -h, z2), at(x1, -h, z1), tyre);
    Face(at(0, h, radius), at(x2, h, z2), at(x1, h, z1), rim);
    Face(at(0, -h, radius), at(x1, -h, z1), at(x2, -h, z2), rim);
  }
}

void MeshBuilder::Ball(const Vertex& center, double radius_xy, double radius_z, int rings, int sides,
                       const Paint& paint) {
  const auto at = [&](int ring, int side) {
    const double polar = kPi * ring / rings, around = 2 * kPi * side / sides;
    return V(center.x + radius_xy * Sin(polar) * Cos(around), center.y + radius_xy * Sin(polar) * Sin(around),
             center.z - radius_z * Cos(polar));
  };
  for (int r = 0; r < rings; ++r) {
    for (int i = 0; i < sides; ++i) Face(at(r, i), at(r, i + 1), at(r + 1, i + 1), at(r + 1, i), paint);
  }
}

Rgb CarPaint(Random* random) {
  constexpr Rgb kPaints[] = {{0.72f, 0.72f, 0.72f}, {0.62f, 0.63f, 0.65f},  {0.03f, 0.03f, 0.035f},
                             {0.20f, 0.21f, 0.22f}, {0.10f, 0.105f, 0.11f}, {0.40f, 0.41f, 0.43f},
                             {0.45f, 0.03f, 0.03f}, {0.03f, 0.07f, 0.30f},  {0.05f, 0.16f, 0.42f},
                             {0.04f, 0.16f, 0.08f}, {0.75f, 0.50f, 0.05f},  {0.30f, 0.20f, 0.12f},
                             {0.62f, 0.56f, 0.44f}, {0.55f, 0.14f, 0.03f}};
  constexpr double kShares[] = {0.22, 0.11, 0.16, 0.11, 0.09, 0.07, 0.07,
                                0.04, 0.05, 0.02, 0.02, 0.01, 0.02, 0.01};
  double draw = random->Unit();
  size_t i = 0;
  while (i + 1 < std::size(kShares) && (draw -= kShares[i]) > 0) ++i;
  const double tone = random->Uniform(0.85, 1.12);
  const auto scaled = [&](float v) { return static_cast<float>(std::min(0.9, v * tone)); };
  return {scaled(kPaints[i].red), scaled(kPaints[i].green), scaled(kPaints[i].blue)};
}

Rgb Cloth(Random* random) {
  constexpr Rgb kCloths[] = {{0.03f, 0.03f, 0.04f}, {0.10f, 0.10f, 0.11f}, {0.04f, 0.06f, 0.16f},
                             {0.10f, 0.16f, 0.30f}, {0.35f, 0.35f, 0.36f}, {0.70f, 0.68f, 0.64f},
                             {0.45f, 0.04f, 0.05f}, {0.30f, 0.22f, 0.13f}, {0.08f, 0.16f, 0.08f},
                             {0.55f, 0.45f, 0.28f}, {0.55f, 0.20f, 0.28f}, {0.60f, 0.42f, 0.05f},
                             {0.10f, 0.35f, 0.38f}, {0.55f, 0.18f, 0.04f}};
  const Rgb cloth = kCloths[random->Below(static_cast<int>(std::size(kCloths)))];
  const double tone = random->Uniform(0.7, 1.3);
  const auto scaled = [&](float v) { return static_cast<float>(std::min(0.85, v * tone)); };
  return {scaled(cloth.red), scaled(cloth.green), scaled(cloth.blue)};
}

}  // namespace sightline::simulate
