// Orders the actors of scripted events. What a plan is worth shows in a rehearsal: the same traffic with the
// same orders, watched by the observer; a plan that fails gives way to the next one.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "simulate/scene/exact.h"
#include "simulate/script/event_truth.h"
#include "simulate/script/footprint.h"
#include "simulate/script/plan.h"
#include "simulate/script/scenario.h"

namespace sightline::simulate {
namespace {

constexpr int kRehearsals = 6;
constexpr double kRehearseMax = 900;  // seconds: later events go unrehearsed
constexpr double kLook = 0.1;         // seconds
constexpr size_t kPlansMax = 24;

struct Choice {
  std::vector<Plan> plans;
  size_t next = 0;
  bool chosen() const { return next < plans.size(); }
  const Plan& plan() const { return plans[next]; }
};

std::optional<Point2> PositionAt(const ActorOrder& order, double time_s) {
  if (time_s < order.times_s.front() || (time_s > order.times_s.back() && !order.stays)) return std::nullopt;
  size_t i = 1;
  while (i + 1 < order.times_s.size() && order.times_s[i] < time_s) ++i;
  const double share =
      std::clamp((time_s - order.times_s[i - 1]) / (order.times_s[i] - order.times_s[i - 1]), 0.0, 1.0);
  return order.path.At(order.stations[i - 1] + share * (order.stations[i] - order.stations[i - 1])).point;
}

// Whether two plans' vehicles, or a vehicle and a person, come too near to each other.
bool Meet(const Plan& a, const Plan& b) {
  for (const ActorOrder& p : a.orders) {
    for (const ActorOrder& q : b.orders) {
      if (p.kind == ActorKind::kPerson && q.kind == ActorKind::kPerson) continue;
      const double room = p.kind == ActorKind::kPerson || q.kind == ActorKind::kPerson ? 3.0 : 5.5;
      const double begin = std::max({0.0, p.times_s.front(), q.times_s.front()});
      const double end = std::min(p.stays ? q.times_s.back() + (q.stays ? 1 : 0) : p.times_s.back(),
                                  q.stays ? p.times_s.back() + (p.stays ? 1 : 0) : q.times_s.back());
      for (double t = begin; t <= end; t += 0.3) {
        const auto one = PositionAt(p, t), two = PositionAt(q, t);
        if (!one || !two) continue;
        const double dx = one->x - two->x, dy = one->y - two->y;
        if (dx * dx + dy * dy < room * room) return true;
      }
    }
  }
  return false;
}

// To the first plan from `choice->next` on that meets no other event's.
void Settle(std::vector<Choice>* choices, size_t index) {
  Choice& choice = (*choices)[index];
  for (; choice.next < choice.plans.size(); ++choice.next) {
    bool free = true;
    for (size_t i = 0; i < choices->size() && free; ++i) {
      const Choice& other = (*choices)[i];
      free = i == index || !other.chosen() || !Meet(choice.plan(), other.plan());
    }
    if (free) return;
  }
}

std::vector<std::vector<int64_t>> Give(const std::vector<Choice>& choices, Traffic* traffic) {
  std::vector<std::vector<int64_t>> actors(choices.size());
  for (size_t i = 0; i < choices.size(); ++i) {
    if (!choices[i].chosen()) continue;
    for (const ActorOrder& order : choices[i].plan().orders) actors[i].push_back(traffic->Add(order));
    for (const Plan::Hold& hold : choices[i].plan().holds)
      if (hold.end_s > 0) traffic->Reserve(hold.area, std::max(0.0, hold.begin_s), hold.end_s);
  }
  return actors;
}

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

// Which events come off as they should, nobody being run into.
std::vector<bool> Rehearse(const Scenario& scenario, const Layout& layout,
                           const std::vector<Choice>& choices) {
  double last_s = 0;
  for (const ScriptedEvent& event : scenario.events)
    last_s = std::max(last_s, event.at_s + event.duration_s.value_or(12) + 14 +
                                  (event.kind == EventKind::kAbandonedVehicle ? 22 : 0));
  last_s = std::min(last_s, kRehearseMax);
  const auto traffic = Traffic::Create(&layout, scenario.traffic);
  const auto actors = Give(choices, traffic.get());
  std::vector<std::pair<int64_t, size_t>> events_of;
  for (size_t i = 0; i < actors.size(); ++i)
    for (const int64_t id : actors[i]) events_of.emplace_back(id, i);
  const StreetFacts facts(&layout);
  EventObserver observer(&layout);
  std::vector<bool> good(choices.size(), true);
  Scene scene;
  const auto looks = static_cast<int64_t>(Floor(last_s / kLook));
  for (int64_t k = 0; k <= looks; ++k) {
    traffic->AdvanceTo(static_cast<double>(k) / 10, &scene);
    observer.Observe(scene);
    for (const auto& [id, index] : events_of) {
      if (!good[index]) continue;
      const auto it = std::lower_bound(scene.actors.begin(), scene.actors.end(), id,
                                       [](const Actor& a, int64_t value) { return a.id < value; });
      if (it == scene.actors.end() || it->id != id || !facts.InView(it->position)) continue;
      const Footprint mine = FootprintOf(*it);
      for (const Actor& other : scene.actors) {
        if (other.id == id || (other.kind == ActorKind::kPerson && it->kind == ActorKind::kPerson)) continue;
        const double dx = other.position.x - it->position.x, dy = other.position.y - it->position.y;
        if (dx * dx + dy * dy < 200 && Overlap(mine, FootprintOf(other))) good[index] = false;
      }
    }
  }
  const auto seen = observer.Finish();
  for (size_t i = 0; i < choices.size(); ++i) {
    const ScriptedEvent& asked = scenario.events[i];
    if (!choices[i].chosen() || asked.at_s > kRehearseMax - 60) continue;
    good[i] = good[i] && std::any_of(seen.begin(), seen.end(),
                                     [&](const TrueEvent& event) { return Shows(event, asked, actors[i]); });
  }
  return good;
}

std::string LeftOut(const ScriptedEvent& event, bool no_place) {
  return fmt::format("{} at {:.1f} s: {}", kEventNames[static_cast<size_t>(event.kind)], event.at_s,
                     no_place ? "this street has no place in view for it"
                              : "the traffic and the other events leave no room for it");
}

}  // namespace

Staged Stage(const Scenario& scenario, const Layout& layout, uint64_t seed, Traffic* traffic) {
  const StreetFacts facts(&layout);
  const Random base(seed, 0x57a6);
  std::vector<Choice> choices(scenario.events.size());
  std::vector<bool> no_place(choices.size(), false);
  for (size_t i = 0; i < choices.size(); ++i) {
    Random random = base.Fork(i + 1);
    choices[i].plans = PlansFor(scenario.events[i], facts, &random);
    no_place[i] = choices[i].plans.empty();
    if (choices[i].plans.size() > kPlansMax) choices[i].plans.resize(kPlansMax);
    Settle(&choices, i);
  }
  const bool any = std::any_of(choices.begin(), choices.end(), [](const Choice& c) { return c.chosen(); });
  for (int round = 0; any && round < kRehearsals; ++round) {
    const std::vector<bool> good = Rehearse(scenario, layout, choices);
    if (std::all_of(good.begin(), good.end(), [](bool g) { return g; })) break;
    for (size_t i = 0; i < choices.size(); ++i) {
      if (good[i] || !choices[i].chosen()) continue;
      // In the last round nothing new is tried: what still fails is left out.
      choices[i].next = round + 2 < kRehearsals ? choices[i].next + 1 : choices[i].plans.size();
      Settle(&choices, i);
    }
  }
  Staged staged;
  for (size_t i = 0; i < choices.size(); ++i)
    if (!choices[i].chosen()) staged.left_out.push_back(LeftOut(scenario.events[i], no_place[i]));
  staged.actors = Give(choices, traffic);
  return staged;
}

}  // namespace sightline::simulate
