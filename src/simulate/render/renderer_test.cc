#include "simulate/render/renderer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "simulate/render/test_scene.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

const std::vector<Weather>& AllWeathers() {
  static const auto* all = new std::vector<Weather>{
      MakeWeather(DayLight::kDay),           MakeWeather(DayLight::kDay, 1),
      MakeWeather(DayLight::kDay, 1, 1),     MakeWeather(DayLight::kDay, 1, 0, 1),
      MakeWeather(DayLight::kDusk),          MakeWeather(DayLight::kDusk, 1, 0.5),
      MakeWeather(DayLight::kNight),         MakeWeather(DayLight::kNight, 0, 1, 0.4),
      MakeWeather(DayLight::kNight, 0, 0, 1)};
  return *all;
}

Frame Picture(const Layout& layout, const Scene& scene, double noise = 0) {
  Frame frame;
  Renderer::Create(&layout, {.seed = 3, .noise = noise})->Render(scene, &frame);
  return frame;
}

int Luma(const Frame& frame, int x, int y) { return frame.planes[0].data[y * frame.planes[0].stride + x]; }

double MeanLuma(const Frame& frame, int x1, int y1, int x2, int y2) {
  double sum = 0;
  for (int y = y1; y < y2; ++y) {
    for (int x = x1; x < x2; ++x) sum += Luma(frame, x, y);
  }
  return sum / ((x2 - x1) * (y2 - y1));
}

bool Equal(const Frame& a, const Frame& b) {
  for (int plane = 0; plane < 3; ++plane) {
    const Size size = PlaneSize(a.format, a.size, plane);
    for (int y = 0; y < size.height; ++y) {
      const auto p = static_cast<size_t>(plane);
      const uint8_t *row_a = a.planes[p].data + static_cast<ptrdiff_t>(y) * a.planes[p].stride,
                    *row_b = b.planes[p].data + static_cast<ptrdiff_t>(y) * b.planes[p].stride;
      if (!std::equal(row_a, row_a + size.width, row_b)) return false;
    }
  }
  return true;
}

std::vector<Sighting> Seen(const Layout& layout, const Scene& scene) {
  std::vector<Sighting> sightings;
  Observer::Create(&layout)->Observe(scene, &sightings);
  return sightings;
}

TEST(Renderer, a_things_picture_lies_in_its_sighting_box) {
  const Layout layout = BareLayout({0, -25, 9}, 0.3, 700);
  for (const ActorKind kind : {ActorKind::kPerson, ActorKind::kBicycle, ActorKind::kMotorcycle,
                               ActorKind::kCar, ActorKind::kBus, ActorKind::kTruck}) {
    Scene scene;
    scene.weather = MakeWeather(DayLight::kDay, 1);
    const Frame empty = Picture(layout, scene);
    scene.actors = {MakeActor(1, kind, {1.5, 1}, 0.6)};
    const Frame with = Picture(layout, scene);
    const auto sightings = Seen(layout, scene);
    ASSERT_EQ(sightings.size(), 1u);
    const Box box = sightings[0].box;
    Box changed{640, 360, 0, 0};
    for (int y = 0; y < 360; ++y) {
      for (int x = 0; x < 640; ++x) {
        // The dark on the ground, 0.45 m (12 pixels) around it, is mostly fainter than this.
        if (std::abs(Luma(with, x, y) - Luma(empty, x, y)) < 25) continue;
        changed = {std::min(changed.x1, static_cast<float>(x)), std::min(changed.y1, static_cast<float>(y)),
                   std::max(changed.x2, static_cast<float>(x + 1)),
                   std::max(changed.y2, static_cast<float>(y + 1))};
      }
    }
    SCOPED_TRACE(kActorLabels[static_cast<size_t>(kind)]);
    EXPECT_NEAR(changed.x1, box.x1, 12);
    EXPECT_NEAR(changed.y1, box.y1, 12);
    EXPECT_NEAR(changed.x2, box.x2, 12);
    EXPECT_NEAR(changed.y2, box.y2, 12);
    EXPECT_GT(sightings[0].visibility, 0.99);
  }
}

