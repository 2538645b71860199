// A vehicle stands where it should drive, and does not wait: neither behind another that stands or crawls,
// nor at a signal that is not green.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "stages/rules/rule_state.h"

namespace sightline::rules {
namespace {

constexpr double kHeldUp = 10;    // metres to whom it waits behind
constexpr double kCrawls = 2;     // m/s
constexpr double kStandsMin = 1;  // seconds

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
    if (track.stood_s() < kStandsMin) {
      free_since_s_.erase(track.key);
      return std::nullopt;
    }
    // What stood before others came to stand before it does not wait for them. Who stood outside counts from
    // the moment when it is inside.
    if (zone == nullptr || (!open && (waits_ || HeldUp(track)))) {
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
  bool HeldUp(const Track& track) const {
    for (const auto& [key, other] : book().all()) {
      if (key == track.key || !other.facts->vehicle()) continue;
      if (track.grounded && other.grounded ? AheadOnGround(track, other) : AheadInPicture(track, other))
        return true;
    }
    return false;
  }
  // Nearly in line before its front, and standing or crawling.
  static bool AheadOnGround(const Track& track, const Track& other) {
    const Footprint &f = track.footprint, &g = other.footprint;
    if (other.speed - other.speed_deviation > kCrawls && other.stood_s() < kStandsMin) return false;
    const Point d = g.center - f.front();
    const double ahead = Dot(d, f.along), aside = std::abs(Cross(f.along, d));
    const double cosine = std::abs(Dot(f.along, g.along));
    const double half = g.half_length * cosine + g.half_width * (1 - cosine);
    const double half_aside = g.half_width * cosine + g.half_length * (1 - cosine);
    const auto in_line = [&](double way) { return way > 0 && way - half < kHeldUp; };
    if (aside >= f.half_width + half_aside) return false;
    if (in_line(ahead)) return true;
    if (track.heading_known || track.lane_heading) return false;
    // It never moved, so either end may be its front.
    const Point back = g.center - (f.center - f.along * f.half_length);
    return in_line(-Dot(back, f.along));
  }
  static bool AheadInPicture(const Track& track, const Track& other) {
    if (other.speed > 4 * other.scale && other.stood_s() < kStandsMin) return false;
    const double size = std::sqrt(static_cast<double>(std::max(track.box.area(), 1.f)));
    const Point d = other.foot - track.foot;
    if (!track.heading_known) return Length(d) < 2 * size;
    const double ahead = Dot(d, track.footprint.along), aside = std::abs(Cross(track.footprint.along, d));
    return ahead > 0 && ahead < 3 * size && aside < 0.8 * size;
  }

  bool waits_ = false;
  std::map<int64_t, double> free_since_s_;  // when it last had a reason to wait
};

}  // namespace

const Kind& StoppedVehicleKind() {
  static const Kind kind{{.name = "stopped_vehicle", .after_s = 5, .gap_s = 0.3, .clear_s = 1},
                         [](std::shared_ptr<const RuleFacts> facts) -> std::unique_ptr<RuleState> {
                           return std::make_unique<StoppedVehicle>(std::move(facts));
                         },
                         false,
                         true};
  return kind;
}

}  // namespace sightline::rules
