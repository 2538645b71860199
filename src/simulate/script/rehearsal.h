// Traffic with the plans that were chosen so far, in which others are tried out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "simulate/script/plan.h"
#include "simulate/street/traffic.h"

namespace sightline::simulate {

// What came of a plan.
enum class Outcome { kGood, kRunsInto, kNotSeen };

class Rehearsal {
 public:
  // `traffic` has not moved yet; what happens after `end_s` counts for nothing.
  Rehearsal(const Layout* layout, const Traffic& traffic, double end_s);  // layout outlives it

  // Plays the plan among all that were accepted: good when the event that was asked for is observed and no
  // scripted actor in view touches anybody.
  Outcome Try(const ScriptedEvent& event, const Plan& plan);
  void Accept(const Plan& plan);
  // No more plans that begin before `time_s` will be tried or accepted.
  void Forget(double time_s);

 private:
  struct Snapshot {
    double time_s;
    std::unique_ptr<Traffic> traffic;
    std::vector<int64_t> actors;
  };
  const Layout& layout_;
  const StreetFacts facts_;
  const double end_s_;
  std::vector<Snapshot> snapshots_;  // rising
};

// Gives a plan's orders; returns their ids.
std::vector<int64_t> GivePlan(const Plan& plan, Traffic* traffic);
// Plays `plans` together from the start on, one an event (null: none), and says what came of each.
std::vector<Outcome> PlayAll(const std::vector<ScriptedEvent>& events, const std::vector<const Plan*>& plans,
                             const Layout& layout, const Traffic& traffic, double end_s);

}  // namespace sightline::simulate
