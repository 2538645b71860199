// What all rules share: who counts, where, when it is awake, and how states begin and end.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stages/rules/motion/track_book.h"
#include "stages/rules/rule.h"

namespace sightline::rules {

// How a kind behaves where its configuration says nothing.
struct KindFacts {
  std::string_view name;
  double after_s = 0;
  double gap_s = 0.3;         // interruptions of this length do not count, before it begins
  double clear_s = 0.5;       // nor, once it has begun, of this
  double min_confidence = 0;  // of an event: alarms want more evidence than counts
};

// What a rule and its states know of the configuration. Immutable.
struct RuleFacts {
  RuleConfig config;
  SceneGeometry geometry;
  std::shared_ptr<const View> view;  // null without a homography
  KindFacts kind;
  double after_s = 0, clear_s = 0, min_confidence = 0;

  // The zone that the place is in: the whole picture (an empty name) where the rule names none.
  const SceneGeometry::Zone* ZoneAt(const Point& place) const;
  bool Excepted(const Point& place) const;
  std::vector<SceneGeometry::Zone> Lanes() const;  // all zones of the scene that have a heading
  bool Awake(WallTime when) const;
  bool LabelWanted(const Track& track, bool by_default) const;

  std::vector<const SceneGeometry::Zone*> zones, except_zones;
  const SceneGeometry::Line* line = nullptr;
  const SceneGeometry::Zone* signal_zone = nullptr;
};

// Something that is found to hold now.
struct Finding {
  std::string zone;
  double sureness = 1;  // 0..1, of the measurement; scores and ages come on top
  std::vector<int64_t> others;
  std::vector<Event::Value> values;
  std::optional<double> since_s;  // when it is known to have begun earlier
};

class StateBase : public RuleState {
 public:
  explicit StateBase(std::shared_ptr<const RuleFacts> facts)
      : rule_(std::move(facts)), book_(std::make_shared<TrackBook>(rule_->view, rule_->Lanes())) {}
  void Update(const Moment& moment, std::vector<Event>* events) final;
  void Reset(std::vector<Event>* events) final;
  void ShareTracks(RuleState& other) final;

 protected:
  // The book is up to date. Not called while the rule is asleep.
  virtual void Look(const Moment& moment, std::vector<Event>* events) = 0;
  virtual void Forget(int64_t key) { (void)key; }
  virtual void Clear() {}

  const RuleFacts& rule() const { return *rule_; }
  const TrackBook& book() const { return *book_; }
  bool Counts(const Track& track, bool by_default) const;  // label and score
  double Confidence(const Track& track) const;

  Event NewEvent(const Moment& moment) const;
  // A moment about `actors` (the first is whom it is about); false within the first one's cooldown, or where
  // it is not sure enough.
  bool Emit(const Moment& moment, const std::vector<const Track*>& actors, double time_s, Finding finding,
            const std::string& direction, std::vector<Event>* events);
  // A state, by key of its track (0: of the whole scene). `finding`: none while it does not hold. It begins
  // when it is sure enough.
  void State(const Moment& moment, int64_t key, const Track* track, std::optional<Finding> finding,
             std::vector<Event>* events);
  bool IsOpen(int64_t key) const;
  void EndAll(std::vector<Event>* events);

 private:
  struct Spell {
    std::optional<double> since_s;
    WallTime since;
    double last_s = 0;  // held last
    std::string id;     // of the open state
    Finding finding;
    std::vector<EventActor> actors;
    double confidence = 1;

    double sure() const { return std::clamp(finding.sureness * confidence, 0.0, 1.0); }
  };
  void ForgetAll(std::vector<Event>* events);
  void Begin(const Moment& moment, int64_t key, const Track* track, Spell* spell, std::vector<Event>* events);
  void End(Spell* spell, std::vector<Event>* events);
  bool Cooling(int64_t key, double time_s);

  const std::shared_ptr<const RuleFacts> rule_;
  std::shared_ptr<TrackBook> book_;  // of all rules of the stream
  std::map<int64_t, Spell> spells_;
  std::map<int64_t, double> told_s_;  // when a key's last event was, for the cooldown
  int64_t states_ = 0;
  double time_s_ = 0;
  WallTime captured_;
  bool started_ = false;
};

// For kinds that judge one track at a time.
class TrackJudge : public StateBase {
 public:
  using StateBase::StateBase;

 protected:
  void Look(const Moment& moment, std::vector<Event>* events) override;
  // Whether the kind is about this track where the configuration names no labels.
  virtual bool About(const Track& track) const = 0;
  virtual std::optional<Finding> Judge(const Track& track, const Moment& moment, bool open) = 0;
};

WallTime At(const Moment& moment, double time_s);  // the wall time of an earlier stream time

// The kinds, each in its own file.
using NewStateFunction = std::unique_ptr<RuleState> (*)(std::shared_ptr<const RuleFacts>);
struct Kind {
  KindFacts facts;
  NewStateFunction make;
  bool needs_ground = false, needs_zone = false, needs_line = false;
};
const Kind& LineCrossingKind();
const Kind& ZonePresenceKind();
const Kind& DwellKind();
const Kind& CountKind();
const Kind& CrowdKind();
const Kind& SpeedKind();
const Kind& WrongWayKind();
const Kind& StoppedVehicleKind();
const Kind& PersonOnRoadKind();
const Kind& NearMissKind();
const Kind& RedLightKind();
const Kind& AbandonedObjectKind();
const Kind& AbsenceKind();

}  // namespace sightline::rules
