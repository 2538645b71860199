#include "simulate/script/plan.h"

#include <algorithm>
#include <cmath>

#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

constexpr double kTick = 0.1;       // seconds between the points of a motion
constexpr double kLaneBegins = 16;  // metres from a route's begin: nearer nobody can be held
constexpr double kRoomBehind = 9;   // metres
constexpr double kMargin = 12;      // metres out of view
constexpr double kHoldBefore = 7;   // seconds for those in the lane to get away
constexpr double kEmpties = 12;     // seconds of green light for those who wait to get away
constexpr double kPace = 9;         // m/s, of those
constexpr double kWayOut = 16;      // seconds for others to get out of the way beyond the intersection
constexpr double kEarlier = 50;     // seconds: a cycle
constexpr double kEarlierCost = 25;
constexpr double kWalkAway = 75;  // metres
constexpr double kRoadMax = 40;   // metres: wider is no road

bool OnSidewalk(const Layout& layout, const Point2& point) {
  return std::any_of(layout.sidewalks.begin(), layout.sidewalks.end(),
                     [&](const Polygon& polygon) { return Inside(polygon, point); });
}

}  // namespace

void Motion::Mark() {
  if (!times_.empty() && time_ <= times_.back() + 1e-6) return;
  times_.push_back(time_);
  stations_.push_back(s_);
}

Motion& Motion::Cruise(double metres) {
  if (metres <= 0) return *this;
  s_ += metres;
  time_ += metres / speed_;
  Mark();
  return *this;
}

Motion& Motion::Change(double to_speed, double acceleration) {
  const double total = std::abs(to_speed - speed_) / acceleration, from_s = s_, from = speed_, begin = time_;
  const double signed_acceleration = to_speed > speed_ ? acceleration : -acceleration;
  for (double t = kTick; t < total - kTick / 2; t += kTick) {
    time_ = begin + t;
    s_ = from_s + from * t + signed_acceleration * t * t / 2;
    Mark();
  }
  time_ = begin + total;
  s_ = from_s + (from + to_speed) / 2 * total;
  speed_ = to_speed;
  Mark();
  return *this;
}

Motion& Motion::Stand(double seconds) {
  time_ += seconds;
  Mark();
  return *this;
}

ActorOrder Motion::Order(ActorKind kind, uint32_t look, const Path& path, double at, double time_s,
                         double from, double station) const {
  ActorOrder order;
  order.kind = kind;
  order.look = look;
  order.path = path;
  order.times_s = times_;
  order.stations = stations_;
  for (double& t : order.times_s) t += time_s - at;
  for (double& s : order.stations) s += station - from;
  return order;
}

Polygon Strip(const Path& path, double begin_s, double end_s, double half_width) {
  Polygon right, left;
  const int pieces = std::max(1, static_cast<int>(Floor((end_s - begin_s) / 3)));
  for (int i = 0; i <= pieces; ++i) {
    const Path::Pose pose = path.At(begin_s + (end_s - begin_s) * i / pieces);
    const double nx = -Sin(pose.heading) * half_width, ny = Cos(pose.heading) * half_width;
    right.push_back({pose.point.x - nx, pose.point.y - ny});
    left.push_back({pose.point.x + nx, pose.point.y + ny});
  }
  right.insert(right.end(), left.rbegin(), left.rend());
  return right;
}

double LengthOf(ActorKind kind) {
  constexpr double kLengths[kActorKinds] = {0.5, 1.8, 2.1, 4.4, 11.5, 7.8};
  return kLengths[static_cast<size_t>(kind)];
}
double WidthOf(ActorKind kind) {
  constexpr double kWidths[kActorKinds] = {0.55, 0.6, 0.75, 1.82, 2.5, 2.4};
  return kWidths[static_cast<size_t>(kind)];
}

std::optional<WayOver> FindWayOver(const StreetFacts& facts, const Point2& point, double heading,
                                   bool from_left) {
  const Layout& layout = facts.layout();
  const Point2 side = {-Sin(heading), Cos(heading)};
  const auto kerb = [&](double sign) -> std::optional<double> {
    for (double d = 0; d < kRoadMax; d += 0.1) {
      const Point2 p = {point.x + side.x * d * sign, point.y + side.y * d * sign};
      if (OnSidewalk(layout, p) && !OnRoad(layout, p)) return d;
      const Point2 wide = {p.x + Cos(heading) * 0.4, p.y + Sin(heading) * 0.4};
      const Point2 back = {p.x - Cos(heading) * 0.4, p.y - Sin(heading) * 0.4};
      if (facts.InBay(p) || facts.InBay(wide) || facts.InBay(back)) return std::nullopt;
      if (!OnRoad(layout, p) && std::none_of(layout.islands.begin(), layout.islands.end(),
                                             [&](const Polygon& island) { return Inside(island, p); }))
        return std::nullopt;
    }
    return std::nullopt;
  };
  const auto left = kerb(1), right = kerb(-1);
  if (!left || !right) return std::nullopt;
  // Away from the middle, along the pavements.
  const double outward = point.x * Cos(heading) + point.y * Sin(heading) > 0 ? 1 : -1;
  const Point2 away = {Cos(heading) * outward * kWalkAway, Sin(heading) * outward * kWalkAway};
  const Point2 l = {point.x + side.x * (*left + 1.2), point.y + side.y * (*left + 1.2)};
  const Point2 r = {point.x - side.x * (*right + 1.2), point.y - side.y * (*right + 1.2)};
  std::vector<Point2> points = {{l.x + away.x, l.y + away.y}, l, r, {r.x + away.x, r.y + away.y}};
  if (!from_left) std::reverse(points.begin(), points.end());
  const double first = from_left ? *left : *right, second = from_left ? *right : *left;
  WayOver way;
  way.path = Path(points);
  way.kerb_s = kWalkAway + 1.2;
  way.point_s = way.kerb_s + first;
  way.other_kerb_s = way.point_s + second;
  return way;
}

