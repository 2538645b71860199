// A vehicle stands where it should drive, and does not wait: neither behind another that stands or crawls,
// nor at a signal that is not green.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "stages/rules/motion/waiting.h"
#include "stages/rules/rule_state.h"

namespace sightline::rules {
namespace {

class StoppedVehicle final : public TrackJudge {
 public:
  using TrackJudge::TrackJudge;
  void OnTopic(const TopicValue& value) override {
    if (value.topic != rule().config.topic) return;
    const std::string shown = Lower(Trim(value.value));
    waits_ = shown == "red" || shown == "amber" || shown == "yellow";
  }

 protected:
  bool About(const Track& track) const override { return track.facts->vehicle(); }
  std::optional<Finding> Judge(const Track& track, const Moment&, bool open) override {
    const auto* zone = rule().ZoneAt(track.place);
    if (track.stood_s() < kStandsMin_s) {
      free_since_s_.erase(track.key);
      return std::nullopt;
    }
    // What stood before others came to stand before it does not wait for them. Who stood outside counts from
    // the moment when it is inside.
    if (zone == nullptr || (!open && (waits_ || HeldUp(track, book())))) {
      free_since_s_[track.key] = track.last_s;
      return std::nullopt;
    }
    Finding finding;
    finding.zone = zone->name;
    finding.since_s = track.standing_since_s;
    if (const auto free = free_since_s_.find(track.key); free != free_since_s_.end())
      finding.since_s = std::max(*finding.since_s, free->second);
    finding.values.push_back({"stood_s", track.stood_s(), std::nullopt});
    return finding;
  }
  void Forget(int64_t key) override { free_since_s_.erase(key); }
  void Clear() override { free_since_s_.clear(); }

 private:
  bool waits_ = false;
  std::map<int64_t, double> free_since_s_;  // when it last had a reason to wait
};

}  // namespace

const Kind& StoppedVehicleKind() {
  static const Kind kind{
      {.name = "stopped_vehicle", .after_s = 5, .gap_s = 0.3, .clear_s = 1, .min_confidence = 0.45},
      [](std::shared_ptr<const RuleFacts> facts) -> std::unique_ptr<RuleState> {
        return std::make_unique<StoppedVehicle>(std::move(facts));
      },
      false,
      true};
  return kind;
}

}  // namespace sightline::rules
