// Two come close to a collision. Either they are on a collision course: time to collision, if both went on as
// they do, is below a limit, and gentle braking would not solve it. Or their ways cross and the one comes to
// a place shortly after the other left it: post-encroachment time. Both over ground, between footprints.
#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <map>

#include "stages/rules/motion/riding.h"
#include "stages/rules/rule_state.h"

namespace sightline::rules {
namespace {

constexpr double kTime_s = 1.5;           // of both measures, where the configuration names neither
constexpr double kMoves = 0.5;            // m/s: slower is standing
constexpr double kPasses = 3.0;           // m/s: the least of a vehicle that passes behind or before another
constexpr double kBrakingNeeded = 3.0;    // m/s2: what gentle braking would solve is no near miss
constexpr double kAlmost = 0.5;           // of what makes a collision course: looks before and after one
constexpr double kLasts_s = 0.2;          // a course is held for so long, and at two looks or more
constexpr double kCrossingSine = 0.5;     // ways cross at 30 degrees and more
constexpr double kHistory_s = 0.5;        // kept beyond the limit
constexpr double kSettled_s = 0.5;        // at the picture's edge, or off it, for so long
constexpr double kMargin_m = 0.2;         // about footprints: they are measured, not known
constexpr double kDeviationMax_m = 1.5;   // of a place: who is measured worse is too far away
constexpr double kKerb = 0.6;             // deviations off the kerb
constexpr double kDeep = 0.6;             // deviations: so much is a hit, and not a way past
constexpr double kErrorMax = 0.27;        // of the limit: what is measured worse says nothing
constexpr double kPassingErrorMax = 0.4;  // the same of passing, whose time two looks each say
constexpr double kEpsilon = 1e-6;
constexpr double kFine_s = 0.05;    // so finely ways are drawn between looks
constexpr double kBridged_s = 1.0;  // that lie no farther apart
constexpr double kBetween = 0.15;   // of the time between looks: how wrong a moment in it is
constexpr int kLooksMin = 4;        // before that, speeds are guesses
constexpr size_t kHistoryMax = 512, kEncountersMax = 4096;

bool OnFoot(const Track& track) { return track.facts->being == Being::kPerson; }

// How far two would run into each other, seen along their relative motion: less than 0 where they pass.
double Depth(const Footprint& a, const Footprint& b) {
  const Point d = b.center - a.center, v = b.velocity - a.velocity, way = v * (1 / Length(v));
  const auto reach = [&](const Footprint& f) {
    return f.half_length * std::abs(Cross(f.along, way)) + f.half_width * std::abs(Dot(f.along, way));
  };
  return reach(a) + reach(b) - std::abs(Cross(way, d));
}

class NearMiss final : public StateBase {
 public:
  explicit NearMiss(std::shared_ptr<const RuleFacts> facts) : StateBase(std::move(facts)) {
    const RuleConfig& c = rule().config;
    const bool neither = c.time_to_collision_s <= 0 && c.post_encroachment_s <= 0;
    collision_s_ = neither ? kTime_s : c.time_to_collision_s;
    passing_s_ = neither ? kTime_s : c.post_encroachment_s;
  }

 protected:
  void Look(const Moment& moment, std::vector<Event>* events) override {
    for (auto& [pair, encounter] : encounters_) encounter.seen = false;
    std::vector<const Track*> who;
    for (const Track* track : book().present())
      if (Takes(*track)) who.push_back(track);
    for (const Track* track : who) Remember(moment, *track);
    for (size_t i = 0; i < who.size(); ++i)
      for (size_t j = i + 1; j < who.size(); ++j) Meet(moment, *who[i], *who[j], events);
    MeetGone(moment, who, events);
    for (auto& [pair, encounter] : encounters_) {
      if (encounter.seen) continue;
      encounter.in_a_row = 0;
      State(moment, encounter.key, nullptr, std::nullopt, events);
      // The next encounter of the two is another one.
      if (moment.time_s - encounter.last_s > rule().clear_s) encounter = Encounter{encounter.key};
    }
  }
  void Forget(int64_t key) override {
    past_.erase(key);
    for (auto it = encounters_.begin(); it != encounters_.end();)
      it = it->first.first == key || it->first.second == key ? encounters_.erase(it) : std::next(it);
  }
  void Clear() override {
    past_.clear();
    encounters_.clear();
  }

