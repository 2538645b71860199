// Those that are in the zones at a time: for count, crowd and absence.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stages/rules/rule_state.h"

namespace sightline::rules {

class Gathering : public StateBase {
 public:
  using StateBase::StateBase;

 protected:
  static constexpr size_t kActorsMax = 64;  // named in an event; the count is of all

  virtual bool Wanted(const Track& track) const = 0;
  std::vector<const Track*> Here() const {
    std::vector<const Track*> here;
    for (const Track* track : book().present())
      if (IsHere(*track)) here.push_back(track);
    return here;
  }
  bool IsHere(const Track& track) const {
    return Counts(track, Wanted(track)) && rule().ZoneAt(track.place) != nullptr;
  }
  Finding Found(const std::vector<const Track*>& who) const {
    Finding finding;
    if (!who.empty())
      finding.zone = rule().ZoneAt(who.front()->place)->name;
    else if (!rule().zones.empty())
      finding.zone = rule().zones.front()->name;
    finding.values.push_back({"count", static_cast<double>(who.size()), std::nullopt});
    double sure = 0;
    for (const Track* track : who) {
      if (finding.others.size() < kActorsMax) finding.others.push_back(track->key);
      sure += Confidence(*track) / static_cast<double>(who.size());
    }
    finding.sureness = who.empty() ? 1 : sure;
    return finding;
  }
};

template <typename T>
std::unique_ptr<RuleState> MakeState(std::shared_ptr<const RuleFacts> facts) {
  return std::make_unique<T>(std::move(facts));
}

}  // namespace sightline::rules
