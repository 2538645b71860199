// Where and how each kind of event can happen in a street.
#include <algorithm>
#include <cmath>

#include "simulate/scene/exact.h"
#include "simulate/script/plan.h"

namespace sightline::simulate {
namespace {

constexpr double kWalk = 1.3;
constexpr double kShift = 12;  // seconds that an event may be moved to suit the signals

SignalColor Color(const StreetFacts& facts, const Route& route, double time_s) {
  return ColorAt(facts.layout().signals[static_cast<size_t>(route.signal)], time_s);
}

// Comes to the line `wait_s` and more after green began, with a second left.
bool GoesAtGreen(const StreetFacts& facts, const Route& route, double time_s, double wait_s) {
  if (route.signal < 0) return true;
  for (const double t : {time_s - wait_s, time_s, time_s + 1}) {
    if (Color(facts, route, t) != SignalColor::kGreen) return false;
  }
  return true;
}

void AddRedLight(const ScriptedEvent& event, const StreetFacts& facts, Random* random,
                 std::vector<Plan>* plans) {
  for (const Route& route : facts.layout().routes) {
    if (route.bicycles_only || route.signal < 0 || route.turn != 0) continue;
    const Path::Pose line = route.path.At(route.stop_s);
    if (!facts.InView(line.point)) continue;
    const ActorKind kind = event.first.value_or(ActorKind::kCar);
    const double speed = event.speed.value_or(11);
    for (const double age : {0.9, 1.3, 2.0, 3.0, 6.0, 12.0}) {
      const auto at = TimeNear(event.at_s, kShift, [&](double t) {
        return Color(facts, route, t) == SignalColor::kRed &&
               Color(facts, route, t - age) == SignalColor::kRed &&
               Color(facts, route, t - age - 0.3) != SignalColor::kRed;
      });
      if (!at) continue;
      Plan plan;
      plan.at_s = *at;
      plan.cost = ViewCost(facts, line.point) + 4 * age;
      Motion motion(speed);
      motion.Cruise(route.path.length() + 5);
      const double s = route.stop_s - LengthOf(kind) / 2;
      plan.orders.push_back(motion.Order(kind, random->Bits(), route.path, s / speed, *at, 0, 0));
      HoldLane(facts, route, route.stop_s, *at, speed, &plan);
      HoldOver(facts, route, *at, speed, &plan);
      plans->push_back(std::move(plan));
    }
  }
}

// In by the lane that leads out, and over the intersection into a lane where it is right.
void AddWrongWay(const ScriptedEvent& event, const StreetFacts& facts, Random* random,
                 std::vector<Plan>* plans) {
  const ActorKind kind = event.first.value_or(ActorKind::kCar);
  const double speed = event.speed.value_or(10);
  for (const Route& in : facts.layout().routes) {
    if (in.bicycles_only || in.turn != 0) continue;
    for (const Route& out : facts.layout().routes) {
      if (out.bicycles_only || out.to_arm != in.from_arm || out.from_arm != in.to_arm || out.turn != 0)
        continue;
      // `in` comes to the arm where `out` begins: `in`'s last part is driven back, then on in `out`'s
      // direction.
      const Path::Pose mouth = in.path.At(in.leave_s);
      const Path::Pose far = in.path.At(in.path.length()), beyond = out.path.At(out.leave_s + 4),
                       end = out.path.At(out.path.length());
      const Path path({far.point, mouth.point, beyond.point, end.point});
      const double lane_m = in.path.length() - in.leave_s;
      const double beyond_s = path.length() - (out.path.length() - out.leave_s - 4);
      for (const double from_mouth : {26.0, 36.0, 48.0}) {
        const Point2 here = path.At(lane_m - from_mouth).point;
        if (from_mouth > lane_m || !facts.InView(here)) continue;
        const double enters_s = event.at_s - (lane_m - from_mouth) / speed;
        const Point2 later = path.At(lane_m - from_mouth + 2.2 * speed).point;
        if (from_mouth < 2.2 * speed || !facts.InView(later)) continue;
        Plan plan;
        plan.at_s = event.at_s;
        plan.cost = ViewCost(facts, here);
        Motion motion(speed);
        motion.Cruise(path.length() + 5);
        plan.orders.push_back(
            motion.Order(kind, random->Bits(), path, (lane_m - from_mouth) / speed, event.at_s, 0, 0));
        const double mouth_s = event.at_s + from_mouth / speed;
        const double over_m = beyond_s - lane_m;
        plan.holds.push_back({Strip(path, 0, lane_m, 1.4), enters_s - 12, mouth_s});
        plan.holds.push_back({facts.layout().intersection, mouth_s - 6, mouth_s + over_m / speed});
        plan.holds.push_back({Strip(path, beyond_s, path.length(), 1.4), mouth_s - 14,
                              mouth_s + (path.length() - lane_m) / speed});
        plans->push_back(std::move(plan));
      }
    }
  }
}

void AddSpeeding(const ScriptedEvent& event, const StreetFacts& facts, Random* random,
                 std::vector<Plan>* plans) {
  const ActorKind kind = event.first.value_or(ActorKind::kCar);
  for (const Route& route : facts.layout().routes) {
    if (route.bicycles_only || route.turn != 0) continue;
    for (const double offset : {-20.0, -8.0, 5.0}) {
      const double s = route.stop_s + offset;
      const Path::Pose pose = route.path.At(s);
      const auto limit = facts.LimitAt(pose.point);
      if (!limit || !facts.InView(pose.point)) continue;
      const double speed = event.speed.value_or(1.45 * *limit);
      if (speed < 1.3 * *limit || !facts.InView(route.path.At(s + 0.8 * speed).point)) continue;
      for (const double wait : {8.0, 5.0, 2.0}) {
        const double line_s = (route.stop_s - s) / speed;
        const auto at = TimeNear(event.at_s, kShift,
                                 [&](double t) { return GoesAtGreen(facts, route, t + line_s, wait); });
        if (!at) continue;
        Plan plan;
        plan.at_s = *at;
        plan.cost = ViewCost(facts, pose.point) + (wait < 3 ? 20 : 0);
        Motion motion(speed);
        motion.Cruise(route.path.length() + 5);
        plan.orders.push_back(motion.Order(kind, random->Bits(), route.path, s / speed, *at, 0, 0));
        HoldLane(facts, route, s, *at, speed, &plan);
        HoldOver(facts, route, *at + line_s, speed, &plan);
        plans->push_back(std::move(plan));
        break;
      }
    }
  }
}

// Over the road where there is no crosswalk.
void AddPersonOnRoad(const ScriptedEvent& event, const StreetFacts& facts, Random* random,
                     std::vector<Plan>* plans) {
  for (const Lane& lane : facts.layout().lanes) {
    if (!lane.incoming) continue;
    for (double back = 14; back < 60; back += 4) {
      const Path::Pose pose = lane.center.At(lane.center.length() - back);
      if (back > lane.center.length() || !facts.InView(pose.point)) continue;
      const auto way = FindWayOver(facts, pose.point, pose.heading, random->Chance(0.5));
      if (!way || OnCrosswalk(facts.layout(), pose.point, 3)) continue;
      const double over = way->other_kerb_s - way->kerb_s;
      const double speed = event.duration_s ? std::clamp(over / *event.duration_s, 0.7, 1.7) : kWalk;
      const double over_s = over / speed;
      Plan plan;
      plan.at_s = event.at_s;
      plan.cost = ViewCost(facts, pose.point);
      Motion motion(kWalk);
      motion.Cruise(way->kerb_s - 1);
      motion.Change(speed, 1).Cruise(way->other_kerb_s - motion.s() + 0.5);
      motion.Change(kWalk, 1).Cruise(way->path.length() - motion.s());
      plan.orders.push_back(motion.Order(ActorKind::kPerson, random->Bits(), way->path,
                                         (way->kerb_s - 1) / kWalk, event.at_s - 1 / speed, 0, 0));
      plan.holds.push_back(
          {Strip(way->path, way->kerb_s - 1, way->other_kerb_s, 1.5), event.at_s - 1, event.at_s + over_s});
      plans->push_back(std::move(plan));
    }
  }
  // Across the intersection, from corner to corner.
  const auto& walks = facts.layout().walks;
  for (size_t i = 0; i < walks.size(); ++i) {
    for (size_t j = 0; j < walks.size(); ++j) {
      if (walks[i].points().size() < 5 || walks[j].points().size() < 5) continue;
      const Point2 a = walks[i].points()[2], b = walks[j].points()[2];
      const Point2 middle = {(a.x + b.x) / 2, (a.y + b.y) / 2};
      if (i == j || !facts.InIntersection(middle) || OnCrosswalk(facts.layout(), middle, 2) ||
          !facts.InView(middle))
        continue;
      const Path path(
          {walks[i].points()[0], walks[i].points()[1], a, b, walks[j].points()[3], walks[j].points()[4]});
      double begin = 0, steps = 0;
      while (begin < path.length() && !facts.InIntersection(path.At(begin).point)) begin += 0.5;
      for (double s = begin; s < path.length() && facts.InIntersection(path.At(s).point); s += 0.5)
        steps += 0.5;
      if (steps < 3) continue;
      Plan plan;
      plan.at_s = event.at_s;
      plan.cost = ViewCost(facts, middle) + 25;
      Motion motion(1.6);
      motion.Cruise(path.length());
      plan.orders.push_back(
          motion.Order(ActorKind::kPerson, random->Bits(), path, begin / 1.6, event.at_s, 0, 0));
      plan.holds.push_back({facts.layout().intersection, event.at_s - 2, event.at_s + steps / 1.6});
      plans->push_back(std::move(plan));
    }
  }
}

// Stands on its way to the intersection, well before the queue's place. `kerb`: drawn up beside the lane.
struct Stop {
  const Route* route;
  double s;
  Path path;
};
std::vector<Stop> StopsOf(const StreetFacts& facts, ActorKind kind, bool kerb) {
  std::vector<Stop> stops;
  for (const Route& route : facts.layout().routes) {
    if (route.bicycles_only || route.turn != 0) continue;
    for (double back = 17; back < 65; back += 5) {
      const double s = route.stop_s - back;
      const Path::Pose pose = route.path.At(s);
      if (!facts.InView(pose.point) || OnCrosswalk(facts.layout(), pose.point, 9)) continue;
      if (!kerb) {
        stops.push_back({&route, s, route.path});
        continue;
      }
      // As far to the right as the road goes, without getting into bays.
      const Point2 right = {Sin(pose.heading), -Cos(pose.heading)};
      double room = 0;
      const auto at = [&](double d) {
        return Point2{pose.point.x + right.x * d, pose.point.y + right.y * d};
      };
      while (room < 8 && OnRoad(facts.layout(), at(room)) && !facts.InBay(at(room))) room += 0.1;
      const double aside = room - WidthOf(kind) / 2 - 0.3;
      if (aside < 0.8 || aside > 3.6) continue;
      const double dx = Cos(pose.heading), dy = Sin(pose.heading);
      const Point2 stand = at(aside);
      const Path path({route.path.At(0).point,
                       route.path.At(s - 22).point,
                       {stand.x - dx * 8, stand.y - dy * 8},
                       {stand.x + dx * 20, stand.y + dy * 20}});
      if (s < 40) continue;
      stops.push_back({&route, path.length() - 20, path});
    }
  }
  return stops;
}

void AddStopped(const ScriptedEvent& event, const StreetFacts& facts, Random* random,
                std::vector<Plan>* plans) {
  const ActorKind kind = event.first.value_or(ActorKind::kCar);
  constexpr double kSpeed = 9, kBrake = 2.5;
  for (const Stop& stop : StopsOf(facts, kind, false)) {
    Plan plan;
    plan.at_s = event.at_s;
    plan.cost = ViewCost(facts, stop.path.At(stop.s).point);
    // Goes on when it will find a green light.
    Motion drive(kSpeed);
    drive.Cruise(stop.s - kSpeed * kSpeed / 2 / kBrake).Change(0, kBrake);
    const double stopped = drive.time();
    const double line = stop.route->stop_s - stop.s, until_line_s = line / kSpeed + kSpeed / 2 / 1.5;
    double stands_s = event.duration_s.value_or(15);
    for (int i = 0; i < 240 && !GoesAtGreen(facts, *stop.route, event.at_s + stands_s + until_line_s, 5); ++i)
      stands_s += 0.25;
    drive.Stand(stands_s).Change(kSpeed, 1.5).Cruise(stop.path.length() - drive.s() + 5);
    ActorOrder order = drive.Order(kind, random->Bits(), stop.path, stopped, event.at_s, 0, 0);
    order.hazard = true;
    plan.orders.push_back(std::move(order));
    HoldOver(facts, *stop.route, event.at_s + stands_s + until_line_s, kSpeed, &plan);
    HoldLane(facts, *stop.route, stop.s, event.at_s, kSpeed, &plan);
    plans->push_back(std::move(plan));
  }
}

void AddAbandoned(const ScriptedEvent& event, const StreetFacts& facts, Random* random,
                  std::vector<Plan>* plans) {
  const ActorKind kind = event.first.value_or(ActorKind::kCar);
  constexpr double kSpeed = 8, kBrake = 2;
  for (const bool kerb : {true, false}) {
    for (const Stop& stop : StopsOf(facts, kind, kerb)) {
      const Path::Pose pose = stop.path.At(stop.s);
      const auto way = FindWayOver(facts, pose.point, pose.heading, true);
      if (!way) continue;
      Plan plan;
      plan.at_s = event.at_s;
      plan.cost = ViewCost(facts, pose.point) + (kerb ? 0 : 30);
      Motion drive(kSpeed);
      drive.Cruise(stop.s - kSpeed * kSpeed / 2 / kBrake).Change(0, kBrake);
      const double stopped = drive.time();
      drive.Stand(1);
      ActorOrder order = drive.Order(kind, random->Bits(), stop.path, stopped, event.at_s, 0, 0);
      order.stays = true;
      plan.orders.push_back(std::move(order));
      // Out on the pavement's side, and away.
      Motion walk(kWalk);
      const double from = way->point_s + WidthOf(kind) / 2 + 0.5;
      walk.Cruise(way->path.length() - from);
      plan.orders.push_back(
          walk.Order(ActorKind::kPerson, random->Bits(), way->path, 0, event.at_s + 3, 0, from));
      HoldLane(facts, *stop.route, stop.s, event.at_s, kSpeed, &plan);
      plans->push_back(std::move(plan));
    }
  }
}

// Where so many have room on the pavement, nearest to the middle first.
std::vector<Point2> Places(const StreetFacts& facts, const Point2& middle, int count) {
  const double spacing = count > 24 ? 0.5 : 0.72;
  std::vector<std::pair<double, Point2>> found;
  for (int i = -6; i <= 6; ++i) {
    for (int j = -6; j <= 6; ++j) {
      const Point2 p = {middle.x + (i + (j % 2 != 0 ? 0.5 : 0.0)) * spacing, middle.y + j * spacing * 0.87};
      const double dx = p.x - middle.x, dy = p.y - middle.y, d = dx * dx + dy * dy;
      if (d > 2.85 * 2.85 || facts.OnStreet(p)) continue;
      const auto& sidewalks = facts.layout().sidewalks;
      if (std::any_of(sidewalks.begin(), sidewalks.end(), [&](const Polygon& s) { return Inside(s, p); }))
        found.emplace_back(d, p);
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Point2> places;
  for (size_t i = 0; i < found.size() && i < static_cast<size_t>(count); ++i)
    places.push_back(found[i].second);
  return places;
}

void AddCrowd(const ScriptedEvent& event, const StreetFacts& facts, Random* random,
              std::vector<Plan>* plans) {
  const int count = event.count.value_or(12);
  const double lasts_s = event.duration_s.value_or(12);
  for (const Path& walk : facts.layout().walks) {
    for (double s = 40; s < walk.length() - 40; s += 3) {
      const Point2 middle = walk.At(s).point;
      if (!facts.InView(middle)) continue;
      const auto places = Places(facts, middle, count);
      if (static_cast<int>(places.size()) < count) continue;
      Plan plan;
      plan.at_s = event.at_s;
      plan.cost = ViewCost(facts, middle);
      for (const Point2& place : places) {
        // Along the pavement to the place, and on or back.
        const bool ahead = random->Chance(0.5), back = random->Chance(0.5);
        std::vector<Point2> before, after;
        double sum = 0;
        for (size_t i = 0; i < walk.points().size(); ++i) {
          if (i > 0) {
            const Point2 &p = walk.points()[i - 1], &q = walk.points()[i];
            sum += std::sqrt((q.x - p.x) * (q.x - p.x) + (q.y - p.y) * (q.y - p.y));
          }
          if (sum < s - 4) before.push_back(walk.points()[i]);
          if (sum > s + 4) after.push_back(walk.points()[i]);
        }
        std::reverse(after.begin(), after.end());
        std::vector<Point2> points = ahead ? before : after;
        std::vector<Point2> rest = back ? before : after;
        points.push_back(place);
        const double to_place = Path(points).length();
        points.insert(points.end(), rest.rbegin(), rest.rend());
        const Path path(points);
        const double speed = random->Uniform(1.2, 1.5), early = random->Uniform(0.5, 5);
        Motion motion(speed);
        motion.Cruise(to_place - 0.5)
            .Change(0, speed * speed)
            .Stand(lasts_s + early + random->Uniform(0.3, 3));
        motion.Change(speed, 1.2).Cruise(path.length() - motion.s());
        plan.orders.push_back(motion.Order(ActorKind::kPerson, random->Bits(), path, to_place / speed,
                                           event.at_s - early, 0, 0));
      }
      plans->push_back(std::move(plan));
    }
  }
}

}  // namespace

std::vector<Plan> PlansFor(const ScriptedEvent& event, const StreetFacts& facts, Random* random) {
  std::vector<Plan> plans;
  switch (event.kind) {
    case EventKind::kNearMiss:
      plans = NearMissPlans(event, facts, random);
      break;
    case EventKind::kPersonOnRoad:
      AddPersonOnRoad(event, facts, random, &plans);
      break;
    case EventKind::kRedLight:
      AddRedLight(event, facts, random, &plans);
      break;
    case EventKind::kWrongWay:
      AddWrongWay(event, facts, random, &plans);
      break;
    case EventKind::kStoppedVehicle:
      AddStopped(event, facts, random, &plans);
      break;
    case EventKind::kSpeeding:
      AddSpeeding(event, facts, random, &plans);
      break;
    case EventKind::kCrowd:
      AddCrowd(event, facts, random, &plans);
      break;
    case EventKind::kAbandonedVehicle:
      AddAbandoned(event, facts, random, &plans);
      break;
  }
  for (Plan& plan : plans) {
    TrimToView(facts, &plan);
    plan.cost +=
        2 * std::abs(plan.at_s - event.at_s) + random->Uniform(0, 12);  // not always at the one best place
  }
  const size_t count = plans.size();
  for (size_t i = 0; i < count; ++i) {
    const auto& holds = plans[i].holds;
    if (std::any_of(holds.begin(), holds.end(), [](const Plan::Hold& hold) { return hold.lane; }))
      plans.push_back(Earlier(plans[i]));
  }
  std::stable_sort(plans.begin(), plans.end(), [](const Plan& a, const Plan& b) { return a.cost < b.cost; });
  return plans;
}

}  // namespace sightline::simulate