 private:
  struct Measure {
    double time_s = 0, error_s = 0;
    Point place;
    bool almost = false;  // a collision course, but for a little
  };
  struct Encounter {
    int64_t key = 0;  // below 0
    bool seen = false;
    double begin_s = -1, last_s = -1e9;
    double course_s = 0;  // on a collision course, or almost, since then
    int in_a_row = 0;     // looks at it
    bool sure = false;    // at one of them not only almost
    bool counts = false;
    std::optional<Measure> collision = std::nullopt, passing = std::nullopt;
  };
  struct Past {
    double time_s;
    Footprint footprint;
    bool heads;     // its heading was known
    bool look;      // else: between two
    double step_s;  // from look to look
  };

  bool Takes(const Track& track) const {
    if (!Counts(track, OnFoot(track) || track.facts->vehicle())) return false;
    return track.grounded && track.looks >= kLooksMin && !RidesAny(track, book().present());
  }
  // Its motion is known: what grows out of the picture's edge seems to jump as it comes off it.
  static bool Settled(const Track& track) {
    return track.deviation <= kDeviationMax_m && Heads(track) &&
           track.last_s - track.edge_changed_s >= kSettled_s && track.last_s - track.odd_s >= kSettled_s;
  }
  // Where it heads is known, not guessed from its box: else ways seem to cross that do not.
  static bool Heads(const Track& track) { return track.heading_known || track.lane_heading || OnFoot(track); }
  bool OnRoad(const Point& ground) const {
    return rule().ZoneAt(rule().view->ground().ToPixel(ground)) != nullptr;
  }

  // People count while they are on the road, by about as much as their place may be off: many stand at the
  // kerb.
  bool MayBeMet(const Track& track) const {
    if (!OnFoot(track)) return true;
    const double off = kKerb * track.deviation;
    for (const Point& way : {Point{off, 0}, Point{-off, 0}, Point{0, off}, Point{0, -off}})
      if (!OnRoad(track.footprint.center + way)) return false;
    return true;
  }

  std::optional<Measure> Collision(const Track& a, const Track& b) const {
    Footprint fa = a.footprint, fb = b.footprint;
    for (Footprint* f : {&fa, &fb}) f->half_length += kMargin_m, f->half_width += kMargin_m;
    if (a.speed <= kMoves || b.speed <= kMoves || !Settled(a) || !Settled(b)) return std::nullopt;
    const Point d = fb.center - fa.center, v = fb.velocity - fa.velocity;
    const double speed = Length(v), reach = fa.radius() + fb.radius() + collision_s_ * speed;
    if (Dot(d, d) > reach * reach || Dot(d, v) >= 0) return std::nullopt;
    const auto time = TimeToTouch(fa, fb);
    if (!time || *time <= 0 || *time >= collision_s_) return std::nullopt;
    const double braking = speed / (2 * *time);
    if (braking < kAlmost * kBrakingNeeded) return std::nullopt;
    const Point place = (fa.center + fb.center + (fa.velocity + fb.velocity) * *time) * 0.5;
    if (!OnRoad(place) || !MayBeMet(a) || !MayBeMet(b)) return std::nullopt;
    // Of where they will be to each other by then: along their relative motion it makes the time wrong,
    // across it decides whether they meet at all.
    const double off =
        std::hypot(a.deviation, b.deviation, *time * std::hypot(a.speed_deviation, b.speed_deviation));
    const double error = off / std::max(speed, 0.5);
    const double depth = Depth(fa, fb);
    if (error > kErrorMax * collision_s_ || depth < kAlmost * kDeep * off) return std::nullopt;
    return Measure{*time, error, place, braking < kBrakingNeeded || depth < kDeep * off};
  }

