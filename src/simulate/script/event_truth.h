// Finds what really happened, from the true motion alone: scripted or by chance. The definitions are written
// down in docs/simulator.md and are those that the rules of a pipeline are measured against.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "simulate/script/scenario.h"

namespace sightline::simulate {

struct TrueEvent {
  EventKind kind = EventKind::kNearMiss;
  double begin_s = 0, end_s = 0;  // end of a lasting state, or of the clip
  double time_s = 0;              // its height: least TTC, line crossed, definition first fulfilled
  std::vector<int64_t> actors;
  Point2 place;                                                           // metres, at time_s
  std::optional<double> time_to_collision_s, post_encroachment_s, speed;  // speed in m/s
};

// Pure state: scenes in rising time go in, events come out when they are over or the clip ends.
class EventObserver {
 public:
  explicit EventObserver(const Layout* layout);  // outlives it
  ~EventObserver();
  void Observe(const Scene& scene);
  std::vector<TrueEvent> Finish();  // by rising begin_s

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sightline::simulate
