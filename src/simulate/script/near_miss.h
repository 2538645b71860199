// Finds pairs that nearly collide. The definition is in docs/simulator.md.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "simulate/script/event_truth.h"
#include "simulate/script/footprint.h"
#include "simulate/script/street_facts.h"

namespace sightline::simulate {

class NearMisses {
 public:
  explicit NearMisses(const StreetFacts* facts) : facts_(*facts) {}
  // Footprints as scene.actors. Finished events are added to `events`.
  void Observe(const Scene& scene, const std::vector<Footprint>& footprints, std::vector<TrueEvent>* events);
  void Finish(std::vector<TrueEvent>* events);

 private:
  struct Encounter {
    double begin_s = 0, last_s = 0;
    int in_a_row = 0;  // observations on a collision course
    bool counts = false;
    std::optional<double> time_to_collision_s, post_encroachment_s;
    double least_s = 0, passed_s = 0;  // when
    Point2 least_place, passed_place;
    std::vector<int64_t> actors;
  };
  struct Past {
    double time_s;
    Footprint footprint;
  };
  using Pair = std::pair<int64_t, int64_t>;

  std::optional<double> TimeToCollision(const Actor& a, const Actor& b, const Footprint& fa,
                                        const Footprint& fb, Point2* place) const;
  std::optional<double> PostEncroachment(const Actor& a, const Actor& b, const Footprint& fb,
                                         double time_s) const;
  void Emit(const Encounter& encounter, std::vector<TrueEvent>* events) const;

  const StreetFacts& facts_;
  std::map<Pair, Encounter> encounters_;
  std::map<int64_t, std::vector<Past>> past_;
  double before_s_ = 0;
};

}  // namespace sightline::simulate
