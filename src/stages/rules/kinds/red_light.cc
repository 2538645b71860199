// A vehicle crosses its line while the signal is red, and goes on: with its front on the ground where the
// camera is calibrated, else with the foot point of its box.
#include <algorithm>
#include <cmath>
#include <map>

#include "stages/rules/motion/lamp.h"
#include "stages/rules/rule_state.h"

namespace sightline::rules {
namespace {

constexpr double kRed_s = 0.5;     // red for so long before it counts
constexpr double kBeyond_m = 1;    // goes on for so far
constexpr double kSure = 2;        // deviations of its speed
constexpr double kBeyond_s = 4;    // within so long
constexpr double kAside_m = 0.3;   // past the line's ends
constexpr double kStale_s = 3;     // an answer of the lamps is good for so long
constexpr double kStraight = 0.5;  // least cosine of its way to the line's normal
constexpr double kStepMax_m = 60;  // a step longer than this is no motion

class RedLight final : public StateBase {
 public:
  explicit RedLight(std::shared_ptr<const RuleFacts> facts) : StateBase(std::move(facts)) {
    if (!rule().view) return;
    const auto from = rule().view->ground().ToGround(rule().line->from),
               to = rule().view->ground().ToGround(rule().line->to);
    if (from && to && Length(*to - *from) > 1e-6) ground_line_ = {*from, *to};
  }
  void OnTopic(const TopicValue& value) override {
    if (!rule().config.topic.empty() && value.topic == rule().config.topic)
      Set(ShownByWord(value.value), now_s_);
  }
  bool needs_pixels() const override { return rule().signal_zone != nullptr; }

 protected:
  void Look(const Moment& moment, std::vector<Event>* events) override {
    SeeLamp(moment);
    for (const Track* track : book().present())
      if (Counts(*track, track->facts->vehicle())) SeeVehicle(moment, *track, events);
    now_s_ = moment.time_s;
  }
  void Forget(int64_t key) override { seen_.erase(key); }
  void Clear() override {
    seen_.clear();
    shown_ = Shown::kUnknown;
    last_looks_ = {Shown::kUnknown, Shown::kUnknown};
  }

 private:
  struct Line {
    Point from, to;
    // Metres or pixels to one side of it, and from its beginning.
    double Beyond(const Point& p) const { return Cross(to - from, p - from) / Length(to - from); }
    double Along(const Point& p) const { return Dot(to - from, p - from) / Length(to - from); }
  };
  struct Seen {
    Point front;
    double beyond = 0, time_s = 0;
    std::optional<double> crossed_s;
    bool forward = true;
  };

  void Set(Shown shown, double now_s) {
    if (shown != shown_) changed_s_ = first_ ? -1e9 : now_s;
    shown_ = shown;
    first_ = false;
  }
  void SeeLamp(const Moment& moment) {
    if (rule().signal_zone == nullptr) return;
    if (moment.frame != nullptr) {
      const Shown shown = ShownByPixels(*moment.frame, moment.picture, rule().signal_zone->polygon);
      if (shown != Shown::kUnknown && shown == last_looks_[1])
        Set(shown, moment.time_s), lamp_s_ = moment.time_s;
      last_looks_ = {last_looks_[1], shown};
    }
    if (moment.time_s - lamp_s_ > kStale_s) shown_ = Shown::kUnknown;
  }
  bool RedAt(double time_s) const { return shown_ == Shown::kRed && time_s - changed_s_ >= kRed_s - 1e-6; }

