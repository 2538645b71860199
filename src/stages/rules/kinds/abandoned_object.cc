// A thing stands where nobody is with it; a vehicle stands, and somebody got out of it.
#include <algorithm>
#include <set>

#include "stages/rules/motion/waiting.h"
#include "stages/rules/rule_state.h"

namespace sightline::rules {
namespace {

constexpr double kThingRadius = 3, kDoorRadius = 1.5;  // metres
constexpr size_t kPeopleMax = 16;

class AbandonedObject final : public TrackJudge {
 public:
  using TrackJudge::TrackJudge;

 protected:
  bool About(const Track& track) const override {
    return track.facts->being == Being::kThing || track.facts->vehicle();
  }
  void Look(const Moment& moment, std::vector<Event>* events) override {
    if (!first_) SeeWhoAppeared(moment);
    first_ = false;
    TrackJudge::Look(moment, events);
  }
  std::optional<Finding> Judge(const Track& track, const Moment& moment, bool open) override {
    const auto* zone = rule().ZoneAt(track.place);
    if (zone == nullptr || track.stood_s() < kStandsMin_s) {
      got_out_.erase(track.key);
      attended_s_.erase(track.key);
      return std::nullopt;
    }
    Finding finding;
    finding.zone = zone->name;
    finding.since_s = track.standing_since_s;
    if (track.facts->vehicle()) {
      const auto who = got_out_.find(track.key);
      if (who == got_out_.end() || (!open && HeldUp(track, book()))) return std::nullopt;
      finding.others.assign(who->second.begin(), who->second.end());
    } else {
      if (Attended(track)) {
        attended_s_[track.key] = moment.time_s;
        return std::nullopt;
      }
      if (const auto last = attended_s_.find(track.key); last != attended_s_.end())
        finding.since_s = std::max(*finding.since_s, last->second);
    }
    finding.values.push_back({"stood_s", track.stood_s(), std::nullopt});
    return finding;
  }
  void Forget(int64_t key) override {
    got_out_.erase(key);
    attended_s_.erase(key);
  }
  void Clear() override {
    got_out_.clear();
    attended_s_.clear();
    first_ = true;
  }

 private:
  // Metres where both are on the ground, else in half metres as the picture shows them there.
  static double Apart(const Track& thing, const Track& person) {
    if (thing.grounded && person.grounded) return thing.footprint.DistanceTo(person.footprint.center);
    return Length(thing.foot - person.foot) / std::max(person.scale, 1.0) / 2;
  }
  // Somebody who was not there before stands beside a vehicle that stands.
  void SeeWhoAppeared(const Moment& moment) {
    const double radius = rule().config.radius_m > 0 ? rule().config.radius_m : kDoorRadius;
    for (const Track* person : book().present()) {
      if (person->facts->being != Being::kPerson || person->first_s < moment.time_s) continue;
      for (const Track* vehicle : book().present()) {
        if (!vehicle->facts->vehicle() || vehicle->stood_s() < kStandsMin_s) continue;
        if (Apart(*vehicle, *person) > radius + 0.3) continue;
        auto& who = got_out_[vehicle->key];
        if (who.size() < kPeopleMax) who.insert(person->key);
      }
    }
  }
  bool Attended(const Track& thing) const {
    const double radius = rule().config.radius_m > 0 ? rule().config.radius_m : kThingRadius;
    return std::any_of(book().all().begin(), book().all().end(), [&](const auto& entry) {
      return entry.second.facts->being == Being::kPerson && Apart(thing, entry.second) <= radius;
    });
  }

  std::map<int64_t, std::set<int64_t>> got_out_;
  std::map<int64_t, double> attended_s_;
  bool first_ = true;
};

}  // namespace

const Kind& AbandonedObjectKind() {
  static const Kind kind{
      {.name = "abandoned_object", .after_s = 30, .gap_s = 1, .clear_s = 2, .min_confidence = 0.45},
      [](std::shared_ptr<const RuleFacts> facts) -> std::unique_ptr<RuleState> {
        return std::make_unique<AbandonedObject>(std::move(facts));
      },
      false,
      true};
  return kind;
}

}  // namespace sightline::rules
