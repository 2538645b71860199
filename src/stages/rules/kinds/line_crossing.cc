// Something crosses a line. Its foot point must get clear of the line on the other side before it counts, so
// that what stands on it and trembles crosses once or not at all.
#include <algorithm>

#include "stages/rules/rule_state.h"

namespace sightline::rules {
namespace {

class LineCrossing final : public StateBase {
 public:
  using StateBase::StateBase;

 protected:
  void Look(const Moment& moment, std::vector<Event>* events) override {
    const Point from = rule().line->from, to = rule().line->to;
    const double length = std::max(Length(to - from), 1e-9);
    for (const Track* track : book().present()) {
      if (!Counts(*track, true)) continue;
      // Positive: to the right, seen along the line, with y down.
      const double beyond = Cross(to - from, track->foot - from) / length;
      const double margin = std::max(2.0, 0.05 * static_cast<double>(track->box.height()));
      if (std::abs(beyond) < margin) continue;
      Seen& seen = seen_[track->key];
      const Seen before = seen;
      seen = {track->foot, moment.time_s, beyond > 0 ? 1 : -1};
      if (before.side == 0 || before.side == seen.side) continue;
      const auto at = Crossing(before.foot, track->foot, from, to);
      if (!at) continue;  // round one of its ends
      const bool forward = seen.side > 0;
      if ((rule().config.direction == "forward" && !forward) ||
          (rule().config.direction == "backward" && forward))
        continue;
      Finding finding;
      finding.zone = rule().line->name;
      const double forwards = forward_ + (forward ? 1 : 0), backwards = backward_ + (forward ? 0 : 1);
      finding.values = {{"forward", forwards, std::nullopt}, {"backward", backwards, std::nullopt}};
      const double time_s = before.time_s + (moment.time_s - before.time_s) * *at;
      if (Emit(moment, {track}, time_s, std::move(finding), forward ? "forward" : "backward", events))
        forward_ = forwards, backward_ = backwards;
    }
  }
  void Forget(int64_t key) override { seen_.erase(key); }
  void Clear() override { seen_.clear(); }  // counts go on

 private:
  struct Seen {
    Point foot;
    double time_s = 0;
    int side = 0;
  };
  std::map<int64_t, Seen> seen_;  // where each was clear of the line last
  double forward_ = 0, backward_ = 0;
};

}  // namespace

const Kind& LineCrossingKind() {
  static const Kind kind{{.name = "line_crossing"},
                         [](std::shared_ptr<const RuleFacts> facts) -> std::unique_ptr<RuleState> {
                           return std::make_unique<LineCrossing>(std::move(facts));
                         },
                         false,
                         false,
                         true};
  return kind;
}

}  // namespace sightline::rules
