#include <gtest/gtest.h>

#include "base/count_allocations.h"
#include "simulate/render/renderer.h"
#include "simulate/render/test_scene.h"

namespace sightline::simulate {
namespace {

TEST(Renderer, allocates_nothing_once_warm) {
  const Layout layout = MakeLayout(1, {320, 180});
  Scene scene = CrowdedScene(layout, 1, 25, MakeWeather(DayLight::kNight, 0, 0.5));
  const auto renderer = Renderer::Create(&layout, {.seed = 1});
  const auto observer = Observer::Create(&layout);
  Frame frame;
  std::vector<Sighting> sightings;
  const auto run = [&] {
    renderer->Render(scene, &frame);
    observer->Observe(scene, &sightings);
    scene.time_s += 0.04;
  };
  for (int i = 0; i < 3; ++i) run();
  const int64_t before = allocations_of_this_thread;
  for (int i = 0; i < 10; ++i) run();
  EXPECT_EQ(allocations_of_this_thread - before, 0);
  EXPECT_GT(before, 0);  // the counter counts
}

}  // namespace
}  // namespace sightline::simulate