  // b comes to a place that a left: the first of those on b's way since the look before.
  std::optional<Measure> Passing(const Moment& moment, const Track& a, const Track& b) const {
    const auto left = past_.find(a.key), came = past_.find(b.key);
    if (passing_s_ <= 0 || left == past_.end() || came == past_.end() || !Heads(b) ||
        b.speed < (OnFoot(b) ? kMoves : kPasses))
      return std::nullopt;
    const std::deque<Past>& way = came->second;
    size_t first = way.size() - 1;
    while (first > 0 && !way[first - 1].look) --first;
    for (size_t j = first; j < way.size(); ++j)
      if (const auto measure = PassingAt(moment, a, left->second, b, way, j)) return measure;
    return std::nullopt;
  }
  std::optional<Measure> PassingAt(const Moment& moment, const Track& a, const std::deque<Past>& past,
                                   const Track& b, const std::deque<Past>& way, size_t j) const {
    Footprint fb = way[j].footprint;
    fb.half_length += kMargin_m / 2, fb.half_width += kMargin_m / 2;
    for (size_t i = past.size(); i-- > 0;) {
      const Footprint& fa = past[i].footprint;
      if (past[i].time_s > way[j].time_s + kEpsilon) continue;
      if (moment.time_s - past[i].time_s > passing_s_ + kHistory_s) break;
      if (Length(fa.center - fb.center) > fa.radius() + fb.radius() || !Overlap(fa, fb)) continue;
      if (past[i].time_s > way[j].time_s - kEpsilon) return std::nullopt;  // they touch
      const double sine = std::abs(rules::Cross(fa.along, fb.along));
      if (!past[i].heads || sine < kCrossingSine || Length(fa.velocity) < (OnFoot(a) ? kMoves : kPasses))
        return std::nullopt;
      if (!OnRoad(fb.center) || (OnFoot(a) && !OnRoad(fa.center))) return std::nullopt;
      if (!a.present && i + 1 == past.size()) return std::nullopt;  // nobody saw it leave
      // It left between this place and the next, the other came between its place before and this.
      const double next_s = i + 1 < past.size() ? past[i + 1].time_s : moment.time_s;
      const double left_s = (past[i].time_s + next_s) / 2;
      const double before_s = j > 0 ? way[j - 1].time_s : way[j].time_s;
      const double time_s = std::max(0.0, (before_s + way[j].time_s) / 2 - left_s);
      if (time_s >= passing_s_) return std::nullopt;
      const double looks =
          std::hypot(past[std::min(i + 1, past.size() - 1)].step_s, way[j].step_s) * kBetween;
      const double error = std::hypot(a.deviation / std::max(Length(fa.velocity), 0.5),
                                      b.deviation / std::max(b.speed, 0.5), looks);
      if (error > kPassingErrorMax * passing_s_) return std::nullopt;
      return Measure{time_s, error, fb.center};
    }
    return std::nullopt;
  }

