// Who is in a zone, one by one: for zone_presence and dwell, which differ in how long that may last.
#pragma once

#include <map>
#include <memory>

#include "stages/rules/rule_state.h"

namespace sightline::rules {

class Presence final : public TrackJudge {
 public:
  using TrackJudge::TrackJudge;
  static std::unique_ptr<RuleState> Make(std::shared_ptr<const RuleFacts> facts) {
    return std::make_unique<Presence>(std::move(facts));
  }

 protected:
  bool About(const Track&) const override { return true; }
  std::optional<Finding> Judge(const Track& track, const Moment& moment, bool) override {
    const auto* zone = rule().ZoneAt(track.place);
    if (zone == nullptr) {
      entered_s_.erase(track.key);
      return std::nullopt;
    }
    const double since_s = entered_s_.try_emplace(track.key, moment.time_s).first->second;
    Finding finding;
    finding.zone = zone->name;
    finding.values.push_back({"dwell_s", moment.time_s - since_s, std::nullopt});
    return finding;
  }
  void Forget(int64_t key) override { entered_s_.erase(key); }
  void Clear() override { entered_s_.clear(); }

 private:
  std::map<int64_t, double> entered_s_;
};

}  // namespace sightline::rules
