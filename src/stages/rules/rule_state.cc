#include "stages/rules/rule_state.h"

#include <algorithm>
#include <cmath>
#include <ctime>

#include "base/text.h"

namespace sightline::rules {
namespace {

constexpr double kEpsilon = 1e-6;
constexpr double kOldLooks = 2;  // how soon a track's age makes it sure
constexpr size_t kToldMax = 4096;

}  // namespace

const SceneGeometry::Zone* RuleFacts::ZoneAt(const Point& place) const {
  static const auto* whole = new SceneGeometry::Zone();
  if (Excepted(place)) return nullptr;
  if (zones.empty()) return whole;
  const auto found = std::find_if(zones.begin(), zones.end(),
                                  [&](const auto* zone) { return Inside(zone->polygon, place); });
  return found == zones.end() ? nullptr : *found;
}

bool RuleFacts::Excepted(const Point& place) const {
  return std::any_of(except_zones.begin(), except_zones.end(),
                     [&](const auto* zone) { return Inside(zone->polygon, place); });
}

std::vector<SceneGeometry::Zone> RuleFacts::Lanes() const {
  std::vector<SceneGeometry::Zone> lanes;
  std::copy_if(geometry.zones.begin(), geometry.zones.end(), std::back_inserter(lanes),
               [](const auto& zone) { return zone.heading_deg.has_value(); });
  return lanes;
}

bool RuleFacts::Awake(WallTime when) const {
  if (config.schedule.empty()) return true;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm local{};
  if (localtime_r(&seconds, &local) == nullptr) return true;
  const int minute = local.tm_hour * 60 + local.tm_min, today = (local.tm_wday + 6) % 7;
  return std::any_of(config.schedule.begin(), config.schedule.end(), [&](const Schedule& s) {
    const auto on = [&](int day) {
      return s.days.empty() || std::find(s.days.begin(), s.days.end(), day) != s.days.end();
    };
    if (s.to_minute >= s.from_minute) return on(today) && minute >= s.from_minute && minute < s.to_minute;
    return (on(today) && minute >= s.from_minute) || (on((today + 6) % 7) && minute < s.to_minute);
  });
}

bool RuleFacts::LabelWanted(const Track& track, bool by_default) const {
  if (config.labels.empty()) return by_default;
  return std::find(config.labels.begin(), config.labels.end(), track.label) != config.labels.end();
}

WallTime At(const Moment& moment, double time_s) {
  const double back = std::clamp(moment.time_s - time_s, 0.0, 1e7);
  return moment.captured -
         std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(back));
}

bool StateBase::Counts(const Track& track, bool by_default) const {
  return rule_->LabelWanted(track, by_default) &&
         track.mean_score() >= static_cast<double>(rule_->config.min_score);
}

double StateBase::Confidence(const Track& track) const {
  return std::clamp(track.mean_score(), 0.0, 1.0) * (1 - std::exp(-track.looks / kOldLooks));
}

void StateBase::Update(const Moment& moment, std::vector<Event>* events) {
  if (!std::isfinite(moment.time_s)) return;
  if (started_ && moment.time_s < time_s_) ForgetAll(events);  // time went back: another stream
  if (started_ && moment.time_s == time_s_) return;
  started_ = true;
  time_s_ = moment.time_s;
  captured_ = moment.captured;
  for (const int64_t key : book_->Update(moment)) {
    const auto spell = spells_.find(key);
    if (spell != spells_.end()) {
      End(&spell->second, events);
      spells_.erase(spell);
    }
    Forget(key);
  }
  if (!told_s_.empty()) {
    std::erase_if(told_s_, [&](const auto& told) {
      return time_s_ - told.second > rule_->config.cooldown_s || told_s_.size() > kToldMax;
    });
  }
  if (rule_->Awake(moment.captured)) {
    Look(moment, events);
  } else {
    EndAll(events);
    Clear();
  }
}

void StateBase::Reset(std::vector<Event>* events) {
  ForgetAll(events);
  book_->Clear();
}

void StateBase::ForgetAll(std::vector<Event>* events) {
  EndAll(events);
  Clear();
  told_s_.clear();
  started_ = false;
}

void StateBase::ShareTracks(RuleState& other) {
  const auto* same = dynamic_cast<const StateBase*>(&other);
  if (same != nullptr && book_->SeesAs(*same->book_)) book_ = same->book_;
}

Event StateBase::NewEvent(const Moment& moment) const {
  Event event;
  event.kind = std::string(rule_->kind.name);
  event.rule = rule_->config.name;
  event.captured = moment.captured;
  return event;
}

