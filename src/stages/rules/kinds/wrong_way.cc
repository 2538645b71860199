// A vehicle goes against a zone's heading: by more than 120 degrees, in no zone that it follows.
#include <algorithm>
#include <cmath>

#include "stages/rules/rule_state.h"

namespace sightline::rules {
namespace {

constexpr double kAgainst = -0.5, kWith = 0.5;  // cosines of 120 and 60 degrees
constexpr double kSpeed = 1.5;                  // m/s
constexpr double kDistance = 2;                 // metres, or four of Track::scale in the picture

class WrongWay final : public TrackJudge {
 public:
  explicit WrongWay(std::shared_ptr<const RuleFacts> facts) : TrackJudge(std::move(facts)) {
    for (const auto* zone : rule().zones) {
      const double angle = zone->heading_deg.value_or(0) * M_PI / 180;
      headings_.push_back({std::cos(angle), std::sin(angle)});
    }
  }

 protected:
  bool About(const Track& track) const override { return track.facts->vehicle(); }
  std::optional<Finding> Judge(const Track& track, const Moment& moment, bool open) override {
    const double fast = (track.grounded ? kSpeed : 2 * track.scale) * (open ? 0.5 : 1);
    const Point way = track.velocity();
    const double speed = track.speed;
    const size_t against = speed - track.speed_deviation * 0.5 > fast && !rule().Excepted(track.place)
                               ? Against(track, way * (1 / speed))
                               : rule().zones.size();
    if (against == rule().zones.size()) {
      if (!open) from_.erase(track.key);
      return std::nullopt;
    }
    const Start& from =
        from_.try_emplace(track.key, Start{{track.x.value, track.y.value}, moment.time_s}).first->second;
    const Point gone = Point{track.x.value, track.y.value} - from.at;
    const double distance = -Dot(gone, headings_[against]);
    const double need = (track.grounded ? kDistance : 4 * track.scale) + track.deviation;
    Finding finding;
    finding.zone = rule().zones[against]->name;
    finding.since_s = from.time_s;
    finding.values.push_back({"distance_m", distance, track.deviation});
    if (track.grounded) {
      finding.values.push_back({"speed_kmh", speed * 3.6, track.speed_deviation * 3.6});
    } else {
      finding.values.clear();
    }
    if (!open && distance < need) return std::nullopt;
    finding.sureness =
        0.5 + 0.5 * std::erf((speed - 0.5 * fast) / (1.5 * std::max(track.speed_deviation, 1e-3)));
    return finding;
  }
  void Forget(int64_t key) override { from_.erase(key); }
  void Clear() override { from_.clear(); }

 private:
  struct Start {
    Point at;
    double time_s;
  };
  // The zone that it opposes; none (their number) where it follows another.
  size_t Against(const Track& track, const Point& way) const {
    size_t against = rule().zones.size();
    for (size_t i = 0; i < rule().zones.size(); ++i) {
      if (!Inside(rule().zones[i]->polygon, track.place)) continue;
      const double cosine = Dot(headings_[i], way);
      if (cosine > kWith) return rule().zones.size();
      if (cosine < kAgainst) against = i;
    }
    return against;
  }

  std::vector<Point> headings_;
  std::map<int64_t, Start> from_;
};

}  // namespace

const Kind& WrongWayKind() {
  static const Kind kind{
      {.name = "wrong_way", .after_s = 1.5, .gap_s = 0.5, .clear_s = 1, .min_confidence = 0.3},
      [](std::shared_ptr<const RuleFacts> facts) -> std::unique_ptr<RuleState> {
        return std::make_unique<WrongWay>(std::move(facts));
      },
      false,
      true};
  return kind;
}

}  // namespace sightline::rules
