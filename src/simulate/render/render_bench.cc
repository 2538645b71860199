// Frames a second on one core: a street of 640x360 with 25 actors.
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "simulate/render/renderer.h"
#include "simulate/render/test_scene.h"

namespace sightline::simulate {
namespace {

constexpr int kActors = 25;

void Render(benchmark::State& state, const Weather& weather) {
  const Layout layout = MakeLayout(static_cast<uint64_t>(state.range(0)), {640, 360});
  const auto renderer = Renderer::Create(&layout, {.seed = 1});
  Scene scene = CrowdedScene(layout, 1, kActors, weather);
  Frame frame;
  for (auto _ : state) {
    renderer->Render(scene, &frame);
    scene.time_s += 0.04;
  }
  CHECK(frame.size == layout.camera.size) << "no picture";
  state.SetItemsProcessed(state.iterations());
}

// The sun moves, so that the background is lit anew all the time.
void RenderChanging(benchmark::State& state) {
  const Layout layout = MakeLayout(static_cast<uint64_t>(state.range(0)), {640, 360});
  const auto renderer = Renderer::Create(&layout, {.seed = 1});
  Scene scene = CrowdedScene(layout, 1, kActors, MakeWeather(DayLight::kDay));
  Frame frame;
  for (auto _ : state) {
    renderer->Render(scene, &frame);
    scene.time_s += 0.04;
    scene.weather.sun_azimuth += 0.0005;
  }
  state.SetItemsProcessed(state.iterations());
}

void Observe(benchmark::State& state) {
  const Layout layout = MakeLayout(static_cast<uint64_t>(state.range(0)), {640, 360});
  const auto observer = Observer::Create(&layout);
  const Scene scene = CrowdedScene(layout, 1, kActors, MakeWeather(DayLight::kDay));
  std::vector<Sighting> sightings;
  for (auto _ : state) observer->Observe(scene, &sightings);
  CHECK(!sightings.empty()) << "nobody is seen";
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(Render, day, MakeWeather(DayLight::kDay))->DenseRange(1, 3)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Render, dusk, MakeWeather(DayLight::kDusk))
    ->DenseRange(1, 3)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Render, night, MakeWeather(DayLight::kNight))
    ->DenseRange(1, 3)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Render, night_rain, MakeWeather(DayLight::kNight, 1, 0.8))
    ->DenseRange(1, 3)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Render, rain, MakeWeather(DayLight::kDay, 1, 0.8))
    ->DenseRange(1, 3)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Render, fog, MakeWeather(DayLight::kDay, 1, 0, 0.7))
    ->DenseRange(1, 3)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(RenderChanging)->DenseRange(1, 3)->Unit(benchmark::kMillisecond);
BENCHMARK(Observe)->DenseRange(1, 3)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sightline::simulate

BENCHMARK_MAIN();
