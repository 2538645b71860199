#include "simulate/scene/surroundings.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sightline::simulate {
namespace {

std::array<Point2, 4> Corners(const Point2& center, double length, double width, double heading) {
  const double c = Cos(heading), s = Sin(heading);
  std::array<Point2, 4> corners;
  constexpr double kSigns[4][2] = {{1, 1}, {-1, 1}, {-1, -1}, {1, -1}};
  for (size_t i = 0; i < 4; ++i) {
    const double x = kSigns[i][0] * length / 2, y = kSigns[i][1] * width / 2;
    corners[i] = {center.x + c * x - s * y, center.y + s * x + c * y};
  }
  return corners;
}

// Whether two rectangles share any area: they do unless a side of one has the other wholly outside.
bool Overlap(const std::array<Point2, 4>& a, const std::array<Point2, 4>& b) {
  for (const auto* pair : {&a, &b}) {
    for (size_t i = 0; i < 4; ++i) {
      const Point2 &p = (*pair)[i], &q = (*pair)[(i + 1) % 4];
      const double nx = q.y - p.y, ny = p.x - q.x;
      const auto extent = [&](const std::array<Point2, 4>& shape) {
        double low = 1e300, high = -1e300;
        for (const Point2& corner : shape) {
          const double d = corner.x * nx + corner.y * ny;
          low = std::min(low, d);
          high = std::max(high, d);
        }
        return std::pair(low, high);
      };
      const auto [a_low, a_high] = extent(a);
      const auto [b_low, b_high] = extent(b);
      if (a_high <= b_low || b_high <= a_low) return false;
    }
  }
  return true;
}

// The strip of each arm with its sidewalks, and the same of the arms' mouths.
bool OnPublicGround(const std::array<Point2, 4>& shape, const std::vector<Arm>& arms) {
  for (const Arm& arm : arms) {
    const double left = arm.left + arm.sidewalk, right = arm.right + arm.sidewalk;
    const Point2 center = arm.At(60, (left - right) / 2);
    if (Overlap(shape, Corners(center, 122, left + right, arm.heading))) return true;
    // The widening at the corners.
    const Point2 mouth = arm.At(arm.mouth / 2, (left - right) / 2);
    if (Overlap(shape, Corners(mouth, arm.mouth + 4, left + right + 5, arm.heading))) return true;
  }
  return false;
}

struct View {
  Camera camera;
  double score = 0;
};

// The share of the picture's lower four fifths that is road or crosswalk near enough to matter.
double RoadShare(const Layout& layout, const Camera& camera) {
  const Projection projection(camera);
  int road = 0, all = 0;
  for (int i = 0; i < 16; ++i) {
    for (int j = 2; j < 10; ++j) {
      ++all;
      const auto ground =
          projection.Ground((i + 0.5) / 16 * camera.size.width, (j + 0.5) / 10 * camera.size.height);
      if (ground && Distance2(*ground, {0, 0}) < 70 && OnRoad(layout, *ground)) ++road;
    }
  }
  return static_cast<double>(road) / all;
}

int CrosswalksInView(const Layout& layout, const Camera& camera) {
  const Projection projection(camera);
  int count = 0;
  for (const Crosswalk& crosswalk : layout.crosswalks) {
    const auto in_view = [&](const Point2& p) {
      const auto seen = projection.Project({p.x, p.y, 0});
      return seen && seen->x > 0 && seen->x < camera.size.width && seen->y > 0 &&
             seen->y < camera.size.height;
    };
    if (in_view(crosswalk.from) && in_view(crosswalk.to)) ++count;
  }
  return count;
}

// Whether the segment from the camera to a point on the ground runs through a box of this height.
bool Hides(const std::array<Point2, 4>& shape, double height, const Point3& camera, const Point2& ground) {
  const Polygon outline(shape.begin(), shape.end());
  constexpr int kSteps = 40;
  for (int i = 0; i < kSteps; ++i) {
    const double t = static_cast<double>(i) / kSteps;
    const Point2 p = {camera.x + t * (ground.x - camera.x), camera.y + t * (ground.y - camera.y)};
    if (camera.z * (1 - t) < height && Inside(outline, p)) return true;
  }
  return false;
}

// Points on the street that the picture should show.
std::vector<Point2> Sights(const Layout& layout) {
  const Projection projection(layout.camera);
  std::vector<Point2> sights;
  for (int i = 0; i < 12; ++i) {
    for (int j = 1; j < 9; ++j) {
      const auto ground = projection.Ground((i + 0.5) / 12 * layout.camera.size.width,
                                            (j + 0.5) / 9 * layout.camera.size.height);
      if (ground && Distance2(*ground, {0, 0}) < 45 && OnRoad(layout, *ground)) sights.push_back(*ground);
    }
  }
  return sights;
}

void ClearTheView(Layout* layout) {
  const std::vector<Point2> sights = Sights(*layout);
  const Point3& eye = layout->camera.position;
  const Projection projection(layout->camera);
  const auto hides = [&](const std::array<Point2, 4>& shape, double height) {
    return std::any_of(sights.begin(), sights.end(),
                       [&](const Point2& p) { return Hides(shape, height, eye, p); });
  };
  std::vector<Building> buildings;
  for (Building building : layout->buildings) {
    const auto shape = Corners(building.center, building.length, building.width, building.heading);
    // What stands close below the camera fills the picture without hiding the street.
    const bool close = std::any_of(shape.begin(), shape.end(), [&](const Point2& p) {
      const auto seen = projection.Project({p.x, p.y, building.height});
      return Distance2(p, {eye.x, eye.y}) < 22 && seen && seen->y > 0;
    });
    if (close) continue;
    while (building.height > 3.5 && hides(shape, building.height)) building.height *= 0.75;
    if (building.height > 3.5) buildings.push_back(building);
  }
  layout->buildings = std::move(buildings);
  std::erase_if(layout->trees, [&](const Tree& tree) {
    return Distance2(tree.position, {eye.x, eye.y}) < 9 ||
           hides(Corners(tree.position, 1.6 * tree.crown, 1.6 * tree.crown, 0), tree.height * 0.85);
  });
  std::erase_if(layout->poles, [&](const Pole& pole) {
    return Distance2(pole.position, {eye.x, eye.y}) < 8;
  });
}

}  // namespace

