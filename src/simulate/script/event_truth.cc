#include "simulate/script/event_truth.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "simulate/scene/exact.h"
#include "simulate/script/footprint.h"
#include "simulate/script/near_miss.h"
#include "simulate/script/street_facts.h"

namespace sightline::simulate {
namespace {

constexpr double kEpsilon = 1e-9;
constexpr double kOnRoad_s = 1.0, kCrosswalkMargin = 1.0;
constexpr double kRed_s = 0.5, kBeyondLine = 1.0, kBeyond_s = 4;
constexpr double kWrong_s = 1.5, kWrongSpeed = 1.5;
constexpr double kStands = 0.3, kGoesOn = 0.5;  // m/s
constexpr double kStopped_s = 8, kYields_s = 25, kAbandoned_s = 30;
constexpr double kHeldUp = 10;    // metres to whom it waits behind
constexpr double kGetsOut = 1.5;  // metres from the vehicle
constexpr double kSpeeding_s = 0.5, kOverLimit = 1.25;
constexpr size_t kCrowd = 8;
constexpr double kCrowdRadius = 3, kCrowd_s = 3, kCrowdMoves = 6;
constexpr double kLongAgo = 1e9;

// A state that has to last: `need_s` seconds, with gaps of up to `gap_s` between.
struct Spell {
  std::optional<double> since_s;
  double last_s = 0;
  std::optional<TrueEvent> event;  // once it has lasted

  // True at the moment when it has lasted long enough.
  bool Holds(double now, double need_s) {
    if (!since_s) since_s = now;
    last_s = now;
    return !event && now - *since_s >= need_s - kEpsilon;
  }
  // Call when it does not hold, or holds no more for good (gap below 0).
  void Ends(double now, double gap_s, std::vector<TrueEvent>* events) {
    if (!since_s || now - last_s <= gap_s) return;
    if (event) {
      event->end_s = last_s;
      events->push_back(*std::move(event));
    }
    *this = Spell();
  }
  void Begin(EventKind kind, double now, std::vector<int64_t> actors, const Point2& place) {
    event.emplace();
    event->kind = kind;
    event->begin_s = *since_s;
    event->time_s = now;
    event->actors = std::move(actors);
    event->place = place;
  }
};

struct Track {
  Footprint before;
  double seen_s = 0;
  Spell on_road, wrong_way, stopped, abandoned, speeding;
  bool stands = false;
  std::vector<int64_t> got_out;
  struct Crossed {
    const StopLine* line;
    double time_s;
    Point2 place;
  };
  std::optional<Crossed> crossed;  // at red, and not yet far beyond
};

struct Crowd {
  Spell spell;
  Point2 place;
  std::set<int64_t> people;
};

}  // namespace

struct EventObserver::State {
  explicit State(const Layout* layout) : facts(layout), near_misses(&facts) {}

  const StreetFacts facts;
  NearMisses near_misses;
  std::map<int64_t, Track> tracks;
  std::vector<Crowd> crowds;
  std::vector<double> red_since_s;  // per signal; below -kLongAgo / 2: since before the first scene
  std::vector<bool> red;
  std::vector<Footprint> footprints;
  std::vector<TrueEvent> events;
  bool first = true;
  double now = 0;

