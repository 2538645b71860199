#include "simulate/script/rehearsal.h"

#include <algorithm>
#include <cmath>

#include "simulate/scene/exact.h"
#include "simulate/script/event_truth.h"
#include "simulate/script/footprint.h"

namespace sightline::simulate {
namespace {

constexpr double kLooksPerSecond = 10;
constexpr double kBetweenSnapshots = 4;  // seconds
constexpr double kWarmUp = 100;          // seconds before 0 that can matter to a plan

bool Shows(const TrueEvent& event, const ScriptedEvent& asked, const std::vector<int64_t>& actors) {
  if (event.kind != asked.kind) return false;
  const bool ours = std::any_of(event.actors.begin(), event.actors.end(), [&](int64_t id) {
    return std::find(actors.begin(), actors.end(), id) != actors.end();
  });
  if (!ours) return false;
  if (asked.kind != EventKind::kNearMiss) return true;
  if (event.actors != actors) return false;
  const auto near = [](const std::optional<double>& is, const std::optional<double>& should) {
    return !should || (is && std::abs(*is - *should) <= 0.1);
  };
  return near(event.time_to_collision_s, asked.time_to_collision_s) &&
         near(event.post_encroachment_s, asked.post_encroachment_s);
}

// Watches scripted actors: whom they touch while in view.
class Contacts {
 public:
  Contacts(const StreetFacts* facts, std::vector<int64_t> actors)
      : facts_(*facts), actors_(std::move(actors)), touched_(actors_.size(), false) {}

  void Observe(const Scene& scene) {
    for (size_t i = 0; i < actors_.size(); ++i) {
      if (touched_[i]) continue;
      const auto it = std::lower_bound(scene.actors.begin(), scene.actors.end(), actors_[i],
                                       [](const Actor& a, int64_t value) { return a.id < value; });
      if (it == scene.actors.end() || it->id != actors_[i] || !facts_.InView(it->position)) continue;
      const Footprint mine = FootprintOf(*it);
      for (const Actor& other : scene.actors) {
        if (&other == &*it || (other.kind == ActorKind::kPerson && it->kind == ActorKind::kPerson)) continue;
        const double dx = other.position.x - it->position.x, dy = other.position.y - it->position.y;
        if (dx * dx + dy * dy < 200 && Overlap(mine, FootprintOf(other))) touched_[i] = true;
      }
    }
  }
  bool Any(const std::vector<int64_t>& of) const {
    for (size_t i = 0; i < actors_.size(); ++i)
      if (touched_[i] && std::find(of.begin(), of.end(), actors_[i]) != of.end()) return true;
    return false;
  }

 private:
  const StreetFacts& facts_;
  const std::vector<int64_t> actors_;
  std::vector<bool> touched_;
};

// From one time on to another, by looks.
void Play(Traffic* traffic, double begin_s, double end_s, Contacts* contacts, EventObserver* observer) {
  Scene scene;
  const auto first = static_cast<int64_t>(Floor(std::max(0.0, begin_s) * kLooksPerSecond + 0.5)),
             last = static_cast<int64_t>(Floor(end_s * kLooksPerSecond));
  for (int64_t k = first; k <= last; ++k) {
    traffic->AdvanceTo(static_cast<double>(k) / kLooksPerSecond, &scene);
    contacts->Observe(scene);
    observer->Observe(scene);
  }
}

}  // namespace

std::vector<int64_t> GivePlan(const Plan& plan, Traffic* traffic) {
  std::vector<int64_t> actors;
  for (const ActorOrder& order : plan.orders) actors.push_back(traffic->Add(order));
  for (const Plan::Hold& hold : plan.holds) traffic->Reserve(hold.area, hold.begin_s, hold.end_s);
  return actors;
}

Rehearsal::Rehearsal(const Layout* layout, const Traffic& traffic, double end_s)
    : layout_(*layout), facts_(layout), end_s_(end_s) {
  snapshots_.push_back({-kWarmUp, traffic.Clone(), {}});
}

Outcome Rehearsal::Try(const ScriptedEvent& event, const Plan& plan) {
  const double begin_s = BeginOf(plan);
  while (snapshots_.back().time_s + kBetweenSnapshots <= begin_s) {
    Snapshot next{snapshots_.back().time_s + kBetweenSnapshots, snapshots_.back().traffic->Clone(),
                  snapshots_.back().actors};
    Scene scene;
    next.traffic->AdvanceTo(next.time_s, &scene);
    snapshots_.push_back(std::move(next));
  }
  size_t from = snapshots_.size() - 1;
  while (from > 0 && snapshots_[from].time_s > begin_s) --from;
  const auto traffic = snapshots_[from].traffic->Clone();
  const std::vector<int64_t> mine = GivePlan(plan, traffic.get());
  std::vector<int64_t> all = snapshots_[from].actors;
  all.insert(all.end(), mine.begin(), mine.end());
  Contacts contacts(&facts_, all);
  EventObserver observer(&layout_);
  Play(traffic.get(), snapshots_[from].time_s, std::min(end_s_, EndOf(event, plan)), &contacts, &observer);
  if (contacts.Any(all)) return Outcome::kRunsInto;
  const auto seen = observer.Finish();
  const bool shows =
      std::any_of(seen.begin(), seen.end(), [&](const TrueEvent& e) { return Shows(e, event, mine); });
  return shows ? Outcome::kGood : Outcome::kNotSeen;
}

void Rehearsal::Accept(const Plan& plan) {
  const double begin_s = BeginOf(plan);
  while (snapshots_.size() > 1 && snapshots_.back().time_s > begin_s) snapshots_.pop_back();
  for (Snapshot& snapshot : snapshots_) {
    const auto actors = GivePlan(plan, snapshot.traffic.get());
    snapshot.actors.insert(snapshot.actors.end(), actors.begin(), actors.end());
  }
}

void Rehearsal::Forget(double time_s) {
  size_t old = 0;
  while (old + 1 < snapshots_.size() && snapshots_[old + 1].time_s <= time_s) ++old;
  snapshots_.erase(snapshots_.begin(), snapshots_.begin() + static_cast<ptrdiff_t>(old));
}

std::vector<Outcome> PlayAll(const std::vector<ScriptedEvent>& events, const std::vector<const Plan*>& plans,
                             const Layout& layout, const Traffic& traffic, double end_s) {
  const auto play = traffic.Clone();
  const StreetFacts facts(&layout);
  std::vector<std::vector<int64_t>> actors(plans.size());
  std::vector<int64_t> all;
  double last_s = 0;
  for (size_t i = 0; i < plans.size(); ++i) {
    if (plans[i] == nullptr) continue;
    actors[i] = GivePlan(*plans[i], play.get());
    all.insert(all.end(), actors[i].begin(), actors[i].end());
    last_s = std::max(last_s, EndOf(events[i], *plans[i]));
  }
  Contacts contacts(&facts, all);
  EventObserver observer(&layout);
  Play(play.get(), 0, std::min(end_s, last_s), &contacts, &observer);
  const auto seen = observer.Finish();
  std::vector<Outcome> outcomes(plans.size(), Outcome::kGood);
  for (size_t i = 0; i < plans.size(); ++i) {
    if (plans[i] == nullptr) continue;
    const bool shows = std::any_of(seen.begin(), seen.end(),
                                   [&](const TrueEvent& e) { return Shows(e, events[i], actors[i]); });
    if (contacts.Any(actors[i])) {
      outcomes[i] = Outcome::kRunsInto;
    } else if (!shows) {
      outcomes[i] = Outcome::kNotSeen;
    }
  }
  return outcomes;
}

}  // namespace sightline::simulate