bool StateBase::Cooling(int64_t key, double time_s) {
  if (rule_->config.cooldown_s <= 0) return false;
  const auto [told, first] = told_s_.try_emplace(key, time_s);
  if (!first && time_s - told->second < rule_->config.cooldown_s) return true;
  told->second = time_s;
  return false;
}

bool StateBase::Emit(const Moment& moment, const std::vector<const Track*>& actors, double time_s,
                     Finding finding, const std::string& direction, std::vector<Event>* events) {
  double sure = std::clamp(finding.sureness, 0.0, 1.0);
  for (const Track* track : actors) sure *= Confidence(*track);
  if (sure < rule_->min_confidence) return false;
  if (!actors.empty() && Cooling(actors.front()->key, moment.time_s)) return false;
  Event event = NewEvent(moment);
  event.id = fmt::format("{}-{}", rule_->config.name, ++states_);
  event.phase = EventPhase::kMoment;
  event.time_s = std::min(time_s, moment.time_s);
  event.began = At(moment, event.time_s);
  event.zone = std::move(finding.zone);
  event.direction = direction;
  event.values = std::move(finding.values);
  for (const Track* track : actors) event.actors.push_back(book_->ActorOf(*track));
  event.confidence = sure;
  events->push_back(std::move(event));
  return true;
}

bool StateBase::IsOpen(int64_t key) const {
  const auto found = spells_.find(key);
  return found != spells_.end() && !found->second.id.empty();
}

void StateBase::State(const Moment& moment, int64_t key, const Track* track, std::optional<Finding> finding,
                      std::vector<Event>* events) {
  const auto known = spells_.find(key);
  if (!finding) {
    if (known == spells_.end()) return;
    Spell& spell = known->second;
    const double gap = spell.id.empty() ? rule_->kind.gap_s : rule_->clear_s;
    if (moment.time_s - spell.last_s <= gap + kEpsilon) return;
    End(&spell, events);
    spells_.erase(known);
    return;
  }
  Spell& spell = known != spells_.end() ? known->second : spells_[key];
  if (!spell.since_s) {
    spell.since_s = std::min(moment.time_s, finding->since_s.value_or(moment.time_s));
    spell.since = At(moment, *spell.since_s);
  }
  spell.last_s = moment.time_s;
  spell.finding = *std::move(finding);
  if (track != nullptr) spell.confidence = Confidence(*track);
  if (!spell.id.empty()) {
    if (track != nullptr && !spell.actors.empty()) spell.actors.front() = book_->ActorOf(*track);
    return;
  }
  if (moment.time_s - *spell.since_s >= rule_->after_s - kEpsilon && spell.sure() >= rule_->min_confidence &&
      !Cooling(key, moment.time_s))
    Begin(moment, key, track, &spell, events);
}

void StateBase::Begin(const Moment& moment, int64_t key, const Track* track, Spell* spell,
                      std::vector<Event>* events) {
  (void)key;
  spell->id = fmt::format("{}-{}", rule_->config.name, ++states_);
  Event event = NewEvent(moment);
  event.id = spell->id;
  event.phase = EventPhase::kBegin;
  event.time_s = *spell->since_s;
  event.began = spell->since;
  event.duration_s = moment.time_s - *spell->since_s;
  event.zone = spell->finding.zone;
  event.confidence = spell->sure();
  event.values = spell->finding.values;
  spell->actors.clear();
  if (track != nullptr) spell->actors.push_back(book_->ActorOf(*track));
  for (const int64_t other : spell->finding.others)
    if (const Track* found = book_->Find(other)) spell->actors.push_back(book_->ActorOf(*found));
  event.actors = spell->actors;
  events->push_back(std::move(event));
}

// As it was when it held last.
void StateBase::End(Spell* spell, std::vector<Event>* events) {
  if (spell->id.empty()) return;
  Event event;
  event.kind = std::string(rule_->kind.name);
  event.rule = rule_->config.name;
  event.id = spell->id;
  event.phase = EventPhase::kEnd;
  event.captured = captured_;
  event.time_s = *spell->since_s;
  event.began = spell->since;
  event.duration_s = spell->last_s - *spell->since_s;
  event.zone = spell->finding.zone;
  event.confidence = spell->sure();
  event.values = std::move(spell->finding.values);
  event.actors = std::move(spell->actors);
  events->push_back(std::move(event));
  spell->id.clear();
}

void StateBase::EndAll(std::vector<Event>* events) {
  for (auto& [key, spell] : spells_) End(&spell, events);
  spells_.clear();
}

void TrackJudge::Look(const Moment& moment, std::vector<Event>* events) {
  for (const Track* track : book().present()) {
    const bool counts = Counts(*track, About(*track));
    State(moment, track->key, track,
          counts ? Judge(*track, moment, IsOpen(track->key)) : std::optional<Finding>(), events);
  }
}

}  // namespace sightline::rules
