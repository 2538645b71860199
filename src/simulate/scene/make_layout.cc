// Builds a street by seed: arms, lanes, crossings and signals here, what stands around them in
// surroundings.cc.
#include <algorithm>
#include <cmath>

#include "simulate/scene/exact.h"
#include "simulate/scene/layout.h"
#include "simulate/scene/surroundings.h"

namespace sightline::simulate {
namespace {

constexpr double kFar = 115;           // where arms end
constexpr double kBicycleStrip = 1.6;  // at the right edge of each direction
constexpr double kBayWidth = 2.2;
constexpr double kCrosswalkWidth = 3.6;
constexpr double kCrosswalkGap = 0.8;  // from the intersection
constexpr double kStopGap = 1.2;       // from the crosswalk
constexpr double kAllRed = 2;

Polygon CounterClockwise(Polygon polygon) {
  double area = 0;
  for (size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++)
    area += polygon[j].x * polygon[i].y - polygon[i].x * polygon[j].y;
  if (area < 0) std::reverse(polygon.begin(), polygon.end());
  return polygon;
}

Polygon Rectangle(const Arm& arm, double u1, double u2, double v1, double v2) {
  return CounterClockwise({arm.At(u1, v1), arm.At(u2, v1), arm.At(u2, v2), arm.At(u1, v2)});
}

std::vector<Arm> MakeArms(Random random, int count) {
  std::vector<Arm> arms(static_cast<size_t>(count));
  const double turn = random.Uniform(-kPi, kPi);
  const double lane = random.Uniform(3.0, 3.5);
  const int main_lanes = random.Chance(0.55) ? 2 : 1;
  const double median = random.Chance(0.4) ? random.Uniform(1.6, 2.6) : 0.3;
  for (size_t i = 0; i < arms.size(); ++i) {
    Arm& arm = arms[i];
    arm.heading = WrapAngle(turn + static_cast<double>(i) * kPi / 2 + random.Uniform(-0.14, 0.14));
    arm.along = {Cos(arm.heading), Sin(arm.heading)};
    arm.lane_width = lane;
    arm.lanes = i % 2 == 0 ? main_lanes : 1;
    arm.median = i % 2 == 0 ? median : 0.3;
    arm.sidewalk = random.Uniform(2.6, 4.2);
    arm.bays_in = random.Chance(0.4);
    arm.bays_out = random.Chance(0.4);
    const double side = arm.median / 2 + arm.lanes * lane + kBicycleStrip;
    arm.left = side + (arm.bays_in ? kBayWidth : 0);
    arm.right = side + (arm.bays_out ? kBayWidth : 0);
  }
  return arms;
}

// Where the two arms' facing kerbs meet, as the distance along `a`. Arms that face each other have no such
// point.
double KerbMeeting(double a_side, double b_side, double angle) {
  if (angle > 2.6) return 0;
  return (b_side + a_side * Cos(angle)) / Sin(angle);
}

void SetMouths(std::vector<Arm>* arms, double corner) {
  const size_t n = arms->size();
  for (Arm& arm : *arms) arm.mouth = 6;
  for (size_t i = 0; i < n; ++i) {
    Arm &a = (*arms)[i], &b = (*arms)[(i + 1) % n];
    double angle = WrapAngle(b.heading - a.heading);
    if (angle < 0) angle += 2 * kPi;
    a.mouth = std::max(a.mouth, KerbMeeting(a.left, b.right, angle) + corner);
    b.mouth = std::max(b.mouth, KerbMeeting(b.right, a.left, angle) + corner);
  }
}

void AddGround(const std::vector<Arm>& arms, Layout* layout) {
  const size_t n = arms.size();
  for (const Arm& arm : arms) {
    layout->roads.push_back(Rectangle(arm, 0, kFar, -arm.right, arm.left));
    layout->intersection.push_back(arm.At(arm.mouth, -arm.right));
    layout->intersection.push_back(arm.At(arm.mouth, arm.left));
    if (arm.median > 1) {
      const double begin = arm.mouth + kCrosswalkGap + kCrosswalkWidth + kStopGap;
      layout->islands.push_back(Rectangle(arm, begin, kFar, -arm.median / 2, arm.median / 2));
    }
  }
  layout->intersection = CounterClockwise(layout->intersection);
  layout->roads.push_back(layout->intersection);
  for (size_t i = 0; i < n; ++i) {
    const Arm &a = arms[i], &b = arms[(i + 1) % n];
    layout->sidewalks.push_back(Rectangle(a, a.mouth, kFar, a.left, a.left + a.sidewalk));
    layout->sidewalks.push_back(Rectangle(b, b.mouth, kFar, -b.right - b.sidewalk, -b.right));
    // The corner between them.
    layout->sidewalks.push_back(
        CounterClockwise({a.At(a.mouth, a.left), a.At(a.mouth, a.left + a.sidewalk),
                          b.At(b.mouth, -b.right - b.sidewalk), b.At(b.mouth, -b.right)}));
    const Point2 middle = {
        (a.At(a.mouth, a.left + a.sidewalk / 2).x + b.At(b.mouth, -b.right - b.sidewalk / 2).x) / 2,
        (a.At(a.mouth, a.left + a.sidewalk / 2).y + b.At(b.mouth, -b.right - b.sidewalk / 2).y) / 2};
    layout->walks.emplace_back(std::vector<Point2>{
        a.At(kFar - 10, a.left + a.sidewalk / 2),
        a.At(a.mouth + kCrosswalkGap + kCrosswalkWidth / 2, a.left + a.sidewalk / 2), middle,
        b.At(b.mouth + kCrosswalkGap + kCrosswalkWidth / 2, -b.right - b.sidewalk / 2),
        b.At(kFar - 10, -b.right - b.sidewalk / 2)});
  }
}

// Two phases: arms 0 and 2, then the others. Pedestrians cross an arm while its vehicles wait.
void AddSignals(Random random, const std::vector<Arm>& arms, Layout* layout) {
  const double first = random.Uniform(14, 22), second = random.Uniform(12, 18), amber = 3;
  const double cycle = first + second + 2 * (amber + kAllRed);
  const double shift = random.Uniform(0, cycle);
  for (size_t i = 0; i < arms.size(); ++i) {
    const bool is_first = i % 2 == 0;
    const Arm& arm = arms[i];
    Signal signal;
    signal.cycle_s = cycle;
    signal.green_begin_s = shift + (is_first ? 0 : first + amber + kAllRed);
    signal.green_s = is_first ? first : second;
    signal.amber_s = amber;
    const Point2 head = arm.At(arm.mouth + kCrosswalkGap / 2, arm.left + 0.7);
    signal.head = {head.x, head.y, 3.3};
    signal.facing = arm.heading;
    layout->signals.push_back(signal);
  }
  for (size_t i = 0; i < arms.size(); ++i) {
    const bool is_first = i % 2 == 0;
    const Arm& arm = arms[i];
    Signal signal;
    signal.pedestrian = true;
    signal.cycle_s = cycle;
    signal.green_begin_s = shift + (is_first ? first + amber + kAllRed : 0);
    signal.green_s = (is_first ? second : first) / 2;
    signal.amber_s = 0;
    const double u = arm.mouth + kCrosswalkGap + kCrosswalkWidth + 0.5;
    const Point2 head = arm.At(u, -arm.right - 0.7);
    signal.head = {head.x, head.y, 2.4};
    signal.facing = WrapAngle(arm.heading + kPi / 2);
    Crosswalk crosswalk;
    crosswalk.width = kCrosswalkWidth;
    crosswalk.signal = static_cast<int>(layout->signals.size());
    const double begin = arm.mouth + kCrosswalkGap;
    crosswalk.area = Rectangle(arm, begin, begin + kCrosswalkWidth, -arm.right, arm.left);
    crosswalk.from = arm.At(begin + kCrosswalkWidth / 2, arm.left + 0.4);
    crosswalk.to = arm.At(begin + kCrosswalkWidth / 2, -arm.right - 0.4);
    layout->signals.push_back(signal);
    layout->crosswalks.push_back(crosswalk);
  }
}

double LaneOffset(const Arm& arm, int lane) { return arm.median / 2 + (lane + 0.5) * arm.lane_width; }

void AddLanes(const std::vector<Arm>& arms, Layout* layout) {
  for (size_t i = 0; i < arms.size(); ++i) {
    const Arm& arm = arms[i];
    for (int k = 0; k < arm.lanes; ++k) {
      const double v = LaneOffset(arm, k), half = arm.lane_width / 2;
      layout->lanes.push_back({Rectangle(arm, arm.mouth, kFar, v - half, v + half),
                               Path({arm.At(kFar, v), arm.At(arm.mouth, v)}), arm.lane_width,
                               static_cast<int>(i), true});
      layout->lanes.push_back({Rectangle(arm, arm.mouth, kFar, -v - half, -v + half),
                               Path({arm.At(arm.mouth, -v), arm.At(kFar, -v)}), arm.lane_width,
                               static_cast<int>(i), false});
    }
  }
}

// From `v` (left of a's axis, driving in) to `w` (right of b's axis, driving out), over the intersection in a
// smooth curve.
Route MakeRoute(const std::vector<Arm>& arms, size_t from, size_t to, double v, double w) {
  const Arm &a = arms[from], &b = arms[to];
  const Point2 begin = a.At(a.mouth, v), end = b.At(b.mouth, -w);
  Route route;
  const double change = WrapAngle(b.heading - (a.heading + kPi));
  route.turn = change > 0.6 ? 1 : change < -0.6 ? -1 : 0;
  const double reach = Distance2(begin, end) * (route.turn == 0 ? 0.35 : 0.5);
  const Point2 c1 = {begin.x - a.along.x * reach, begin.y - a.along.y * reach};
  const Point2 c2 = {end.x - b.along.x * reach, end.y - b.along.y * reach};
  std::vector<Point2> points = {a.At(kFar, v), begin};
  constexpr int kPieces = 20;
  for (int i = 1; i <= kPieces; ++i) {
    const double t = static_cast<double>(i) / kPieces, r = 1 - t;
    const double k0 = r * r * r, k1 = 3 * r * r * t, k2 = 3 * r * t * t, k3 = t * t * t;
    points.push_back({k0 * begin.x + k1 * c1.x + k2 * c2.x + k3 * end.x,
                      k0 * begin.y + k1 * c1.y + k2 * c2.y + k3 * end.y});
  }
  points.push_back(b.At(kFar, -w));
  route.path = Path(std::move(points));
  route.from_arm = static_cast<int>(from);
  route.to_arm = static_cast<int>(to);
  route.enter_s = kFar - a.mouth;
  route.stop_s = kFar - (a.mouth + kCrosswalkGap + kCrosswalkWidth + kStopGap);
  route.leave_s = route.path.length() - (kFar - b.mouth);
  route.signal = static_cast<int>(from);
  return route;
}

void AddRoutes(Random random, const std::vector<Arm>& arms, Layout* layout) {
  const double fast = random.Chance(0.3) ? 16.7 : 13.9;  // 60 or 50 km/h
  for (size_t from = 0; from < arms.size(); ++from) {
    for (size_t to = 0; to < arms.size(); ++to) {
      if (to == from) continue;
      const Arm &a = arms[from], &b = arms[to];
      const double change = WrapAngle(b.heading - (a.heading + kPi));
      for (int lane = 0; lane < a.lanes; ++lane) {
        const bool left_most = lane == 0, right_most = lane == a.lanes - 1;
        if (change > 0.6 && !left_most) continue;
        if (change < -0.6 && !right_most) continue;
        const int out = change > 0.6 ? 0 : change < -0.6 ? b.lanes - 1 : std::min(lane, b.lanes - 1);
        if (change >= -0.6 && change <= 0.6 && lane >= b.lanes) continue;
        Route route = MakeRoute(arms, from, to, LaneOffset(a, lane), LaneOffset(b, out));
        route.speed_max = from % 2 == 0 ? fast : 13.9;
        layout->routes.push_back(std::move(route));
      }
      if (change > 0.6) continue;  // cyclists turn left on foot
      const auto strip = [](const Arm& arm) {
        return LaneOffset(arm, arm.lanes) - arm.lane_width / 2 + kBicycleStrip / 2;
      };
      Route route = MakeRoute(arms, from, to, strip(a), strip(b));
      route.speed_max = 6.5;
      route.bicycles_only = true;
      layout->routes.push_back(std::move(route));
    }
  }
}

void AddBays(Random random, const std::vector<Arm>& arms, Layout* layout) {
  for (const Arm& arm : arms) {
    const double begin = arm.mouth + kCrosswalkGap + kCrosswalkWidth + kStopGap + 8 + random.Uniform(0, 4);
    for (double u = begin; u < 75; u += 6.2) {
      if (arm.bays_in)
        layout->bays.push_back({arm.At(u, arm.left - kBayWidth / 2), WrapAngle(arm.heading + kPi)});
      if (arm.bays_out) layout->bays.push_back({arm.At(u, -arm.right + kBayWidth / 2), arm.heading});
    }
  }
}

}  // namespace

Layout MakeLayout(uint64_t seed, Size picture) {
  const Random random(seed, 0x5744);
  Layout layout;
  layout.seed = seed;
  Random shape = random.Fork(1);
  layout.arms = shape.Chance(0.72) ? 4 : 3;
  layout.extent_m = kFar - 10;
  std::vector<Arm> arms = MakeArms(random.Fork(2), layout.arms);
  SetMouths(&arms, shape.Uniform(3.5, 6.5));
  for (const Arm& arm : arms) layout.arm_headings.push_back(arm.heading);
  AddGround(arms, &layout);
  AddSignals(random.Fork(3), arms, &layout);
  AddLanes(arms, &layout);
  AddRoutes(random.Fork(4), arms, &layout);
  AddBays(random.Fork(5), arms, &layout);
  AddBuildings(random.Fork(6), arms, &layout);
  AddTreesAndPoles(random.Fork(7), arms, &layout);
  PlaceCamera(random.Fork(8), picture, &layout);
  return layout;
}

}  // namespace sightline::simulate