  void SeeVehicle(const Moment& moment, const Track& track, std::vector<Event>* events) {
    const bool on_ground = ground_line_ && track.grounded;
    if (on_ground && !track.heading_known && !track.lane_heading) return;
    const Line line = on_ground ? *ground_line_ : Line{rule().line->from, rule().line->to};
    // In the picture (y down) right of the line is where the cross product is positive; on the ground it is
    // where the ground's map puts that.
    const double side = on_ground ? GroundSide() : 1;
    const Point front = on_ground ? track.footprint.front() : track.foot;
    const double beyond = side * line.Beyond(front);
    const auto known = seen_.find(track.key);
    if (known == seen_.end()) {
      seen_[track.key] = {front, beyond, moment.time_s, std::nullopt, true};
      return;
    }
    Seen& seen = known->second;
    SeeCrossing(moment, track, line, beyond, front, on_ground, &seen);
    if (seen.crossed_s) {
      // By more than its place may be off, and really moving: a box that trembles at the line runs no light.
      const double far = on_ground ? kBeyond_m + track.deviation
                                   : std::max(2.0, 0.05 * static_cast<double>(track.box.height()));
      const bool moves = track.speed > kSure * track.speed_deviation;
      if ((seen.forward ? beyond : -beyond) >= far && moves) {
        Tell(moment, track, seen, events);
        seen.crossed_s.reset();
      } else if (moment.time_s - *seen.crossed_s > kBeyond_s) {
        seen.crossed_s.reset();
      }
    }
    seen.front = front;
    seen.beyond = beyond;
    seen.time_s = moment.time_s;
  }
  void SeeCrossing(const Moment& moment, const Track& track, const Line& line, double beyond,
                   const Point& front, bool on_ground, Seen* seen) const {
    const bool forward = beyond > 0;
    if ((seen->beyond > 0) == forward || Length(front - seen->front) > kStepMax_m * (on_ground ? 1 : 1e6))
      return;
    if ((rule().config.direction == "forward" && !forward) ||
        (rule().config.direction == "backward" && forward))
      return;
    const double share = seen->beyond / (seen->beyond - beyond);
    const Point at = seen->front + (front - seen->front) * share;
    const double along = line.Along(at), length = Length(line.to - line.from);
    const double slack = on_ground ? kAside_m : 0;
    if (along < -slack || along > length + slack) return;
    if (on_ground) {
      const Point normal = Point{-(line.to.y - line.from.y), line.to.x - line.from.x} * (1 / length);
      if (std::abs(Dot(track.footprint.along, normal)) < kStraight) return;
    }
    const double time_s = seen->time_s + (moment.time_s - seen->time_s) * share;
    if (!RedAt(time_s)) return;
    seen->crossed_s = time_s;
    seen->forward = forward;
  }
  void Tell(const Moment& moment, const Track& track, const Seen& seen, std::vector<Event>* events) {
    Finding finding;
    finding.zone = rule().line->name;
    finding.values.push_back({"red_for_s", std::min(*seen.crossed_s - changed_s_, 1e6), std::nullopt});
    if (changed_s_ < -1e8) finding.values.clear();  // since before we looked
    if (track.grounded)
      finding.values.push_back({"speed_kmh", track.speed * 3.6, track.speed_deviation * 3.6});
    Emit(moment, {&track}, *seen.crossed_s, std::move(finding), seen.forward ? "forward" : "backward",
         events);
  }
  // Whether the picture's right of the line is the ground's, by the sign of the map between them there.
  double GroundSide() const {
    const Point a = rule().line->from, b = rule().line->to, d = b - a;
    const Point middle = (a + b) * 0.5, right = middle + Point{-d.y, d.x} * (1 / std::max(Length(d), 1e-9));
    const auto ground = rule().view->ground().ToGround(right);
    return ground && ground_line_->Beyond(*ground) < 0 ? -1 : 1;
  }

  std::optional<Line> ground_line_;
  Shown shown_ = Shown::kUnknown;
  std::array<Shown, 2> last_looks_{Shown::kUnknown, Shown::kUnknown};
  double changed_s_ = -1e9, now_s_ = 0, lamp_s_ = -1e9;
  bool first_ = true;
  std::map<int64_t, Seen> seen_;
};

}  // namespace

const Kind& RedLightKind() {
  static const Kind kind{{.name = "red_light", .min_confidence = 0.3},
                         [](std::shared_ptr<const RuleFacts> facts) -> std::unique_ptr<RuleState> {
                           return std::make_unique<RedLight>(std::move(facts));
                         },
                         false,
                         false,
                         true};
  return kind;
}

}  // namespace sightline::rules
