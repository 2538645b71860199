#include <gtest/gtest.h>

#include <bit>

#include "simulate/render/renderer.h"
#include "simulate/render/test_scene.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

std::vector<Sighting> Seen(const Layout& layout, const std::vector<Actor>& actors) {
  Scene scene;
  scene.actors = actors;
  std::vector<Sighting> sightings;
  Observer::Create(&layout)->Observe(scene, &sightings);
  return sightings;
}

// Buses from the side through a long lens: all but a parallel view of boxes.
const Layout& SideView() {
  static const auto* layout = new Layout(BareLayout({0, -200, 1.6}, 0, 4000));
  return *layout;
}

TEST(Observer, half_hidden_is_half_visible) {
  const Actor behind = MakeActor(1, ActorKind::kBus, {0, 2}, 0);
  const Actor before = MakeActor(2, ActorKind::kBus, {behind.length / 2, -2}, 0);
  const auto sightings = Seen(SideView(), {behind, before});
  ASSERT_EQ(sightings.size(), 2u);
  EXPECT_NEAR(sightings[0].visibility, 0.5, 0.03);
  EXPECT_DOUBLE_EQ(sightings[1].visibility, 1);
}

TEST(Observer, what_leaves_the_picture_loses_visibility_and_its_box_is_clipped) {
  // 320 pixels from the middle to the edge are 16 m at 200 m: half of the bus is outside.
  const auto sightings = Seen(SideView(), {MakeActor(1, ActorKind::kBus, {16, 0}, 0)});
  ASSERT_EQ(sightings.size(), 1u);
  EXPECT_NEAR(sightings[0].visibility, 0.5, 0.03);
  EXPECT_EQ(sightings[0].box.x2, 640);
}

TEST(Observer, boxes_have_the_size_that_perspective_gives) {
  const Actor bus = MakeActor(1, ActorKind::kBus, {0, 0}, 0);
  const auto sightings = Seen(SideView(), {bus});
  ASSERT_EQ(sightings.size(), 1u);
  const double scale = 4000 / (200 - bus.width / 2);  // of its near side
  EXPECT_NEAR(static_cast<double>(sightings[0].box.width()), bus.length * scale, 0.06 * bus.length * scale);
  EXPECT_NEAR(static_cast<double>(sightings[0].box.height()), bus.height * scale, 0.12 * bus.height * scale);
}

TEST(Observer, houses_hide_and_who_is_wholly_hidden_is_told_with_visibility_0) {
  Layout layout = SideView();
  layout.buildings.push_back({{0, -40}, 40, 8, 12, 0, 3});
  const auto sightings = Seen(layout, {MakeActor(1, ActorKind::kCar, {0, 0}, 0)});
  ASSERT_EQ(sightings.size(), 1u);
  EXPECT_EQ(sightings[0].visibility, 0);
}

TEST(Observer, who_is_behind_the_camera_or_aside_is_not_told) {
  EXPECT_TRUE(Seen(SideView(), {MakeActor(1, ActorKind::kCar, {0, -260}, 0)}).empty());
  EXPECT_TRUE(Seen(SideView(), {MakeActor(1, ActorKind::kCar, {40, 0}, 0)}).empty());
}

// The truth is the same on every machine: this number was found on x86-64 and must be found on arm64. It
// moves when streets or shapes of actors change.
TEST(Observer, tells_the_same_bits_on_every_machine) {
  uint64_t hash = 14695981039346656037ull;  // FNV-1a
  const auto add = [&](uint64_t value) {
    for (int i = 0; i < 64; i += 8) hash = (hash ^ ((value >> i) & 255)) * 1099511628211ull;
  };
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const Layout layout = MakeLayout(seed, {640, 360});
    std::vector<Sighting> sightings;
    Observer::Create(&layout)->Observe(CrowdedScene(layout, seed, 40, MakeWeather(DayLight::kDay)),
                                       &sightings);
    EXPECT_GE(sightings.size(), 3u);
    for (const Sighting& s : sightings) {
      add(static_cast<uint64_t>(s.id));
      for (const float edge : {s.box.x1, s.box.y1, s.box.x2, s.box.y2}) add(std::bit_cast<uint32_t>(edge));
      add(std::bit_cast<uint64_t>(s.visibility));
    }
  }
  EXPECT_EQ(hash, 10985754730900833051ull);
}

}  // namespace
}  // namespace sightline::simulate
