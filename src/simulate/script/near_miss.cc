#include "simulate/script/near_miss.h"

#include <algorithm>
#include <cmath>

namespace sightline::simulate {
namespace {

constexpr double kTimeMax = 1.5;        // seconds, of both measures
constexpr double kMoves = 0.5;          // m/s: slower is standing
constexpr double kPasses = 3.0;         // m/s: the least of a vehicle that passes behind or before another
constexpr double kBrakingNeeded = 3.0;  // m/s2: what gentle braking would solve is no near miss
constexpr double kCrossingSine = 0.5;   // ways cross at 30 degrees and more
constexpr double kOver = 2.0;           // seconds without, until an encounter is over
constexpr double kEpsilon = 1e-9;

bool OnFoot(const Actor& actor) { return actor.kind == ActorKind::kPerson; }

}  // namespace

std::optional<double> NearMisses::TimeToCollision(const Actor& a, const Actor& b, const Footprint& fa,
                                                  const Footprint& fb, Point2* place) const {
  const double dx = fb.center.x - fa.center.x, dy = fb.center.y - fa.center.y;
  const double vx = fb.velocity.x - fa.velocity.x, vy = fb.velocity.y - fa.velocity.y;
  const double speed = std::sqrt(vx * vx + vy * vy);
  const double reach = fa.radius + fb.radius + kTimeMax * speed;
  if (dx * dx + dy * dy > reach * reach || dx * vx + dy * vy >= 0) return std::nullopt;
  const auto time = TimeToTouch(fa, fb);
  if (!time || *time <= 0 || *time >= kTimeMax - kEpsilon || speed / (2 * *time) < kBrakingNeeded)
    return std::nullopt;
  *place = {(fa.center.x + fb.center.x + (fa.velocity.x + fb.velocity.x) * *time) / 2,
            (fa.center.y + fb.center.y + (fa.velocity.y + fb.velocity.y) * *time) / 2};
  if (!facts_.OnStreet(*place)) return std::nullopt;
  if ((OnFoot(a) && !facts_.OnStreet(a.position)) || (OnFoot(b) && !facts_.OnStreet(b.position)))
    return std::nullopt;
  return time;
}

// Seconds between a's leaving and b's coming to a place where b is now.
std::optional<double> NearMisses::PostEncroachment(const Actor& a, const Actor& b, const Footprint& fb,
                                                   double time_s) const {
  const auto found = past_.find(a.id);
  if (found == past_.end() || found->second.empty() || b.speed < (OnFoot(b) ? kMoves : kPasses))
    return std::nullopt;
  const std::vector<Past>& past = found->second;
  for (size_t i = past.size(); i-- > 0;) {
    const Footprint& fa = past[i].footprint;
    const double dx = fa.center.x - fb.center.x, dy = fa.center.y - fb.center.y,
                 reach = fa.radius + fb.radius;
    if (dx * dx + dy * dy > reach * reach || !Overlap(fa, fb)) continue;
    if (i + 1 == past.size()) return std::nullopt;  // it has not left yet
    const double speed = std::sqrt(fa.velocity.x * fa.velocity.x + fa.velocity.y * fa.velocity.y);
    const double sine = std::abs(fa.along.x * fb.along.y - fa.along.y * fb.along.x);
    if (sine < kCrossingSine || speed < (OnFoot(a) ? kMoves : kPasses)) return std::nullopt;
    if ((OnFoot(a) && !facts_.OnStreet(fa.center)) || (OnFoot(b) && !facts_.OnStreet(fb.center)))
      return std::nullopt;
    // It left between this look and the next, the other came between the one before and now.
    const double left_s = (past[i].time_s + past[i + 1].time_s) / 2, came_s = (before_s_ + time_s) / 2;
    return std::max(0.0, came_s - left_s);
  }
  return std::nullopt;
}

void NearMisses::Observe(const Scene& scene, const std::vector<Footprint>& footprints,
                         std::vector<TrueEvent>* events) {
  const double now = scene.time_s;
  const size_t count = scene.actors.size();
  for (size_t i = 0; i < count; ++i) {
    const Actor& a = scene.actors[i];
    if (a.parked) continue;
    for (size_t j = i + 1; j < count; ++j) {
      const Actor& b = scene.actors[j];
      if (b.parked || (OnFoot(a) && OnFoot(b))) continue;
      const Footprint &fa = footprints[i], &fb = footprints[j];
      const double dx = fb.center.x - fa.center.x, dy = fb.center.y - fa.center.y;
      const double far = fa.radius + fb.radius + (kTimeMax + 0.2) * (a.speed + b.speed) + 1;
      if (dx * dx + dy * dy > far * far) continue;
      const Pair pair{a.id, b.id};
      Point2 place;
      const auto ttc =
          a.speed > kMoves && b.speed > kMoves ? TimeToCollision(a, b, fa, fb, &place) : std::nullopt;
      auto pet = PostEncroachment(a, b, fb, now);
      Point2 passed = fb.center;
      if (const auto other = PostEncroachment(b, a, fa, now); other && (!pet || *other < *pet))
        pet = other, passed = fa.center;
      if (pet && *pet >= kTimeMax - kEpsilon) pet.reset();
      const auto known = encounters_.find(pair);
      if (!ttc && !pet) {
        if (known != encounters_.end()) known->second.in_a_row = 0;
        continue;
      }
      if (!facts_.InView(ttc ? place : passed)) continue;
      Encounter& encounter = known != encounters_.end() ? known->second : encounters_[pair];
      if (encounter.actors.empty()) {
        encounter.begin_s = now;
        encounter.actors = OnFoot(a) ? std::vector<int64_t>{b.id, a.id} : std::vector<int64_t>{a.id, b.id};
      }
      encounter.last_s = now;
      if (ttc) {
        encounter.counts = encounter.counts || ++encounter.in_a_row >= 2;
        if (!encounter.time_to_collision_s || *ttc < *encounter.time_to_collision_s)
          encounter.time_to_collision_s = ttc, encounter.least_s = now, encounter.least_place = place;
      }
      if (pet) {
        encounter.counts = true;
        if (!encounter.post_encroachment_s || *pet < *encounter.post_encroachment_s)
          encounter.post_encroachment_s = pet, encounter.passed_s = now, encounter.passed_place = passed;
      }
    }
  }
  for (auto it = encounters_.begin(); it != encounters_.end();) {
    if (now - it->second.last_s > kOver) {
      Emit(it->second, events);
      it = encounters_.erase(it);
    } else {
      ++it;
    }
  }
  for (size_t i = 0; i < count; ++i) {
    if (scene.actors[i].parked) continue;
    std::vector<Past>& past = past_[scene.actors[i].id];
    past.push_back({now, footprints[i]});
    size_t old = 0;
    while (now - past[old].time_s > kTimeMax + 0.3) ++old;
    past.erase(past.begin(), past.begin() + static_cast<ptrdiff_t>(old));
  }
  std::erase_if(past_, [now](const auto& entry) { return now - entry.second.back().time_s > 3; });
  before_s_ = now;
}

void NearMisses::Emit(const Encounter& encounter, std::vector<TrueEvent>* events) const {
  if (!encounter.counts) return;
  TrueEvent event;
  event.kind = EventKind::kNearMiss;
  event.begin_s = encounter.begin_s;
  event.end_s = encounter.last_s;
  const bool course = encounter.time_to_collision_s.has_value();
  event.time_s = course ? encounter.least_s : encounter.passed_s;
  event.place = course ? encounter.least_place : encounter.passed_place;
  event.actors = encounter.actors;
  event.time_to_collision_s = encounter.time_to_collision_s;
  event.post_encroachment_s = encounter.post_encroachment_s;
  events->push_back(std::move(event));
}

void NearMisses::Finish(std::vector<TrueEvent>* events) {
  for (const auto& [pair, encounter] : encounters_) Emit(encounter, events);
  encounters_.clear();
  past_.clear();
}

}  // namespace sightline::simulate
