#include <chrono>
#include <cstdio>
#include <map>

#include "gtest/gtest.h"
#include "simulate/script/event_truth.h"
#include "simulate/script/scenario.h"

namespace sightline::simulate {
namespace {

struct Count {
  int asked = 0, left_out = 0, seen = 0;
};

// Counts by kind what was staged and what the observer saw of it in the traffic.
void Play(uint64_t seed, double seconds, std::map<EventKind, Count>* counts) {
  const Layout layout = MakeLayout(seed, {640, 360});
  const Scenario scenario = MakeScenario(seed, seconds);
  auto traffic = Traffic::Create(&layout, scenario.traffic);
  const Staged staged = Stage(scenario, layout, seed, traffic.get());
  EventObserver observer(&layout);
  Scene scene;
  for (int k = 0; k * 0.04 < seconds; ++k) {
    traffic->AdvanceTo(k * 0.04, &scene);
    observer.Observe(scene);
  }
  const auto seen = observer.Finish();
  for (size_t i = 0; i < scenario.events.size(); ++i) {
    Count& count = (*counts)[scenario.events[i].kind];
    ++count.asked;
    if (staged.actors[i].empty()) {
      ++count.left_out;
      continue;
    }
    bool found = false;
    for (const TrueEvent& event : seen) {
      bool ours = event.kind == scenario.events[i].kind;
      bool any = false;
      for (const int64_t id : event.actors)
        any =
            any || std::find(staged.actors[i].begin(), staged.actors[i].end(), id) != staged.actors[i].end();
      found = found || (ours && any);
    }
    count.seen += found ? 1 : 0;
    if (!found)
      std::printf("seed %llu: %s at %.1f s was not seen\n", static_cast<unsigned long long>(seed),
                  kEventNames[static_cast<size_t>(scenario.events[i].kind)].data(), scenario.events[i].at_s);
  }
}

TEST(Stage, what_is_staged_happens) {
  std::map<EventKind, Count> counts;
  constexpr uint64_t kSeeds = 12;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) Play(seed, 60, &counts);
  int staged = 0, seen = 0;
  for (const auto& [kind, count] : counts) {
    std::printf("%-18s asked %3d left out %3d seen %3d\n", kEventNames[static_cast<size_t>(kind)].data(),
                count.asked, count.left_out, count.seen);
    staged += count.asked - count.left_out;
    seen += count.seen;
  }
  EXPECT_GE(staged, static_cast<int>(kSeeds) * 2);
  EXPECT_GE(seen, 0.95 * staged);
}

TEST(Stage, free_traffic_alone_makes_few_events) {
  std::map<EventKind, int> counts;
  double minutes = 0, worst_ms = 0;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const Layout layout = MakeLayout(seed, {640, 360});
    auto traffic = Traffic::Create(&layout, MakeScenario(seed, 60).traffic);
    EventObserver observer(&layout);
    Scene scene;
    double observed_ms = 0;
    int looks = 0;
    for (int k = 0; k * 0.1 < 100; ++k, ++looks) {
      traffic->AdvanceTo(k * 0.1, &scene);
      const auto begin = std::chrono::steady_clock::now();
      observer.Observe(scene);
      observed_ms +=
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    }
    worst_ms = std::max(worst_ms, observed_ms / looks);
    minutes += 100.0 / 60;
    for (const TrueEvent& event : observer.Finish()) {
      ++counts[event.kind];
      std::printf("seed %d %s at %.2f ttc %.2f pet %.2f place %.1f %.1f\n", static_cast<int>(seed),
                  kEventNames[static_cast<size_t>(event.kind)].data(), event.time_s,
                  event.time_to_collision_s.value_or(-1), event.post_encroachment_s.value_or(-1),
                  event.place.x, event.place.y);
    }
  }
  int total = 0;
  for (const auto& [kind, count] : counts) {
    std::printf("%-18s %d in %.0f min\n", kEventNames[static_cast<size_t>(kind)].data(), count, minutes);
    total += count;
  }
  std::printf("observing takes up to %.3f ms a frame\n", worst_ms);
  EXPECT_LE(total, 2 * minutes);
}

}  // namespace
}  // namespace sightline::simulate
