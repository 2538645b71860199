#include "simulate/street/vehicles.h"

#include <algorithm>
#include <cmath>

namespace sightline::simulate {
namespace {

constexpr double kAheadMax = 60;    // metres that a driver looks ahead
constexpr double kStuck = 12;       // seconds of standing among crossing vehicles, until the oldest goes on
constexpr double kPatience = 6;     // seconds at a green light, until the others let one turn
constexpr double kSideRoom = 0.25;  // metres kept to others when passing
constexpr double kEntryBraking = 1.2;  // m/s2, with room left
constexpr double kLeaderBraking = 5;   // m/s2 that one ahead may brake
constexpr double kPast = 0.5;          // metres beyond the stop line: too late to stop there
constexpr size_t kWaitingMax = 40;     // arrivals beyond that go elsewhere

struct Build {
  double weight, length_low, length_high, width, height, acceleration, braking, headway;
};
// By kind; persons do not drive.
constexpr Build kBuilds[kActorKinds] = {
    {0, 0, 0, 0, 0, 0, 0, 0},
    {0, 1.7, 1.85, 0.6, 1.75, 0.9, 1.8, 0.9},
    {0.10, 2.0, 2.25, 0.75, 1.65, 2.4, 2.6, 0.9},
    {0.74, 3.8, 4.9, 1.82, 1.5, 1.7, 2.2, 1.15},
    {0.06, 10.5, 12.2, 2.5, 3.1, 1.0, 1.6, 1.5},
    {0.10, 6.2, 9.6, 2.4, 3.2, 1.0, 1.7, 1.5},
};

}  // namespace

double FollowLeader(const Driver& driver, double speed, double wanted, double gap, double leader_speed) {
  const double ratio = speed / std::max(wanted, 0.1);
  double acceleration = driver.acceleration * (1 - ratio * ratio * ratio * ratio);
  if (gap < kNoGap) {
    const double closing =
        speed * (speed - leader_speed) / (2 * std::sqrt(driver.acceleration * driver.braking));
    const double keep = driver.distance + std::max(0.0, speed * driver.headway_s + closing);
    const double share = keep / std::max(gap, 0.1);
    acceleration -= driver.acceleration * share * share;
    // The model brakes in a panic when something comes up at once (amber): no harder than it takes.
    const double room = std::max(gap - 1, 0.2), closing_speed = std::max(0.0, speed - leader_speed);
    const double takes =
        std::max(closing_speed * closing_speed / (2 * room),
                 speed * speed / (2 * (room + leader_speed * leader_speed / (2 * kLeaderBraking))));
    acceleration = std::max(acceleration, -std::max(driver.braking, 1.3 * takes));
  }
  return std::clamp(acceleration, -kBrakingMax, driver.acceleration);
}

Vehicles::Vehicles(const Layout* layout, const TrafficOptions& options)
    : layout_(*layout),
      map_(std::make_shared<RouteMap>(*layout)),
      random_(options.seed, 0x7e41),
      vehicles_per_s_(options.vehicles_per_minute / 60),
      bicycles_per_s_(options.bicycles_per_minute / 60) {
  // Routes stand in the lists as often as they are to be taken: most go straight on.
  for (size_t i = 0; i < layout_.routes.size(); ++i) {
    const Route& route = layout_.routes[i];
    const int often = route.turn > 0 ? 2 : route.turn < 0 ? 3 : 6;
    auto& routes = route.bicycles_only ? bicycle_routes_ : car_routes_;
    routes.insert(routes.end(), static_cast<size_t>(often), static_cast<int>(i));
  }
}

void Vehicles::Place(Vehicle* vehicle) const {
  const Path& path = layout_.routes[static_cast<size_t>(vehicle->route)].path;
  const double axle = vehicle->length * 0.3;
  const Point2 front = path.At(vehicle->s + axle).point, rear = path.At(vehicle->s - axle).point;
  Body& body = vehicle->body;
  body.position = {(front.x + rear.x) / 2, (front.y + rear.y) / 2};
  body.Turn(Atan2(front.y - rear.y, front.x - rear.x));
  body.speed = vehicle->speed;
}

Vehicles::Vehicle Vehicles::Make(const Route& route, int index) {
  Vehicle vehicle;
  vehicle.route = index;
  vehicle.look = random_.Bits();
  vehicle.kind = ActorKind::kBicycle;
  if (!route.bicycles_only) {
    double draw = random_.Unit();
    vehicle.kind = ActorKind::kCar;
    for (int kind = 1; kind < kActorKinds; ++kind) {
      draw -= kBuilds[kind].weight;
      if (draw < 0) {
        vehicle.kind = static_cast<ActorKind>(kind);
        break;
      }
    }
  }
  const auto& make = kBuilds[static_cast<size_t>(vehicle.kind)];
  vehicle.length = random_.Uniform(make.length_low, make.length_high);
  vehicle.width = make.width * random_.Uniform(0.96, 1.03);
  vehicle.height = make.height * random_.Uniform(0.95, 1.12);
  vehicle.haste = std::clamp(random_.Normal(0.95, 0.07), 0.75, 1.1);
  if (route.bicycles_only) vehicle.haste = random_.Uniform(0.6, 1);
  vehicle.driver = {make.acceleration * random_.Uniform(0.85, 1.15), make.braking, make.headway,
                    random_.Uniform(1.6, 2.6)};
  vehicle.body.kind = vehicle.kind;
  vehicle.body.half_length = vehicle.length / 2;
  vehicle.body.half_width = vehicle.width / 2;
  vehicle.s = -vehicle.length / 2;
  return vehicle;
}

// How fast a newcomer may come in behind the last one of its lane; below 0: there is no room.
double Vehicles::EntrySpeed(const Vehicle& vehicle) const {
  const Path::Pose begin = layout_.routes[static_cast<size_t>(vehicle.route)].path.At(vehicle.s);
  const double along_x = Cos(begin.heading), along_y = Sin(begin.heading);
  double entry = 0.8 * vehicle.haste * map_->SpeedAt(vehicle.route, 0);
  for (const Vehicle& other : vehicles_) {
    const double dx = other.body.position.x - begin.point.x, dy = other.body.position.y - begin.point.y;
    const double ahead = dx * along_x + dy * along_y, aside = dy * along_x - dx * along_y;
    const double room = ahead - (other.length + vehicle.length) / 2;
    if (std::abs(aside) > (other.width + vehicle.width) / 2 + 0.2 || room > 60 || ahead < -20) continue;
    if (room < 4 + 0.5 * other.speed) return -1;
    entry = std::min(entry, std::sqrt(other.speed * other.speed + 2 * kEntryBraking * (room - 4)));
  }
  return entry;
}

void Vehicles::Arrive(double, double step_s, int64_t* next_id) {
  const auto arrive = [&](double rate, const std::vector<int>& routes) {
    if (routes.empty() || !random_.Chance(rate * step_s)) return;
    const int index = routes[static_cast<size_t>(random_.Below(static_cast<int>(routes.size())))];
    Vehicle vehicle = Make(layout_.routes[static_cast<size_t>(index)], index);
    if (waiting_.size() < kWaitingMax) waiting_.push_back(vehicle);
  };
  arrive(vehicles_per_s_, car_routes_);
  arrive(bicycles_per_s_, bicycle_routes_);
  for (size_t i = 0; i < waiting_.size();) {
    const double entry = EntrySpeed(waiting_[i]);
    if (entry < 0) {
      ++i;
      continue;
    }
    Vehicle vehicle = waiting_[i];
    waiting_.erase(waiting_.begin() + static_cast<ptrdiff_t>(i));
    vehicle.id = vehicle.body.id = (*next_id)++;
    vehicle.speed = entry;
    Place(&vehicle);
    vehicles_.push_back(vehicle);
  }
}

void Vehicles::Reserve(const Polygon& area, double begin_s, double end_s) {
  Reservation reservation{area, begin_s, end_s, {}};
  for (const Route& route : layout_.routes) {
    double enter = -1;
    for (double s = 0; s < route.path.length() && enter < 0; s += 0.5) {
      if (Inside(area, route.path.At(s).point)) enter = s;
    }
    // Where it begins beyond the stop line they wait there: crosswalks and the intersection are to stay free.
    if (route.stop_s >= 0 && enter > route.stop_s && enter < route.leave_s + 20) enter = route.stop_s + 1;
    reservation.enter_s.push_back(enter);
  }
  reservations_.push_back(std::move(reservation));
}

bool Vehicles::CanStop(const Vehicle& vehicle, double s, double braking_max) const {
  const double gap = s - vehicle.front();
  if (gap < -kPast) return false;
  return vehicle.speed <= 1 || vehicle.speed * vehicle.speed <= 2 * std::max(gap, 0.3) * braking_max;
}

// The earliest that `other` can be at s.
double Vehicles::Arrives(const Vehicle& other, double s) const {
  constexpr double kStart = 1.8;  // m/s2
  const double far = std::max(0.0, s - other.front());
  return (std::sqrt(other.speed * other.speed + 2 * kStart * far) - other.speed) / kStart;
}

void Vehicles::StopAt(const Vehicle& vehicle, double s, double braking_max, Ahead* ahead) const {
  if (!CanStop(vehicle, s, braking_max)) return;
  const double gap = s - vehicle.front();
  if (gap > kAheadMax) return;
  ahead->Nearer(gap + vehicle.driver.distance - 0.6, 0);  // right up to the line
}

void Vehicles::SeeSignal(const Vehicle& vehicle, double time_s, Ahead* ahead) const {
  const Route& route = layout_.routes[static_cast<size_t>(vehicle.route)];
  if (route.signal < 0 || route.stop_s < 0) return;
  const SignalColor color = ColorAt(layout_.signals[static_cast<size_t>(route.signal)], time_s);
  if (color == SignalColor::kGreen) return;
  StopAt(vehicle, route.stop_s, color == SignalColor::kAmber ? 3.0 : kBrakingMax, ahead);
}

void Vehicles::SeeReservations(const Vehicle& vehicle, double time_s, Ahead* ahead) const {
  for (const Reservation& reservation : reservations_) {
    const double enter = reservation.enter_s[static_cast<size_t>(vehicle.route)];
    if (enter < 0 || time_s < reservation.begin_s - 3 || time_s > reservation.end_s) continue;
    StopAt(vehicle, enter - 1, time_s < reservation.begin_s ? 3.0 : kBrakingMax, ahead);
  }
}

// Whatever stands or moves in the strip that this one is about to drive over.
void Vehicles::SeeBodies(const Vehicle& vehicle, const std::vector<Body>& bodies, Ahead* ahead) const {
  const Path& path = layout_.routes[static_cast<size_t>(vehicle.route)].path;
  const double reach = std::min(kAheadMax, 8 + vehicle.speed * 1.5 + vehicle.speed * vehicle.speed / 4);
  for (const Body& other : bodies) {
    if (other.id == vehicle.id) continue;
    // Two that stand in each other's way: the one that came first goes on.
    if (vehicle.standing_s > kStuck && other.speed < 0.3 &&
        (other.id > vehicle.id || vehicle.standing_s > 2 * kStuck) && !other.scripted &&
        other.kind != ActorKind::kPerson && std::abs(WrapAngle(other.heading - vehicle.body.heading)) > 0.6) {
      continue;
    }
    const double dx = other.position.x - vehicle.body.position.x,
                 dy = other.position.y - vehicle.body.position.y;
    const double far = reach + vehicle.length / 2 + other.radius();
    if (dx * dx + dy * dy > far * far) continue;
    const double margin = vehicle.width / 2 + kSideRoom;
    for (double s = 0.2; s <= reach; s += 1) {
      if (s - 1 > ahead->gap) break;
      const Path::Pose pose = path.At(vehicle.front() + s);
      if (!other.Covers(pose.point, margin)) continue;
      // The point is within `margin` of the body all around: along the way only the body itself counts.
      const double along = other.speed * Cos(WrapAngle(other.heading - pose.heading));
      ahead->Nearer(std::max(0.05, s - 0.2 + (vehicle.width / 2 * 0.6)), std::max(0.0, along));
      break;
    }
  }
}

// People on a crosswalk before us, or about to step into our way there.
void Vehicles::SeeWalkers(const Vehicle& vehicle, const std::vector<Body>& others, Ahead* ahead) const {
  const Path& path = layout_.routes[static_cast<size_t>(vehicle.route)].path;
  for (const Crossing& crossing : map_->crossings(vehicle.route)) {
    const double gap = crossing.begin_s - vehicle.front();
    if (gap < -0.3 || gap > 35) continue;
    const Point2 middle = path.At((crossing.begin_s + crossing.end_s) / 2).point;
    const Crosswalk& crosswalk = layout_.crosswalks[static_cast<size_t>(crossing.crosswalk)];
    const double until_s = std::min(4.0, 1.5 + gap / std::max(vehicle.speed, 3.0));
    for (const Body& other : others) {
      // Somebody who stands there waits for us.
      if (other.kind != ActorKind::kPerson || other.speed < 0.2 || !Inside(crosswalk.area, other.position))
        continue;
      const Point2 later = {other.position.x + other.cos * other.speed * until_s,
                            other.position.y + other.sin * other.speed * until_s};
      // How near the walker comes to our way between now and then.
      const double dx = later.x - other.position.x, dy = later.y - other.position.y,
                   square = dx * dx + dy * dy;
      const double t =
          square > 1e-9
              ? std::clamp(((middle.x - other.position.x) * dx + (middle.y - other.position.y) * dy) / square,
                           0.0, 1.0)
              : 0;
      const double ex = other.position.x + t * dx - middle.x, ey = other.position.y + t * dy - middle.y;
      const double near = vehicle.width / 2 + 2.2;
      if (ex * ex + ey * ey < near * near) StopAt(vehicle, crossing.begin_s - 0.8, 6, ahead);
    }
  }
}

// Whether `other` is on its way over the intersection: inside, or about to come in and free to.
bool Vehicles::Comes(const Vehicle& other, double time_s) const {
  const Route& route = layout_.routes[static_cast<size_t>(other.route)];
  if (other.front() > route.stop_s + kPast) return true;
  return route.signal < 0 ||
         ColorAt(layout_.signals[static_cast<size_t>(route.signal)], time_s) == SignalColor::kGreen;
}

// Others whose way crosses ours: nobody passes the stop line before there is time to get all the way over, so
// that nobody has to wait where others must pass.
void Vehicles::SeeConflicts(const Vehicle& vehicle, double time_s, Ahead* ahead) const {
  const Route& route = layout_.routes[static_cast<size_t>(vehicle.route)];
  if (vehicle.front() < route.stop_s - 30 || vehicle.front() > route.stop_s + kPast) return;
  const double speed = std::max(vehicle.speed, 4.0);
  for (const Vehicle& other : vehicles_) {
    const Route& its = layout_.routes[static_cast<size_t>(other.route)];
    // A way out that is full is no way out.
    const double beyond = other.s - other.length / 2 - its.leave_s;
    if (its.to_arm == route.to_arm && other.speed < 1.5 && beyond > -3 && beyond < vehicle.length + 3 &&
        its.bicycles_only == route.bicycles_only) {
      const Point2 exit = route.path.At(route.leave_s + 5).point;
      if (other.body.Covers(exit, vehicle.length / 2 + 4)) StopAt(vehicle, route.stop_s, 4, ahead);
    }
  }
  for (const Conflict& conflict : map_->conflicts(vehicle.route)) {
    const double in_s = (conflict.begin_s - vehicle.front()) / speed;
    const double out_s = (conflict.end_s + vehicle.length / 2 - vehicle.s) / speed;
    for (const Vehicle& other : vehicles_) {
      if (other.route != conflict.other || other.s - other.length / 2 > conflict.other_end_s + 1) continue;
      const Route& its = layout_.routes[static_cast<size_t>(other.route)];
      const bool inside = other.front() > its.stop_s + kPast;
      const bool equal = its.turn == route.turn && !conflict.yields;
      // Who began to wait first; that does not change while they start.
      const auto insists = [&](const Vehicle& a, const Vehicle& b) {
        return time_s - a.waits_since_s >= kPatience &&
               (a.waits_since_s < b.waits_since_s || (a.waits_since_s == b.waits_since_s && a.id < b.id));
      };
      const bool can_stop = !inside && CanStop(other, its.stop_s, 3);
      // Among equals exactly one yields, or both would stand.
      const bool is_later = insists(other, vehicle) || (!insists(vehicle, other) && other.id < vehicle.id);
      const bool yields = conflict.yields ? !(insists(vehicle, other) && can_stop) : equal && is_later;
      const bool polite = !inside && !conflict.yields && !equal && insists(other, vehicle);
      if (!inside && !yields && !polite) continue;
      if (!inside && !Comes(other, time_s)) continue;
      if (equal) {  // two that turn left, towards each other: one after the other
        const bool near = inside || other.front() > its.stop_s - 8 - 3 * other.speed;
        if (near) StopAt(vehicle, route.stop_s, 5, ahead);
        continue;
      }
      // It may start just now, or be held up on its way.
      const double late = std::max(other.speed, inside ? 3.0 : 1.5);
      const double its_in_s = Arrives(other, conflict.other_begin_s);
      const double its_out_s = (conflict.other_end_s + other.length / 2 - other.s) / late;
      const bool halts = inside && other.speed < 4;  // who knows for how long
      if (its_in_s > out_s + 1.5 || (its_out_s < in_s - 1 && !halts)) continue;
      StopAt(vehicle, route.stop_s, 4, ahead);
    }
  }
}

void Vehicles::Look(double time_s, const std::vector<Body>& others) {
  seen_ = others;
  AppendBodies(&seen_);
  for (Vehicle& vehicle : vehicles_) {
    Ahead ahead;
    SeeSignal(vehicle, time_s, &ahead);
    SeeReservations(vehicle, time_s, &ahead);
    SeeConflicts(vehicle, time_s, &ahead);
    SeeWalkers(vehicle, others, &ahead);
    SeeBodies(vehicle, seen_, &ahead);
    const double wanted = vehicle.haste * map_->SpeedAt(vehicle.route, vehicle.s);
    vehicle.acceleration = FollowLeader(vehicle.driver, vehicle.speed, wanted, ahead.gap, ahead.speed);
  }
}

void Vehicles::Move(double time_s, double step_s) {
  for (Vehicle& vehicle : vehicles_) {
    const double speed = std::max(0.0, vehicle.speed + vehicle.acceleration * step_s);
    const double moved = (vehicle.speed + speed) / 2 * step_s;
    vehicle.speed = speed < 0.02 && vehicle.acceleration <= 0 ? 0 : speed;
    vehicle.s += moved;
    vehicle.travelled += moved;
    const Route& route = layout_.routes[static_cast<size_t>(vehicle.route)];
    const bool inside = vehicle.front() > route.stop_s + kPast && vehicle.s < route.leave_s + 15;
    vehicle.standing_s = vehicle.speed < 0.3 && inside ? vehicle.standing_s + step_s : 0;
    const bool first =
        !inside && vehicle.front() > route.stop_s - 4 && vehicle.speed < 0.3 && Comes(vehicle, time_s);
    if (inside) vehicle.waits_since_s = kNever;
    if (first && vehicle.waits_since_s == kNever) vehicle.waits_since_s = time_s;
    Place(&vehicle);
  }
  std::erase_if(vehicles_, [&](const Vehicle& vehicle) {
    return vehicle.s - vehicle.length / 2 > layout_.routes[static_cast<size_t>(vehicle.route)].path.length();
  });
}

void Vehicles::AppendBodies(std::vector<Body>* bodies) const {
  for (const Vehicle& vehicle : vehicles_) bodies->push_back(vehicle.body);
}

void Vehicles::AppendActors(double ahead_s, std::vector<Actor>* actors) const {
  for (Vehicle vehicle : vehicles_) {
    const double moved = vehicle.speed * ahead_s;
    vehicle.s += moved;
    Place(&vehicle);
    const Route& route = layout_.routes[static_cast<size_t>(vehicle.route)];
    Actor actor;
    actor.id = vehicle.id;
    actor.kind = vehicle.kind;
    actor.look = vehicle.look;
    actor.position = vehicle.body.position;
    actor.heading = vehicle.body.heading;
    actor.length = vehicle.length;
    actor.width = vehicle.width;
    actor.height = vehicle.height;
    actor.speed = vehicle.speed;
    actor.acceleration = vehicle.speed > 0 ? vehicle.acceleration : -1.0;  // foot on the brake
    actor.travelled = vehicle.travelled + moved;
    const double turn =
        WrapAngle(route.path.At(vehicle.s + 2.5).heading - route.path.At(vehicle.s + 0.5).heading);
    actor.steering = std::clamp(turn / 2 * vehicle.length * 0.6, -0.6, 0.6);
    const bool shows = vehicle.front() > route.enter_s - 30 && vehicle.s < route.leave_s;
    actor.indicator = shows && vehicle.kind != ActorKind::kBicycle ? route.turn : 0;
    actors->push_back(actor);
  }
}

}  // namespace sightline::simulate