double Distance2(const Point2& a, const Point2& b) {
  return std::sqrt((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y));
}

void AddBuildings(Random random, const std::vector<Arm>& arms, Layout* layout) {
  const double usual = random.Uniform(6, 20);
  const double density = random.Uniform(0.7, 1);
  std::vector<std::array<Point2, 4>> taken;
  for (const Arm& arm : arms) {
    for (const int side : {1, -1}) {
      const double edge = side > 0 ? arm.left + arm.sidewalk : arm.right + arm.sidewalk;
      double u = arm.mouth + random.Uniform(0, 5);
      while (u < 100) {
        Building building;
        building.length = random.Uniform(10, 24);
        building.width = random.Uniform(9, 16);
        building.height = std::clamp(random.Normal(usual, usual / 4), 4.5, 28.0);
        building.heading = arm.heading;
        building.look = random.Bits();
        const double setback = random.Chance(0.6) ? 0.4 : random.Uniform(1, 6);
        building.center = arm.At(u + building.length / 2, side * (edge + setback + building.width / 2));
        const bool wanted = random.Chance(density);
        const auto shape = Corners(building.center, building.length, building.width, building.heading);
        const bool free = !OnPublicGround(shape, arms) &&
                          std::none_of(taken.begin(), taken.end(),
                                       [&](const auto& other) { return Overlap(shape, other); });
        if (wanted && free) {
          taken.push_back(shape);
          layout->buildings.push_back(building);
          u += building.length + (random.Chance(0.5) ? 0.2 : random.Uniform(2, 8));
        } else {
          u += 4;
        }
      }
    }
  }
}

void AddTreesAndPoles(Random random, const std::vector<Arm>& arms, Layout* layout) {
  const double spacing = random.Uniform(9, 18);
  const bool leafy = random.Chance(0.65);
  for (const Arm& arm : arms) {
    for (const int side : {1, -1}) {
      const double kerb = side > 0 ? arm.left : arm.right;
      if (leafy) {
        for (double u = arm.mouth + 12 + random.Uniform(0, 6); u < 95;
             u += spacing * random.Uniform(0.7, 1.4)) {
          const double height = random.Uniform(4.5, 9);
          layout->trees.push_back(
              {arm.At(u, side * (kerb + 0.7)), height, height * random.Uniform(0.2, 0.3), random.Bits()});
        }
      }
      for (double u = arm.mouth + 6; u < 95; u += 26) {
        layout->poles.push_back({arm.At(u, side * (kerb + 0.5)), 8, WrapAngle(arm.heading - side * kPi / 2)});
      }
    }
  }
}

void PlaceCamera(Random random, Size picture, Layout* layout) {
  View best;
  constexpr int kCandidates = 24;
  for (int i = 0; i < kCandidates; ++i) {
    Camera camera;
    camera.size = picture;
    const double height = random.Uniform(6.5, 19);
    const double away = random.Uniform(std::max(19.0, height * 1.3), 48);
    const double around = random.Uniform(-kPi, kPi);
    camera.position = {away * Cos(around), away * Sin(around), height};
    const Point2 target = {random.Uniform(-6, 6), random.Uniform(-6, 6)};
    const double dx = target.x - camera.position.x, dy = target.y - camera.position.y;
    const double flat = std::sqrt(dx * dx + dy * dy);
    camera.yaw = Atan2(dy, dx);
    camera.pitch = Atan2(height, flat);
    camera.roll = random.Normal(0, 0.015);
    // A person of 1.7 m in the middle shall be so many pixels tall (of 360).
    const double person_px = random.Uniform(20, 40) * picture.width / 640.0;
    const double slant = std::sqrt(flat * flat + height * height);
    const double focal = person_px * slant / (1.7 * Cos(camera.pitch));
    camera.focal_px = std::clamp(focal, 0.60 * picture.width, 1.2 * picture.width);
    // Road in plenty, but not alone: crosswalks and the pavement where people come from belong in the
    // picture.
    const int crosswalks = CrosswalksInView(*layout, camera);
    const double share = RoadShare(*layout, camera);
    const double score = std::min(share, 0.45) + 0.12 * crosswalks - std::max(0.0, share - 0.6);
    if (score > best.score) best = {camera, score};
    if (share > 0.3 && share < 0.6 && crosswalks >= 2) break;
  }
  layout->camera = best.camera;
  ClearTheView(layout);
}

}  // namespace sightline::simulate
