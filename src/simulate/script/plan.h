// How scripted events may be carried out in a street: who moves where, and which room is kept free.
#pragma once

#include <string>
#include <vector>

#include "simulate/script/scenario.h"
#include "simulate/script/street_facts.h"

namespace sightline::simulate {

struct Plan {
  std::vector<ActorOrder> orders;
  struct Hold {
    Polygon area;
    double begin_s, end_s;
    bool lane = false;  // of those who queue: the earlier it begins, the surer it is empty in the end
  };
  std::vector<Hold> holds;
  double at_s = 0;  // when it begins or is at its height: near the time that was asked for
  double cost = 0;  // lower is tried first: metres from the camera, mostly
};

// A motion along a path, put together from stretches of constant acceleration.
class Motion {
 public:
  explicit Motion(double speed) : speed_(speed) { Mark(); }
  Motion& Cruise(double metres);                         // at the speed there is
  Motion& Change(double to_speed, double acceleration);  // acceleration > 0: its size
  Motion& Stand(double seconds);
  double time() const { return time_; }
  double s() const { return s_; }
  // As an order along `path`, where the motion's time `at` is the clip's `time_s` and its s `from` the path's
  // `station`.
  ActorOrder Order(ActorKind kind, uint32_t look, const Path& path, double at, double time_s, double from,
                   double station) const;

 private:
  void Mark();
  double time_ = 0, s_ = 0, speed_;
  std::vector<double> times_, stations_;
};

// All ways that this street has for the event, best first; none where there is no place for it.
std::vector<Plan> PlansFor(const ScriptedEvent& event, const StreetFacts& facts, Random* random);
std::vector<Plan> NearMissPlans(const ScriptedEvent& event, const StreetFacts& facts, Random* random);

// --- What plans are made of
Polygon Strip(const Path& path, double begin_s, double end_s, double half_width);
double LengthOf(ActorKind kind);
double WidthOf(ActorKind kind);
// A way on foot over the road through `point`, at right angles to `heading`, from far away and off to far
// away; with the stations of both kerbs and of the point. None where bays are in the way or there is no
// pavement.
struct WayOver {
  Path path;
  double kerb_s = 0, point_s = 0, other_kerb_s = 0;
};
std::optional<WayOver> FindWayOver(const StreetFacts& facts, const Point2& point, double heading,
                                   bool from_left);
// The time nearest to `at_s` for which `good` holds, at most `shift_s` away and not before 1 s.
template <typename Good>
std::optional<double> TimeNear(double at_s, double shift_s, Good good) {
  constexpr double kStep = 0.25;
  for (double shift = 0; shift <= shift_s; shift += kStep) {
    if (good(at_s + shift)) return at_s + shift;
    if (at_s - shift >= 1 && good(at_s - shift)) return at_s - shift;
  }
  return std::nullopt;
}
// Keeps the lane before the stop line empty for one that comes along it at `speed` and is at `at_s` metres at
// `time_s`: nobody comes in any more since so long before that a queue had green light enough to get away.
void HoldLane(const StreetFacts& facts, const Route& route, double at_s, double time_s, double speed,
              Plan* plan);
// Keeps crosswalks, intersection and the route's way out free for one that passes the stop line at `time_s`.
void HoldOver(const StreetFacts& facts, const Route& route, double time_s, double speed, Plan* plan);
// The same with lanes closed much earlier.
Plan Earlier(const Plan& plan);
// Seconds from a plan's time until its event shows by the definitions.
double ShowsAfter(EventKind kind);
// When a plan begins to matter to others, and when it is over.
double BeginOf(const Plan& plan);  // before 0: while the traffic warms up
double EndOf(const ScriptedEvent& event, const Plan& plan);
// Lets vehicles begin and end just out of view: what is farther off only gets into others' way.
void TrimToView(const StreetFacts& facts, Plan* plan);
double ViewCost(const StreetFacts& facts, const Point2& point);

}  // namespace sightline::simulate