TEST(Renderer, shadows_fall_away_from_the_sun) {
  const Layout layout = BareLayout({0, -30, 25}, 0.7, 600);
  Scene scene;
  scene.actors = {MakeActor(1, ActorKind::kBus, {0, 0}, kPi / 2)};
  for (const double azimuth : {0.0, kPi}) {
    scene.weather = MakeWeather(DayLight::kDay);
    scene.weather.sun_azimuth = azimuth;
    const Frame frame = Picture(layout, scene);
    const auto at = Projection(layout.camera).Project({0, 0, 0});
    const auto side = [&](double x) {
      const auto p = Projection(layout.camera).Project({x, 0, 0});
      return MeanLuma(frame, static_cast<int>(p->x) - 8, static_cast<int>(p->y) - 8,
                      static_cast<int>(p->x) + 8, static_cast<int>(p->y) + 8);
    };
    ASSERT_TRUE(at.has_value());
    const double east = side(3.2), west = side(-3.2);
    if (azimuth == 0) {
      EXPECT_LT(west, 0.75 * east);
    } else {
      EXPECT_LT(east, 0.75 * west);
    }
  }
}

TEST(Renderer, night_is_darker_than_dusk_and_dusk_than_day) {
  const Layout layout = MakeLayout(4, {320, 180});
  const auto mean = [&](DayLight light) {
    return MeanLuma(Picture(layout, CrowdedScene(layout, 4, 10, MakeWeather(light, 0.3))), 0, 0, 320, 180);
  };
  const double day = mean(DayLight::kDay), dusk = mean(DayLight::kDusk), night = mean(DayLight::kNight);
  EXPECT_LT(night, dusk);
  EXPECT_LT(dusk, day);
  EXPECT_LT(night, 0.75 * day);
}

TEST(Renderer, gives_equal_pictures_for_equal_scenes) {
  const Layout layout = MakeLayout(2, {320, 180});
  for (const Weather& weather : AllWeathers()) {
    const Scene scene = CrowdedScene(layout, 2, 12, weather);
    const auto renderer = Renderer::Create(&layout, {.seed = 3, .noise = 0});
    Frame first, second;
    renderer->Render(scene, &first);
    renderer->Render(scene, &second);
    EXPECT_TRUE(Equal(first, second));
    EXPECT_TRUE(Equal(first, Picture(layout, scene)));
    EXPECT_TRUE(Equal(Picture(layout, scene, 1), Picture(layout, scene, 1)));
    EXPECT_FALSE(Equal(first, Picture(layout, scene, 1)));
  }
}

TEST(Renderer, pictures_are_limited_range_video) {
  const Layout layout = MakeLayout(1, {322, 182});
  const Frame frame = Picture(layout, CrowdedScene(layout, 1, 5, AllWeathers()[0]), 1);
  EXPECT_EQ(frame.size, (Size{322, 182}));
  EXPECT_EQ(frame.format, PixelFormat::kYuv420);
  EXPECT_EQ(frame.matrix, ColorMatrix::kBt709);
  EXPECT_EQ(frame.range, ColorRange::kLimited);
  int least = 255, most = 0;
  for (int y = 0; y < 182; ++y) {
    for (int x = 0; x < 322; ++x) {
      least = std::min(least, Luma(frame, x, y));
      most = std::max(most, Luma(frame, x, y));
    }
  }
  EXPECT_GE(least, 16);
  EXPECT_LE(most, 235);
  EXPECT_GT(most - least, 60);
}

TEST(Renderer, survives_every_weather_and_things_at_the_lens) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Layout layout = MakeLayout(seed, {160, 90});
    const auto renderer = Renderer::Create(&layout, {.seed = seed});
    const auto observer = Observer::Create(&layout);
    const Point3& eye = layout.camera.position;
    for (const Weather& weather : AllWeathers()) {
      Scene scene = CrowdedScene(layout, seed, 12, weather);
      for (const double ahead : {-3.0, 0.0, 0.3, 2.0}) {
        Actor tall = MakeActor(
            static_cast<int64_t>(scene.actors.size()) + 1, ActorKind::kBus,
            {eye.x + ahead * Cos(layout.camera.yaw), eye.y + ahead * Sin(layout.camera.yaw)}, ahead);
        tall.height = eye.z + ahead;  // the camera is within
        tall.lights = true;
        scene.actors.push_back(tall);
      }
      Frame frame;
      std::vector<Sighting> sightings;
      renderer->Render(scene, &frame);
      observer->Observe(scene, &sightings);
      for (const Sighting& s : sightings) {
        EXPECT_TRUE(s.box.x1 >= 0 && s.box.y1 >= 0 && s.box.x2 <= 160 && s.box.y2 <= 90 && s.box.area() > 0);
        EXPECT_TRUE(s.visibility >= 0 && s.visibility <= 1) << s.visibility;
      }
    }
  }
}

}  // namespace
}  // namespace sightline::simulate
