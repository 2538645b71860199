// Faster than the limit, after the measurement's error has been taken off.
#include <algorithm>
#include <cmath>

#include "stages/rules/rule_state.h"

namespace sightline::rules {
namespace {

constexpr double kKmh = 3.6;
constexpr int kLooksMin = 4;

class Speed final : public TrackJudge {
 public:
  using TrackJudge::TrackJudge;

 protected:
  bool About(const Track& track) const override { return track.facts->vehicle(); }
  std::optional<Finding> Judge(const Track& track, const Moment&, bool) override {
    const auto* zone = rule().ZoneAt(track.place);
    if (zone == nullptr || !track.grounded || track.cut || track.looks < kLooksMin) return std::nullopt;
    const double limit = rule().config.speed_kmh, speed = track.speed * kKmh,
                 error = track.speed_deviation * kKmh;
    if (speed - error <= limit) return std::nullopt;
    Finding finding;
    finding.zone = zone->name;
    Best& best = fastest_[track.key];
    if (speed > best.speed) best = {speed, error};
    finding.values = {{"speed_kmh", best.speed, best.error}, {"limit_kmh", limit, std::nullopt}};
    finding.sureness = 0.5 + 0.5 * std::erf((speed - limit) / (std::sqrt(2.0) * std::max(error, 1e-3)));
    return finding;
  }
  void Forget(int64_t key) override { fastest_.erase(key); }
  void Clear() override { fastest_.clear(); }

 private:
  struct Best {
    double speed = 0, error = 0;
  };
  std::map<int64_t, Best> fastest_;
};

}  // namespace

const Kind& SpeedKind() {
  static const Kind kind{{.name = "speed", .after_s = 0.5, .gap_s = 0.3, .clear_s = 1, .min_confidence = 0.3},
                         [](std::shared_ptr<const RuleFacts> facts) -> std::unique_ptr<RuleState> {
                           return std::make_unique<Speed>(std::move(facts));
                         },
                         true};
  return kind;
}

}  // namespace sightline::rules
