// What deciding where to look costs a frame.
#include <benchmark/benchmark.h>

#include "stages/attention/attention.h"
#include "stages/attention/test_pictures.h"

namespace sightline::attention {
namespace {

void BM_motion(benchmark::State& state) {
  const Size size{static_cast<int>(state.range(0)), static_cast<int>(state.range(1))};
  TestScene scene(size, 1);
  std::vector<FramePtr> frames;
  for (int i = 0; i < 4; ++i) {
    scene.Begin();
    scene.Fill({40.f * static_cast<float>(i), 50, 40.f * static_cast<float>(i) + 60, 90}, 200);
    frames.push_back(scene.Finish(3));
  }
  auto detector = MotionDetector::Create();
  double time_s = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(detector->Update(*frames[static_cast<size_t>(time_s * 5) % 4], time_s));
    time_s += 0.2;
  }
}
BENCHMARK(BM_motion)->Args({640, 360})->Args({1920, 1080})->Args({3840, 2160})->Unit(benchmark::kMicrosecond);

void BM_plan(benchmark::State& state) {
  TestScene scene({640, 360}, 1);
  auto detector = MotionDetector::Create();
  auto planner = Planner::Create({.model_input = {576, 320}});
  std::vector<TrackedBox> tracks;
  for (int i = 0; i < 12; ++i) {
    const float x = 45 * static_cast<float>(i);
    tracks.push_back({i + 1, {x, 150, x + 30, 200}, i % 2 == 0 ? 40.f : 0.f, 0, true, 0});
  }
  const Motion* motion = nullptr;
  for (int i = 0; i < 4; ++i) {
    scene.Begin();
    for (int j = 0; j < 4; ++j) {
      const float x = 150 * static_cast<float>(j) + 15 * static_cast<float>(i);
      scene.Fill({x, 80, x + 40, 110}, 200);
    }
    motion = &detector->Update(*scene.Finish(3), 0.2 * i);
  }
  double time_s = 1;
  for (auto _ : state) {
    for (TrackedBox& track : tracks) track.looked_s = time_s - 0.5;
    benchmark::DoNotOptimize(planner->Plan(*motion, tracks, {640, 360}, time_s));
    time_s += 0.2;
  }
}
BENCHMARK(BM_plan)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sightline::attention

BENCHMARK_MAIN();