  void SeeSignals(const Scene& scene);
  void SeePerson(const Actor& actor, Track* track);
  void SeeVehicle(const Scene& scene, size_t index, Track* track);
  void SeeStopLine(const Actor& actor, const Footprint& footprint, Track* track);
  void SeeStanding(const Scene& scene, size_t index, Track* track);
  void SeeCrowds(const Scene& scene);
  void SeeWhoGotOut(const Scene& scene, const Actor& person);
  bool HeldUp(const Scene& scene, size_t index) const;
  void Close(Track* track);
};

void EventObserver::State::SeeSignals(const Scene& scene) {
  red.resize(scene.signals.size(), false);
  red_since_s.resize(scene.signals.size(), 0);
  for (size_t i = 0; i < scene.signals.size(); ++i) {
    const bool is_red = scene.signals[i] == SignalColor::kRed;
    if (is_red && !red[i]) red_since_s[i] = first ? -kLongAgo : now;
    red[i] = is_red;
  }
}

void EventObserver::State::SeePerson(const Actor& actor, Track* track) {
  const bool holds = facts.OnStreet(actor.position) &&
                     !OnCrosswalk(facts.layout(), actor.position, kCrosswalkMargin) &&
                     facts.InView(actor.position);
  if (!holds) return track->on_road.Ends(now, kOnRoad_s, &events);
  if (track->on_road.Holds(now, kOnRoad_s))
    track->on_road.Begin(EventKind::kPersonOnRoad, now, {actor.id}, actor.position);
}

void EventObserver::State::SeeStopLine(const Actor& actor, const Footprint& footprint, Track* track) {
  const Point2 front = footprint.front(), was = track->before.front();
  if (track->crossed) {
    if (track->crossed->line->Beyond(front) >= kBeyondLine) {
      TrueEvent event;
      event.kind = EventKind::kRedLight;
      event.begin_s = event.time_s = track->crossed->time_s;
      event.end_s = now;
      event.actors = {actor.id};
      event.place = track->crossed->place;
      event.speed = actor.speed;
      if (facts.InView(event.place)) events.push_back(event);
      track->crossed.reset();
    } else if (now - track->crossed->time_s > kBeyond_s) {
      track->crossed.reset();
    }
  }
  for (const StopLine& line : facts.stop_lines()) {
    const double before = line.Beyond(was), after = line.Beyond(front);
    if (before > 0 || after <= 0 || std::abs(line.Aside(front)) > line.half_width + 0.3) continue;
    if (line.along.x * footprint.along.x + line.along.y * footprint.along.y < 0.7) continue;
    const auto signal = static_cast<size_t>(line.signal);
    if (line.signal < 0 || signal >= red.size() || !red[signal]) continue;
    const double time_s = track->seen_s + (now - track->seen_s) * (-before / (after - before));
    if (time_s - red_since_s[signal] < kRed_s - kEpsilon) continue;
    track->crossed = {&line, time_s, front};
    break;
  }
}

// Behind somebody who stands or crawls.
bool EventObserver::State::HeldUp(const Scene& scene, size_t index) const {
  const Footprint& f = footprints[index];
  const Point2 front = f.front();
  for (size_t i = 0; i < scene.actors.size(); ++i) {
    const Actor& other = scene.actors[i];
    if (i == index || other.parked || other.kind == ActorKind::kPerson || other.speed > 2) continue;
    const Footprint& g = footprints[i];
    const double dx = g.center.x - front.x, dy = g.center.y - front.y;
    const double ahead = dx * f.along.x + dy * f.along.y, aside = std::abs(dy * f.along.x - dx * f.along.y);
    const double cosine = std::abs(f.along.x * g.along.x + f.along.y * g.along.y);
    const double half = g.half_length * cosine + g.half_width * (1 - cosine);
    const double half_aside = g.half_width * cosine + g.half_length * (1 - cosine);
    if (ahead > 0 && ahead - half < kHeldUp && aside < f.half_width + half_aside) return true;
  }
  return false;
}

void EventObserver::State::SeeStanding(const Scene& scene, size_t index, Track* track) {
  const Actor& actor = scene.actors[index];
  const Footprint& footprint = footprints[index];
  track->stands = actor.speed < kStands || (track->stands && actor.speed <= kGoesOn);
  if (!track->stands) {
    track->stopped.Ends(now, -1, &events);
    track->abandoned.Ends(now, -1, &events);
    track->got_out.clear();
    return;
  }
  const bool place =
      facts.OnStreet(actor.position) && !facts.InBay(actor.position) && facts.InView(actor.position);
  const StopLine* line = place ? facts.LineAhead(footprint, 8) : nullptr;
  const bool waits_for_red = line != nullptr && line->signal >= 0 &&
                             static_cast<size_t>(line->signal) < scene.signals.size() &&
                             scene.signals[static_cast<size_t>(line->signal)] != SignalColor::kGreen;
  if (!place || waits_for_red || HeldUp(scene, index)) {
    if (!track->stopped.event) track->stopped.Ends(now, 0.3, &events);
    if (track->stopped.event) track->stopped.last_s = now;  // it was stopped before somebody came
    return;
  }
  if (track->stopped.Holds(now, facts.AtYieldPlace(footprint) ? kYields_s : kStopped_s))
    track->stopped.Begin(EventKind::kStoppedVehicle, now, {actor.id}, actor.position);
  if (track->got_out.empty() || !track->stopped.event) return;
  track->abandoned.since_s = track->stopped.since_s;
  if (track->abandoned.Holds(now, kAbandoned_s)) {
    std::vector<int64_t> actors = {actor.id};
    actors.insert(actors.end(), track->got_out.begin(), track->got_out.end());
    track->abandoned.Begin(EventKind::kAbandonedVehicle, now, actors, actor.position);
  }
}

void EventObserver::State::SeeVehicle(const Scene& scene, size_t index, Track* track) {
  const Actor& actor = scene.actors[index];
  const Footprint& footprint = footprints[index];
  if (track->seen_s < now) SeeStopLine(actor, footprint, track);
  SeeStanding(scene, index, track);
  if (actor.speed > kWrongSpeed && facts.AgainstLane(actor.position, actor.heading) &&
      facts.InView(actor.position)) {
    if (track->wrong_way.Holds(now, kWrong_s))
      track->wrong_way.Begin(EventKind::kWrongWay, now, {actor.id}, actor.position);
  } else {
    track->wrong_way.Ends(now, 0.5, &events);
  }
  const auto limit = actor.speed > 3 ? facts.LimitAt(actor.position) : std::nullopt;
  if (limit && actor.speed > kOverLimit * *limit && facts.InView(actor.position)) {
    Spell& spell = track->speeding;
    if (spell.Holds(now, kSpeeding_s)) spell.Begin(EventKind::kSpeeding, now, {actor.id}, actor.position);
    if (spell.event && actor.speed > spell.event->speed.value_or(0)) spell.event->speed = actor.speed;
  } else {
    track->speeding.Ends(now, 0.3, &events);
  }
}

// Somebody who was not there before stands beside a vehicle that stands.
void EventObserver::State::SeeWhoGotOut(const Scene& scene, const Actor& person) {
  for (size_t i = 0; i < scene.actors.size(); ++i) {
    const Actor& actor = scene.actors[i];
    if (actor.kind == ActorKind::kPerson || actor.parked || actor.speed > kStands) continue;
    const auto track = tracks.find(actor.id);
    if (track != tracks.end() && footprints[i].DistanceTo(person.position) <= kGetsOut)
      track->second.got_out.push_back(person.id);
  }
}

void EventObserver::State::SeeCrowds(const Scene& scene) {
  std::vector<const Actor*> people;
  for (const Actor& actor : scene.actors)
    if (actor.kind == ActorKind::kPerson) people.push_back(&actor);
  const auto near = [&](const Actor& a, const Actor& b) {
    const double dx = a.position.x - b.position.x, dy = a.position.y - b.position.y;
    return dx * dx + dy * dy <= kCrowdRadius * kCrowdRadius;
  };
  // The middle is the one with most around.
  std::vector<bool> taken(people.size(), false);
  while (people.size() >= kCrowd) {
    size_t best = 0, most = 0;
    for (size_t i = 0; i < people.size(); ++i) {
      size_t count = 0;
      if (taken[i]) continue;
      for (size_t j = 0; j < people.size(); ++j) count += !taken[j] && near(*people[i], *people[j]) ? 1 : 0;
      if (count > most) most = count, best = i;
    }
    if (most < kCrowd) break;
    const Point2 middle = people[best]->position;
    const Actor& center = *people[best];
    auto known = std::find_if(crowds.begin(), crowds.end(), [&](const Crowd& crowd) {
      const double dx = crowd.place.x - middle.x, dy = crowd.place.y - middle.y;
      return dx * dx + dy * dy <= kCrowdMoves * kCrowdMoves;
    });
    const bool in_view = facts.InView(middle);
    if (known == crowds.end() && in_view) known = crowds.insert(crowds.end(), Crowd());
    for (size_t j = 0; j < people.size(); ++j) {
      if (taken[j] || !near(center, *people[j])) continue;
      taken[j] = true;
      if (in_view) known->people.insert(people[j]->id);
    }
    if (!in_view) continue;
    known->place = middle;
    if (known->spell.Holds(now, kCrowd_s)) known->spell.Begin(EventKind::kCrowd, now, {}, middle);
  }
  for (size_t i = 0; i < crowds.size();) {
    Crowd& crowd = crowds[i];
    if (crowd.spell.event) crowd.spell.event->actors.assign(crowd.people.begin(), crowd.people.end());
    crowd.spell.Ends(now, 2, &events);
    if (crowd.spell.since_s) {
      ++i;
    } else {
      crowds.erase(crowds.begin() + static_cast<ptrdiff_t>(i));
    }
  }
}

void EventObserver::State::Close(Track* track) {
  for (Spell* spell :
       {&track->on_road, &track->wrong_way, &track->stopped, &track->abandoned, &track->speeding})
    spell->Ends(now, -kLongAgo, &events);
}

EventObserver::EventObserver(const Layout* layout) : state_(std::make_unique<State>(layout)) {}
EventObserver::~EventObserver() = default;

void EventObserver::Observe(const Scene& scene) {
  State& s = *state_;
  s.now = scene.time_s;
  s.SeeSignals(scene);
  s.footprints.clear();
  for (const Actor& actor : scene.actors) s.footprints.push_back(FootprintOf(actor));
  for (size_t i = 0; i < scene.actors.size(); ++i) {
    const Actor& actor = scene.actors[i];
    if (actor.parked) continue;
    const auto [it, born] = s.tracks.try_emplace(actor.id);
    Track& track = it->second;
    if (born) track.before = s.footprints[i], track.seen_s = s.now;
    if (actor.kind == ActorKind::kPerson) {
      if (born && !s.first) s.SeeWhoGotOut(scene, actor);
      s.SeePerson(actor, &track);
    } else {
      s.SeeVehicle(scene, i, &track);
    }
    track.before = s.footprints[i];
    track.seen_s = s.now;
  }
  for (auto it = s.tracks.begin(); it != s.tracks.end();) {
    if (it->second.seen_s < s.now) {
      s.Close(&it->second);
      it = s.tracks.erase(it);
    } else {
      ++it;
    }
  }
  s.SeeCrowds(scene);
  s.near_misses.Observe(scene, s.footprints, &s.events);
  s.first = false;
}

std::vector<TrueEvent> EventObserver::Finish() {
  State& s = *state_;
  for (auto& [id, track] : s.tracks) s.Close(&track);
  for (Crowd& crowd : s.crowds) crowd.spell.Ends(s.now, -kLongAgo, &s.events);
  s.near_misses.Finish(&s.events);
  s.tracks.clear();
  s.crowds.clear();
  std::vector<TrueEvent> events = std::move(s.events);
  s.events.clear();
  std::stable_sort(events.begin(), events.end(), [](const TrueEvent& a, const TrueEvent& b) {
    return a.begin_s != b.begin_s ? a.begin_s < b.begin_s
           : a.kind != b.kind     ? a.kind < b.kind
                                  : a.actors < b.actors;
  });
  return events;
}

}  // namespace sightline::simulate