// Where the route comes into view, and a little before.
double EntryOf(const StreetFacts& facts, const Path& path) {
  double s = 0;
  while (s < path.length() && !facts.InView(path.At(s).point)) s += 2;
  return std::max(0.0, s - kMargin);
}

void HoldLane(const StreetFacts& facts, const Route& route, double at_s, double time_s, double speed,
              Plan* plan) {
  // Those who are kept out stand behind the place where the actor begins.
  const double entry_s = std::max(EntryOf(facts, route.path), kLaneBegins);
  if (route.stop_s <= entry_s) return;
  double closed_s = time_s;
  if (route.signal >= 0) {
    const Signal& signal = facts.layout().signals[static_cast<size_t>(route.signal)];
    for (double green_s = 0; green_s < kEmpties && closed_s > time_s - 2 * signal.cycle_s; closed_s -= 0.5)
      green_s += ColorAt(signal, closed_s) == SignalColor::kGreen ? 0.5 : 0;
  }
  const double enters_s = time_s - (at_s - entry_s) / speed;
  const double begin_s = std::min(closed_s - (route.stop_s - entry_s) / kPace, enters_s - kHoldBefore);
  plan->holds.push_back(
      {Strip(route.path, entry_s - kRoomBehind, route.stop_s, 1.2), begin_s, enters_s, true});
}

// Where the path leaves the view, and a little more.
double ExitOf(const StreetFacts& facts, const Path& path, double from_s) {
  double exit_s = path.length();
  while (exit_s > from_s && !facts.InView(path.At(exit_s).point)) exit_s -= 2;
  return exit_s + kMargin;
}

void HoldOver(const StreetFacts& facts, const Route& route, double time_s, double speed, Plan* plan) {
  const double over_s = (route.leave_s - route.stop_s) / speed;
  const double exit_s = std::max(route.leave_s + 10, ExitOf(facts, route.path, route.leave_s));
  plan->holds.push_back({Strip(route.path, route.stop_s + 1, route.enter_s, 1.4), time_s - 1, time_s + 0.5});
  plan->holds.push_back({facts.layout().intersection, time_s - 6, time_s + over_s});
  plan->holds.push_back({Strip(route.path, route.leave_s, exit_s, 1.4), time_s + over_s - kWayOut,
                         time_s + (exit_s - route.stop_s) / speed});
}

Plan Earlier(const Plan& plan) {
  Plan earlier = plan;
  for (Plan::Hold& hold : earlier.holds)
    if (hold.lane) hold.begin_s -= kEarlier;
  earlier.cost += kEarlierCost;
  return earlier;
}

double ShowsAfter(EventKind kind) {
  switch (kind) {
    case EventKind::kStoppedVehicle:
      return 9;
    case EventKind::kAbandonedVehicle:
      return 32;
    case EventKind::kCrowd:
      return 5;
    case EventKind::kWrongWay:
      return 2.5;
    default:
      return 1.5;
  }
}

double BeginOf(const Plan& plan) {
  constexpr double kHoldLead = 8;  // seconds before a hold's begin that people on foot wait
  double begin = plan.at_s - 6;
  for (const Plan::Hold& hold : plan.holds) begin = std::min(begin, hold.begin_s - kHoldLead);
  for (const ActorOrder& order : plan.orders)
    if (order.kind != ActorKind::kPerson) begin = std::min(begin, order.times_s.front());
  return begin;
}

double EndOf(const ScriptedEvent& event, const Plan& plan) {
  double end = plan.at_s + std::max(event.duration_s.value_or(0), ShowsAfter(event.kind)) + 2;
  for (const ActorOrder& order : plan.orders)
    if (order.kind != ActorKind::kPerson) end = std::max(end, order.times_s.back());
  return end + 1;
}

void TrimToView(const StreetFacts& facts, Plan* plan) {
  for (ActorOrder& order : plan->orders) {
    if (order.kind == ActorKind::kPerson) continue;
    const double entry_s = std::max(EntryOf(facts, order.path), kLaneBegins);
    const double exit_s = ExitOf(facts, order.path, entry_s);
    auto& t = order.times_s;
    auto& s = order.stations;
    // Both ends are stretches of even speed: cut where the station is.
    while (s.size() > 2 && s[1] <= entry_s) s.erase(s.begin()), t.erase(t.begin());
    if (s[0] < entry_s && s[1] > entry_s) {
      t[0] += (t[1] - t[0]) * (entry_s - s[0]) / (s[1] - s[0]);
      s[0] = entry_s;
    }
    if (order.stays) continue;
    while (s.size() > 2 && s[s.size() - 2] >= exit_s) s.pop_back(), t.pop_back();
    const size_t n = s.size();
    if (s[n - 1] > exit_s && s[n - 2] < exit_s) {
      t[n - 1] = t[n - 2] + (t[n - 1] - t[n - 2]) * (exit_s - s[n - 2]) / (s[n - 1] - s[n - 2]);
      s[n - 1] = exit_s;
    }
  }
}

double ViewCost(const StreetFacts& facts, const Point2& point) {
  const auto pixel = facts.projection().Project({point.x, point.y, 0});
  if (!pixel) return 1e6;
  // Not too near the picture's edges.
  const Camera& camera = facts.projection().camera();
  const double u = std::abs(pixel->x / camera.size.width - 0.5),
               v = std::abs(pixel->y / camera.size.height - 0.5);
  return pixel->depth + (u > 0.42 ? 60 : 0) + (v > 0.44 ? 60 : 0);
}

}  // namespace sightline::simulate
