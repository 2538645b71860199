#include "simulate/street/walkers.h"

#include <algorithm>
#include <cmath>

namespace sightline::simulate {
namespace {

constexpr double kDepth = 0.5;     // of a body, front to back
constexpr double kChange = 1.2;    // m/s2, starting and stopping
constexpr double kTurn = 4;        // radians a second
constexpr double kSqueeze = 4;     // seconds
constexpr double kLookStep = 0.1;  // seconds from look to look
constexpr double kGetsOver = 8;    // seconds, over a road
constexpr size_t kWalkersMax = 200;

}  // namespace

Walkers::Walkers(const Layout* layout, const TrafficOptions& options)
    : layout_(*layout), random_(options.seed, 0x3a1c), per_s_(options.walkers_per_minute / 60) {}

// Walk i lies between arm i (its left side) and arm i + 1 (its right side): far end, crosswalk i, corner,
// crosswalk i + 1, far end. Somebody comes in at a far end and goes on until another, over as many crosswalks
// as they like.
Walkers::Walker Walkers::Make() {
  Walker walker;
  walker.look = random_.Bits();
  const int walks = static_cast<int>(layout_.walks.size());
  int walk = random_.Below(walks);
  int step = random_.Chance(0.5) ? 1 : -1;
  int at = step > 0 ? 0 : 4;
  const double aside = random_.Uniform(-0.5, 0.5), spread = random_.Uniform(-1.2, 1.2);
  std::vector<Point2> points;
  std::vector<std::pair<size_t, int>> over;  // index of the point at the near kerb, signal
  const auto add = [&](Point2 p) {
    p.x += aside * 0.6;
    p.y += aside;
    points.push_back(p);
  };
  const auto add_kerb = [&](const Crosswalk& crosswalk, const Point2& kerb) {
    const double dx = crosswalk.to.x - crosswalk.from.x, dy = crosswalk.to.y - crosswalk.from.y;
    const double length = std::sqrt(dx * dx + dy * dy);
    points.push_back({kerb.x - dy / length * spread, kerb.y + dx / length * spread});
  };
  add(layout_.walks[static_cast<size_t>(walk)].points()[static_cast<size_t>(at)]);
  bool crossed = false;
  for (int steps = 0; steps < 12; ++steps) {
    at += step;
    const auto& way = layout_.walks[static_cast<size_t>(walk)].points();
    add(way[static_cast<size_t>(at)]);
    if (at == 0 || at == 4) break;
    if ((at != 1 && at != 3) || crossed || !random_.Chance(0.55)) {
      crossed = false;
      continue;
    }
    // Over the road: arm `walk` from its left to its right side, or arm walk + 1 the other way.
    const int arm = at == 1 ? walk : (walk + 1) % walks;
    const Crosswalk& crosswalk = layout_.crosswalks[static_cast<size_t>(arm)];
    over.emplace_back(points.size(), crosswalk.signal);
    add_kerb(crosswalk, at == 1 ? crosswalk.from : crosswalk.to);
    add_kerb(crosswalk, at == 1 ? crosswalk.to : crosswalk.from);
    walk = at == 1 ? (walk + walks - 1) % walks : (walk + 1) % walks;
    at = at == 1 ? 3 : 1;
    add(layout_.walks[static_cast<size_t>(walk)].points()[static_cast<size_t>(at)]);
    step = random_.Chance(0.5) ? 1 : -1;
    crossed = true;
  }
  walker.path = Path(points);
  double s = 0;
  size_t next = 0;
  for (size_t i = 0; i + 1 < points.size(); ++i) {
    const double dx = points[i + 1].x - points[i].x, dy = points[i + 1].y - points[i].y;
    const double length = std::sqrt(dx * dx + dy * dy);
    if (next < over.size() && over[next].first == i) {
      walker.over.push_back({s, s + length, over[next].second});
      ++next;
    }
    s += length;
  }
  walker.wanted = std::clamp(random_.Normal(1.35, 0.2), 0.8, 1.9);
  walker.height = random_.Chance(0.1) ? random_.Uniform(1.1, 1.45) : random_.Uniform(1.55, 1.92);
  walker.width = random_.Uniform(0.48, 0.62) * std::min(1.0, walker.height / 1.6);
  walker.speed = walker.wanted;
  walker.heading = walker.path.At(0).heading;
  return walker;
}

void Walkers::Arrive(double step_s, int64_t* next_id) {
  if (!random_.Chance(per_s_ * step_s) || walkers_.size() >= kWalkersMax) return;
  const int company = random_.Chance(0.2) ? 2 : 1;
  Walker walker = Make();
  for (int i = 0; i < company; ++i) {
    if (i > 0) {  // a pair: the second beside the first
      std::vector<Point2> points = walker.path.points();
      for (Point2& p : points) p.x += 0.35, p.y -= 0.35;
      walker.path = Path(points);
      walker.look = random_.Bits();
      walker.height = random_.Uniform(1.5, 1.9);
    }
    walker.id = (*next_id)++;
    walker.body.id = walker.id;
    walker.body.kind = ActorKind::kPerson;
    walker.body.half_length = kDepth / 2;
    walker.body.half_width = walker.width / 2;
    Place(&walker);
    walkers_.push_back(walker);
  }
}

void Walkers::Place(Walker* walker) const {
  walker->body.position = walker->path.At(walker->s).point;
  walker->body.Turn(walker->heading);
  walker->body.speed = walker->speed;
}

void Walkers::Reserve(const Polygon& area, double begin_s, double end_s) {
  reserved_.push_back({area, begin_s - kGetsOver, end_s});
}

bool Walkers::MayCross(const Walker& walker, const Walker::Over& over, double time_s) const {
  if (over.signal >= 0) {
    const Signal& signal = layout_.signals[static_cast<size_t>(over.signal)];
    // Goes only with time enough left to get well on to the road.
    if (ColorAt(signal, time_s) != SignalColor::kGreen ||
        ColorAt(signal, time_s + 1.5) != SignalColor::kGreen)
      return false;
  }
  for (const Reserved& reserved : reserved_) {
    if (time_s < reserved.begin_s || time_s > reserved.end_s) continue;
    for (double s = over.begin_s; s < over.end_s; s += 0.5) {
      if (Inside(reserved.area, walker.path.At(s).point)) return false;
    }
  }
  return true;
}

void Walkers::Look(double time_s, const std::vector<Body>& vehicles) {
  for (Walker& walker : walkers_) {
    walker.target = walker.wanted;
    for (const Walker::Over& over : walker.over) {
      const double before = over.begin_s - walker.s;
      if (before > 0 && before < 0.8 + walker.speed * 0.8) {
        if (!MayCross(walker, over, time_s)) walker.target = 0;
      }
      const bool on_road = walker.s >= over.begin_s && walker.s <= over.end_s;
      if (on_road) walker.target = std::max(walker.wanted, 1.2);
      if (!on_road && !(before > 0 && before < 1.2)) continue;
      // A vehicle in the way, now or soon.
      for (const Body& vehicle : vehicles) {
        if (vehicle.kind == ActorKind::kPerson) continue;
        const double dx = vehicle.position.x - walker.body.position.x,
                     dy = vehicle.position.y - walker.body.position.y;
        if (dx * dx + dy * dy > 400) continue;
        for (int k = 0; k < 4; ++k) {
          const double later_s = 0.3 * k;
          const Point2 mine = walker.path.At(walker.s + 0.7 + walker.speed * later_s).point;
          const double moved = vehicle.speed * later_s;
          if (vehicle.Covers({mine.x - vehicle.cos * moved, mine.y - vehicle.sin * moved}, 0.4))
            walker.target = 0;
        }
      }
    }
    double target = walker.target;
    for (const Walker& other : walkers_) {  // nobody walks into somebody's back
      if (other.id == walker.id) continue;
      const double dx = other.body.position.x - walker.body.position.x,
                   dy = other.body.position.y - walker.body.position.y;
      if (dx * dx + dy * dy > 0.8) continue;
      const double ahead = dx * walker.body.cos + dy * walker.body.sin,
                   aside = dy * walker.body.cos - dx * walker.body.sin;
      if (ahead > 0.1 && std::abs(aside) < 0.35 && std::abs(WrapAngle(other.heading - walker.heading)) < 1)
        target = std::min(target, other.speed * 0.9);
    }
    // Two who wait for each other squeeze past in the end.
    const bool blocked = target < 0.2 && walker.target > 0.2;
    walker.blocked_s = blocked ? walker.blocked_s + kLookStep : walker.speed > 0.6 ? 0 : walker.blocked_s;
    if (walker.blocked_s < kSqueeze) walker.target = target;
  }
}

void Walkers::Move(double step_s) {
  for (Walker& walker : walkers_) {
    const double change = std::clamp(walker.target - walker.speed, -2 * kChange * step_s, kChange * step_s);
    walker.speed = std::max(0.0, walker.speed + change);
    walker.s += walker.speed * step_s;
    walker.travelled += walker.speed * step_s;
    const double turn = WrapAngle(walker.path.At(walker.s + 0.3).heading - walker.heading);
    walker.heading = WrapAngle(walker.heading + std::clamp(turn, -kTurn * step_s, kTurn * step_s));
    Place(&walker);
  }
  std::erase_if(walkers_, [](const Walker& walker) { return walker.s > walker.path.length(); });
}

void Walkers::AppendBodies(std::vector<Body>* bodies) const {
  for (const Walker& walker : walkers_) bodies->push_back(walker.body);
}

void Walkers::AppendActors(double ahead_s, std::vector<Actor>* actors) const {
  for (const Walker& walker : walkers_) {
    Actor actor;
    actor.id = walker.id;
    actor.kind = ActorKind::kPerson;
    actor.look = walker.look;
    actor.position = walker.path.At(walker.s + walker.speed * ahead_s).point;
    actor.heading = walker.heading;
    actor.length = kDepth;
    actor.width = walker.width;
    actor.height = walker.height;
    actor.speed = walker.speed;
    actor.travelled = walker.travelled + walker.speed * ahead_s;
    actors->push_back(actor);
  }
}

}  // namespace sightline::simulate
