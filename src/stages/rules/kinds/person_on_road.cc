// Somebody on foot is on the road, and not on a crosswalk (`except_zones`).
#include "stages/rules/motion/riding.h"
#include "stages/rules/rule_state.h"

namespace sightline::rules {
namespace {

constexpr double kClear = 0.6;  // of its deviation

class PersonOnRoad final : public TrackJudge {
 public:
  using TrackJudge::TrackJudge;

 protected:
  bool About(const Track& track) const override { return track.facts->being == Being::kPerson; }
  std::optional<Finding> Judge(const Track& track, const Moment&, bool open) override {
    const auto* zone = rule().ZoneAt(track.place);
    if (zone == nullptr || (!open && !WellInside(track)) || RidesAny(track, book().present()))
      return std::nullopt;
    Finding finding;
    finding.zone = zone->name;
    if (track.grounded)
      finding.values.push_back({"speed_kmh", track.speed * 3.6, track.speed_deviation * 3.6});
    return finding;
  }

 private:
  // Off the edge by more than the measurement may be off: many stand and walk along the kerb.
  bool WellInside(const Track& track) const {
    if (!track.grounded) return true;
    const double off = kClear * track.deviation;
    for (const Point& way : {Point{off, 0}, Point{-off, 0}, Point{0, off}, Point{0, -off}})
      if (rule().ZoneAt(rule().view->ground().ToPixel(track.footprint.center + way)) == nullptr) return false;
    return true;
  }
};

}  // namespace

const Kind& PersonOnRoadKind() {
  static const Kind kind{
      {.name = "person_on_road", .after_s = 1, .gap_s = 1, .clear_s = 1, .min_confidence = 0.45},
      [](std::shared_ptr<const RuleFacts> facts) -> std::unique_ptr<RuleState> {
        return std::make_unique<PersonOnRoad>(std::move(facts));
      },
      false,
      true};
  return kind;
}

}  // namespace sightline::rules
