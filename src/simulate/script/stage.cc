// Orders the actors of scripted events. What a plan is worth shows in a rehearsal: the same traffic with the
// same orders, watched by the observer; a plan that fails gives way to the next one.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "simulate/scene/exact.h"
#include "simulate/script/plan.h"
#include "simulate/script/rehearsal.h"
#include "simulate/script/scenario.h"

namespace sightline::simulate {
namespace {

constexpr double kRehearseMax = 900;  // seconds: later events go unrehearsed
constexpr int kTriesMax = 12;         // an event
constexpr double kTriedMax = 700;     // seconds that an event's tries may take, in the street's time
constexpr double kMayBegin = 90;      // seconds before an event that its plans begin

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

bool MeetsAny(const Plan& plan, const std::vector<const Plan*>& chosen) {
  return std::any_of(chosen.begin(), chosen.end(),
                     [&](const Plan* other) { return other != nullptr && Meet(plan, *other); });
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
  const size_t count = scenario.events.size();
  const double end_s = std::min(scenario.seconds.value_or(kRehearseMax), kRehearseMax);
  std::vector<std::vector<Plan>> plans(count);
  std::vector<const Plan*> chosen(count, nullptr);
  std::vector<size_t> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scenario.events[a].at_s < scenario.events[b].at_s; });
  Rehearsal rehearsal(&layout, *traffic, end_s);
  for (const size_t i : order) {
    const ScriptedEvent& event = scenario.events[i];
    Random random = base.Fork(i + 1);
    plans[i] = PlansFor(event, facts, &random);
    const bool unrehearsed = event.at_s > kRehearseMax - kMayBegin;
    rehearsal.Forget(event.at_s - kMayBegin);
    int tries = 0;
    double tried_s = 0;
    for (const Plan& plan : plans[i]) {
      if (tries == kTriesMax || tried_s > kTriedMax) break;
      const double shows_s = plan.at_s + ShowsAfter(event.kind);
      if (scenario.seconds && shows_s > *scenario.seconds) continue;
      if (MeetsAny(plan, chosen)) continue;
      ++tries;
      tried_s += EndOf(event, plan) - BeginOf(plan);
      if (!unrehearsed && rehearsal.Try(event, plan) != Outcome::kGood) continue;
      if (!unrehearsed) rehearsal.Accept(plan);
      chosen[i] = &plan;
      break;
    }
  }
  // What came later may have got into an earlier one's way.
  const auto outcomes = PlayAll(scenario.events, chosen, layout, *traffic, end_s);
  Staged staged;
  staged.actors.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const bool rehearsed = scenario.events[i].at_s <= kRehearseMax - kMayBegin;
    if (chosen[i] != nullptr && rehearsed && outcomes[i] != Outcome::kGood) chosen[i] = nullptr;
    if (chosen[i] == nullptr) {
      staged.left_out.push_back(LeftOut(scenario.events[i], plans[i].empty()));
    } else {
      staged.actors[i] = GivePlan(*chosen[i], traffic);
    }
  }
  return staged;
}

}  // namespace sightline::simulate