  void Meet(const Moment& moment, const Track& a, const Track& b, std::vector<Event>* events) {
    if (OnFoot(a) && OnFoot(b)) return;
    const double far = a.footprint.radius() + b.footprint.radius() + 1 +
                       (std::max(collision_s_, passing_s_) + 0.2) * (a.speed + b.speed);
    const Point d = b.footprint.center - a.footprint.center;
    if (Dot(d, d) > far * far) return;
    const auto collision = Collision(a, b);
    auto passing = Passing(moment, a, b);
    if (const auto other = Passing(moment, b, a); other && (!passing || other->time_s < passing->time_s))
      passing = other;
    if (!collision && !passing) return;
    Tell(moment, a, b, collision, passing, events);
  }
  // b comes where a was that has left the picture since.
  void MeetGone(const Moment& moment, const std::vector<const Track*>& who, std::vector<Event>* events) {
    for (const auto& [key, past] : past_) {
      const Track* gone = book().Find(key);
      if (gone == nullptr || gone->present || past.empty()) continue;
      for (const Track* track : who) {
        if (OnFoot(*gone) && OnFoot(*track)) continue;
        if (const auto passing = Passing(moment, *gone, *track))
          Tell(moment, *gone, *track, std::nullopt, passing, events);
      }
    }
  }
  void Tell(const Moment& moment, const Track& a, const Track& b, const std::optional<Measure>& collision,
            const std::optional<Measure>& passing, std::vector<Event>* events) {
    const auto pair = std::minmax(a.key, b.key);
    auto known = encounters_.find(pair);
    if (known == encounters_.end()) {
      if (encounters_.size() >= kEncountersMax) return;
      known = encounters_.emplace(pair, Encounter{--last_key_}).first;
    }
    Encounter& e = known->second;
    e.seen = true;
    if (!collision) {
      e.in_a_row = 0;
    } else if (++e.in_a_row == 1) {
      e.course_s = moment.time_s;
      e.sure = false;
    }
    const bool on_course = collision && !collision->almost, now = on_course || passing, counted = e.counts;
    if (now && e.begin_s < 0) e.begin_s = moment.time_s;
    if (now) e.last_s = moment.time_s;
    e.sure = e.sure || on_course;
    const bool held = e.in_a_row >= 2 && moment.time_s - e.course_s >= kLasts_s - kEpsilon;
    e.counts = e.counts || (held && e.sure) || passing;
    if (on_course && (!e.collision || collision->time_s < e.collision->time_s)) e.collision = collision;
    if (passing && (!e.passing || passing->time_s < e.passing->time_s)) e.passing = passing;
    if (!e.counts || (counted && !now)) return;
    // The vehicle comes first; of two always the same one.
    const bool second = OnFoot(a) == OnFoot(b) ? b.key < a.key : OnFoot(a);
    State(moment, e.key, second ? &b : &a, Found(e, second ? a : b), events);
  }
  Finding Found(const Encounter& e, const Track& other) const {
    Finding finding;
    finding.since_s = e.begin_s;
    finding.others.push_back(other.key);
    const Measure& worst = e.collision ? *e.collision : *e.passing;
    if (const auto* zone = rule().ZoneAt(rule().view->ground().ToPixel(worst.place)))
      finding.zone = zone->name;
    double sure = 0;
    const auto tell = [&](std::string_view name, const std::optional<Measure>& measure, double limit) {
      if (!measure) return;
      finding.values.push_back({std::string(name), measure->time_s, measure->error_s});
      sure = std::max(sure, 0.5 + 0.5 * std::erf((limit - measure->time_s) /
                                                 (std::sqrt(2.0) * std::max(measure->error_s, 1e-3))));
    };
    tell("time_to_collision_s", e.collision, collision_s_);
    tell("post_encroachment_s", e.passing, passing_s_);
    finding.sureness = sure * Confidence(other);
    return finding;
  }
  // Where it was at this look, and where it must have been since the look before: at few looks a second what
  // is small and fast goes several of its lengths from one to the next.
  void Remember(const Moment& moment, const Track& track) {
    std::deque<Past>& past = past_[track.key];
    const Past now{moment.time_s, track.footprint, Heads(track), true, 0};
    const double step_s = past.empty() ? 0 : now.time_s - past.back().time_s;
    if (!past.empty() && step_s <= kBridged_s) {
      const Past before = past.back();
      const int parts = static_cast<int>(std::ceil(step_s / kFine_s - kEpsilon));
      for (int i = 1; i < parts; ++i) past.push_back(Between(before, now, static_cast<double>(i) / parts));
    }
    past.push_back(now);
    for (size_t i = past.size(); i-- > 0 && past[i].time_s > now.time_s - step_s;) past[i].step_s = step_s;
    while (past.size() > kHistoryMax || moment.time_s - past.front().time_s > passing_s_ + kHistory_s)
      past.pop_front();
  }
  static Past Between(const Past& a, const Past& b, double share) {
    const auto mix = [&](double x, double y) { return std::lerp(x, y, share); };
    const auto mix_points = [&](const Point& x, const Point& y) { return x + (y - x) * share; };
    Footprint f = b.footprint;
    const Footprint& e = a.footprint;
    f.center = mix_points(e.center, f.center);
    f.velocity = mix_points(e.velocity, f.velocity);
    f.half_length = mix(e.half_length, f.half_length);
    f.half_width = mix(e.half_width, f.half_width);
    const Point along = mix_points(e.along, f.along);
    if (Length(along) > 0.1) f.along = along * (1 / Length(along));
    return {mix(a.time_s, b.time_s), f, a.heads && b.heads, false, 0};
  }

  double collision_s_ = 0, passing_s_ = 0;
  std::map<std::pair<int64_t, int64_t>, Encounter> encounters_;
  std::map<int64_t, std::deque<Past>> past_;
  int64_t last_key_ = 0;
};

}  // namespace

const Kind& NearMissKind() {
  static const Kind kind{{.name = "near_miss", .after_s = 0, .gap_s = 2, .clear_s = 2, .min_confidence = 0.3},
                         [](std::shared_ptr<const RuleFacts> facts) -> std::unique_ptr<RuleState> {
                           return std::make_unique<NearMiss>(std::move(facts));
                         },
                         true};
  return kind;
}

}  // namespace sightline::rules
