// Near misses: with a collision course that ends by hard braking at the time to collision that is asked for,
// or passing one after the other.
#include <algorithm>
#include <cmath>

#include "simulate/scene/exact.h"
#include "simulate/script/plan.h"

namespace sightline::simulate {
namespace {

constexpr double kWalk = 1.4;      // m/s
constexpr double kBrakeFor = 7.5;  // m/s2, about: what the braking is like, by speed and time to collision
constexpr double kShift = 12;      // seconds that an event may be moved to suit the signals
constexpr double kSecondSpeed = 9;

Footprint Rectangle(const Path& path, double s, double speed, ActorKind kind) {
  const Path::Pose pose = path.At(s);
  Actor actor;
  actor.position = pose.point;
  actor.heading = pose.heading;
  actor.length = LengthOf(kind);
  actor.width = WidthOf(kind);
  actor.speed = speed;
  return FootprintOf(actor);
}

// Where the first has to be, `time_to_collision` before they touch, when the second is then at `second_s`.
std::optional<double> FirstStation(const Path& first, ActorKind first_kind, double first_speed,
                                   double guess_s, const Footprint& second, double time_to_collision) {
  double s = guess_s;
  for (int i = 0; i < 6; ++i) {
    const auto time = TimeToTouch(Rectangle(first, s, first_speed, first_kind), second);
    if (!time) return std::nullopt;
    s += first_speed * (*time - time_to_collision);
  }
  const auto time = TimeToTouch(Rectangle(first, s, first_speed, first_kind), second);
  if (!time || std::abs(*time - time_to_collision) > 0.02) return std::nullopt;
  return s;
}

bool Green(const StreetFacts& facts, const Route& route, double time_s, double since_s) {
  if (route.signal < 0) return true;
  const Signal& signal = facts.layout().signals[static_cast<size_t>(route.signal)];
  return ColorAt(signal, time_s) == SignalColor::kGreen &&
         ColorAt(signal, time_s - since_s) == SignalColor::kGreen &&
         ColorAt(signal, time_s + 0.5) == SignalColor::kGreen;
}

struct Asked {
  ActorKind first, second;
  std::optional<double> time_to_collision, post_encroachment;
  double at_s, speed;
};

// Drives up at `speed`, brakes as hard as it takes when `brake_s` metres along, lets the other pass and goes
// on.
ActorOrder BrakingDrive(const Asked& asked, const Path& path, double brake_s, double time_s, uint32_t look) {
  const double t = *asked.time_to_collision;
  Motion motion(asked.speed);
  motion.Cruise(brake_s);
  const double at = motion.time();
  motion.Change(0, asked.speed / t).Stand(1.8).Change(8, 1.6);
  motion.Cruise(path.length() - motion.s() + 5);
  return motion.Order(asked.first, look, path, at, time_s, 0, 0);
}

ActorOrder SteadyDrive(ActorKind kind, const Path& path, double s, double time_s, double speed,
                       uint32_t look) {
  Motion motion(speed);
  motion.Cruise(path.length() + 5);
  return motion.Order(kind, look, path, s / speed, time_s, 0, 0);
}

// With somebody on foot who crosses behind the intersection, on a crosswalk or away from it.
void AddPersonPlans(const Asked& asked, const StreetFacts& facts, Random* random, std::vector<Plan>* plans) {
  const Layout& layout = facts.layout();
  for (const Route& route : layout.routes) {
    if (route.bicycles_only || route.turn != 0) continue;
    for (const double beyond : {2.6, 12.0, 18.0, 26.0, 36.0}) {
      const double crossing_s = route.leave_s + beyond;
      const Path::Pose pose = route.path.At(crossing_s);
      if (!facts.InView(pose.point)) continue;
      const bool from_left = random->Chance(0.5);
      const auto way = FindWayOver(facts, pose.point, pose.heading, from_left);
      if (!way) continue;
      // When the event is at its height the vehicle is about here.
      const double until_line_s = (crossing_s - route.stop_s) / asked.speed;
      const auto at =
          TimeNear(asked.at_s, kShift, [&](double t) { return Green(facts, route, t - until_line_s, 3); });
      if (!at) continue;
      Plan plan;
      plan.at_s = *at;
      plan.cost = ViewCost(facts, pose.point);
      const uint32_t look = random->Bits(), look2 = random->Bits();
      if (asked.time_to_collision) {
        // In the middle of the lane when the vehicle would get there.
        const double t = *asked.time_to_collision;
        const Footprint person = Rectangle(way->path, way->point_s - kWalk * t, kWalk, ActorKind::kPerson);
        const auto s = FirstStation(route.path, asked.first, asked.speed,
                                    crossing_s - LengthOf(asked.first) / 2 - asked.speed * t, person, t);
        if (!s || way->point_s - kWalk * t < way->kerb_s + 0.1) continue;
        plan.orders.push_back(BrakingDrive(asked, route.path, *s, *at, look));
        plan.orders.push_back(
            SteadyDrive(ActorKind::kPerson, way->path, way->point_s - kWalk * t, *at, kWalk, look2));
        HoldLane(facts, route, *s, *at, asked.speed, &plan);
      } else {
        // The person is just off the vehicle's way `post_encroachment` before the vehicle comes.
        const double clear_s = way->point_s + WidthOf(asked.first) / 2 + LengthOf(ActorKind::kPerson) / 2;
        const double front_s = crossing_s - WidthOf(ActorKind::kPerson) / 2 - LengthOf(asked.first) / 2;
        plan.orders.push_back(SteadyDrive(asked.first, route.path, front_s, *at, asked.speed, look));
        plan.orders.push_back(SteadyDrive(ActorKind::kPerson, way->path, clear_s,
                                          *at - *asked.post_encroachment, kWalk, look2));
        HoldLane(facts, route, front_s, *at, asked.speed, &plan);
      }
      HoldOver(facts, route, *at - until_line_s, asked.speed, &plan);
      const double on_s = *at - (way->point_s - way->kerb_s) / kWalk,
                   off_s = *at + (way->other_kerb_s - way->point_s) / kWalk;
      plan.holds.push_back({Strip(way->path, way->kerb_s, way->other_kerb_s, 2), on_s - 2, off_s});
      plans->push_back(std::move(plan));
    }
  }
}

// Where two straight ways cross in the intersection.
std::optional<std::pair<double, double>> CrossingOf(const Route& a, const Route& b) {
  double best = 1e9;
  std::pair<double, double> where;
  for (double s = a.enter_s; s < a.leave_s; s += 0.25) {
    const Point2 p = a.path.At(s).point;
    for (double r = b.enter_s; r < b.leave_s; r += 0.25) {
      const Point2 q = b.path.At(r).point;
      const double d = (p.x - q.x) * (p.x - q.x) + (p.y - q.y) * (p.y - q.y);
      if (d < best) best = d, where = {s, r};
    }
  }
  if (best > 0.3) return std::nullopt;
  return where;
}

// The first has a green light, the second runs a red one.
void AddVehiclePlans(const Asked& asked, const StreetFacts& facts, Random* random, std::vector<Plan>* plans) {
  const Layout& layout = facts.layout();
  for (const Route& a : layout.routes) {
    if (a.bicycles_only || a.turn != 0) continue;
    for (const Route& b : layout.routes) {
      if (b.bicycles_only || b.from_arm == a.from_arm || b.from_arm == a.to_arm || b.turn != 0) continue;
      const auto crossing = CrossingOf(a, b);
      if (!crossing) continue;
      const auto [a_s, b_s] = *crossing;
      const Path::Pose pose = a.path.At(a_s);
      if (!facts.InView(pose.point)) continue;
      const double until_line_s = (a_s - a.stop_s) / asked.speed;
      for (const double green_for : {5.0, 8.0, 2.0}) {
        const auto at = TimeNear(asked.at_s, kShift,
                                 [&](double t) { return Green(facts, a, t - until_line_s, green_for); });
        if (!at) continue;
        Plan plan;
        plan.at_s = *at;
        plan.cost = ViewCost(facts, pose.point) + (green_for > 7 ? 10 : green_for < 3 ? 20 : 0);
        const uint32_t look = random->Bits(), look2 = random->Bits();
        double first_s = 0;
        if (asked.time_to_collision) {
          const double t = *asked.time_to_collision, second_s = b_s - kSecondSpeed * t;
          const Footprint second = Rectangle(b.path, second_s, kSecondSpeed, asked.second);
          const auto s = FirstStation(a.path, asked.first, asked.speed,
                                      a_s - LengthOf(asked.first) / 2 - asked.speed * t, second, t);
          if (!s) continue;
          first_s = *s;
          plan.orders.push_back(BrakingDrive(asked, a.path, first_s, *at, look));
          plan.orders.push_back(SteadyDrive(asked.second, b.path, second_s, *at, kSecondSpeed, look2));
        } else {
          // The second has just left the first's way.
          const double clear_s = b_s + WidthOf(asked.first) / 2 + LengthOf(asked.second) / 2;
          first_s = a_s - WidthOf(asked.second) / 2 - LengthOf(asked.first) / 2;
          plan.orders.push_back(SteadyDrive(asked.first, a.path, first_s, *at, asked.speed, look));
          plan.orders.push_back(SteadyDrive(asked.second, b.path, clear_s, *at - *asked.post_encroachment,
                                            kSecondSpeed, look2));
        }
        HoldLane(facts, a, first_s, *at, asked.speed, &plan);
        HoldLane(facts, b, b_s, *at, kSecondSpeed, &plan);
        HoldOver(facts, a, *at - until_line_s, asked.speed, &plan);
        HoldOver(facts, b, *at - (b_s - b.stop_s) / kSecondSpeed, kSecondSpeed, &plan);
        plans->push_back(std::move(plan));
      }
    }
  }
}

}  // namespace

std::vector<Plan> NearMissPlans(const ScriptedEvent& event, const StreetFacts& facts, Random* random) {
  Asked asked{event.first.value_or(ActorKind::kCar),
              event.second.value_or(ActorKind::kPerson),
              event.time_to_collision_s,
              event.post_encroachment_s,
              event.at_s,
              8};
  if (!asked.post_encroachment && !asked.time_to_collision) asked.time_to_collision = 1;
  if (asked.time_to_collision) asked.speed = std::clamp(kBrakeFor * *asked.time_to_collision, 4.5, 11.0);
  std::vector<Plan> plans;
  if (asked.second == ActorKind::kPerson) {
    AddPersonPlans(asked, facts, random, &plans);
  } else {
    AddVehiclePlans(asked, facts, random, &plans);
  }
  return plans;
}

}  // namespace sightline::simulate
