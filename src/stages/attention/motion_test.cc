#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "stages/attention/attention.h"
#include "stages/attention/test_pictures.h"

namespace sightline::attention {
namespace {

constexpr Size kSize{640, 360};
constexpr double kStep = 0.2;

bool MovedIn(const Motion& motion, const Box& box) {
  const float width = static_cast<float>(motion.picture.width) / static_cast<float>(motion.columns);
  const float height = static_cast<float>(motion.picture.height) / static_cast<float>(motion.rows);
  for (int row = 0; row < motion.rows; ++row) {
    for (int column = 0; column < motion.columns; ++column) {
      const float x = (static_cast<float>(column) + 0.5f) * width,
                  y = (static_cast<float>(row) + 0.5f) * height;
      if (motion.moved[static_cast<size_t>(row * motion.columns + column)] && x > box.x1 && x < box.x2 &&
          y > box.y1 && y < box.y2) {
        return true;
      }
    }
  }
  return false;
}

// Share of frames, after a second to settle, in which anything moved or the grid said nothing.
template <typename Draw>
double ShareOfAlarms(Draw draw, int frames = 60, double step = kStep) {
  auto detector = MotionDetector::Create();
  int alarms = 0;
  for (int i = 0; i < frames; ++i) {
    const Motion& motion = detector->Update(*draw(i), i * step);
    if (i >= 5 && (motion.share > 0 || motion.whole)) ++alarms;
  }
  return alarms / (frames - 5.0);
}

TEST(Motion, first_frame_and_another_size_say_nothing) {
  TestScene scene(kSize, 1), other({320, 240}, 1);
  scene.Begin();
  other.Begin();
  auto detector = MotionDetector::Create();
  EXPECT_TRUE(detector->Update(*scene.Finish(2), 0).whole);
  EXPECT_FALSE(detector->Update(*scene.Finish(2), 0.2).whole);
  const Motion& motion = detector->Update(*other.Finish(2), 0.4);
  EXPECT_TRUE(motion.whole);
  EXPECT_EQ(motion.moved.size(), static_cast<size_t>(motion.columns * motion.rows));
  EXPECT_EQ(motion.picture, (Size{320, 240}));
}

TEST(Motion, sensor_noise_is_none) {
  for (const float noise : {1.f, 4.f, 10.f}) {
    TestScene scene(kSize, 2);
    EXPECT_LE(ShareOfAlarms([&](int) {
                scene.Begin();
                return scene.Finish(noise);
              }),
              0.02)
        << noise;
  }
}

TEST(Motion, rain_is_none_once_its_level_is_known) {
  TestScene scene(kSize, 3);
  auto detector = MotionDetector::Create();
  double share = 0;
  for (int i = 0; i < 100; ++i) {
    scene.Begin();
    scene.Rain(400, 12);
    const Motion& motion = detector->Update(*scene.Finish(3), i * kStep);
    if (i >= 25) share += static_cast<double>(motion.share) / 75;
  }
  EXPECT_LT(share, 0.01);
}

TEST(Motion, dusk_that_falls_slowly_is_none) {
  TestScene scene(kSize, 4);
  EXPECT_LE(ShareOfAlarms([&](int i) {
              scene.Begin(1 - 0.008f * static_cast<float>(i));
              return scene.Finish(2);
            }),
            0.02);
}

TEST(Motion, exposure_that_adapts_is_none) {
  TestScene scene(kSize, 5);
  EXPECT_LE(ShareOfAlarms([&](int i) {
              scene.Begin(1 + 0.4f * static_cast<float>(1 - std::exp(-std::max(0, i - 20) / 8.0)));
              return scene.Finish(2);
            }),
            0.02);
}

TEST(Motion, light_that_is_switched_off_says_nothing_once) {
  TestScene scene(kSize, 6);
  auto detector = MotionDetector::Create();
  for (int i = 0; i < 30; ++i) {
    scene.Begin(i < 15 ? 1 : 0.35f);
    const Motion& motion = detector->Update(*scene.Finish(2), i * kStep);
    EXPECT_EQ(motion.whole, i == 0 || i == 15) << i;
    EXPECT_EQ(motion.share, 0) << i;
  }
}

TEST(Motion, camera_that_turns_says_nothing_and_one_that_stands_again_is_quiet) {
  TestScene scene(kSize, 7);
  auto detector = MotionDetector::Create();
  int quiet = 0;
  for (int i = 0; i < 40; ++i) {
    scene.Begin(1, i < 10 ? 0 : std::min(i - 10, 5) * 24);
    const Motion& motion = detector->Update(*scene.Finish(2), i * kStep);
    if (i > 10 && i <= 15) {
      EXPECT_TRUE(motion.whole || motion.share > 0.3f) << i;
    }
    if (i >= 22) quiet += !motion.whole && motion.share < 0.01f;
  }
  EXPECT_GE(quiet, 16);
}

TEST(Motion, small_distant_walker_is_found) {
  for (uint32_t seed = 0; seed < 10; ++seed) {
    TestScene scene(kSize, seed);
    auto detector = MotionDetector::Create();
    int found = 0;
    for (int i = 0; i < 50; ++i) {
      scene.Begin();
      // 7 x 18 pixels, 7 pixels a second.
      const float x = 300 + 1.4f * static_cast<float>(i);
      const Box walker{x, 80, x + 7, 98};
      if (i >= 10) scene.Fill(walker, 40);
      const Motion& motion = detector->Update(*scene.Finish(3), i * kStep);
      if (i >= 10) found += MovedIn(motion, {walker.x1 - 8, walker.y1 - 8, walker.x2 + 8, walker.y2 + 8});
    }
    EXPECT_GE(found, 20) << "seed " << seed;
  }
}

TEST(Motion, car_is_found_where_it_is_and_not_where_it_was) {
  TestScene scene(kSize, 8);
  auto detector = MotionDetector::Create();
  for (int i = 0; i < 30; ++i) {
    scene.Begin();
    const float x = 20 + 20 * static_cast<float>(i - 10);
    const Box car{x, 200, x + 60, 235};
    if (i >= 10) scene.Fill(car, 210);
    const Motion& motion = detector->Update(*scene.Finish(2), i * kStep);
    if (i < 12) continue;
    EXPECT_TRUE(MovedIn(motion, car)) << i;
    EXPECT_FALSE(MovedIn(motion, {0, 190, x - 40, 245})) << i;
  }
}

TEST(Motion, what_stopped_is_new_no_longer) {
  TestScene scene(kSize, 9);
  auto detector = MotionDetector::Create();
  for (int i = 0; i < 60; ++i) {
    scene.Begin();
    if (i >= 10) scene.Fill({300, 200, 360, 235}, 210);
    const Motion& motion = detector->Update(*scene.Finish(2), i * kStep);
    if (i == 10) {
      EXPECT_TRUE(MovedIn(motion, {300, 200, 360, 235}));
    }
    if (i > 40) {
      EXPECT_EQ(motion.share, 0) << i;
    }
  }
}

TEST(Motion, any_size_format_and_time_will_do) {
  const double times[] = {0, 0.2, 0.2, -5, std::numeric_limits<double>::quiet_NaN(), 1e18, 0.4};
  for (const PixelFormat format :
       {PixelFormat::kGray8, PixelFormat::kRgb24, PixelFormat::kYuv420, PixelFormat::kNv12}) {
    for (const Size size : {Size{1, 1}, Size{3, 500}, Size{641, 7}, Size{65, 33}, Size{1920, 1080}}) {
      auto detector = MotionDetector::Create();
      Frame frame;
      frame.Allocate(format, size);
      std::fill(frame.storage.begin(), frame.storage.end(), uint8_t{90});
      for (const double time : times) {
        const Motion& motion = detector->Update(frame, time);
        EXPECT_GE(motion.columns, 1);
        EXPECT_GE(motion.rows, 1);
        EXPECT_TRUE(std::isfinite(motion.share));
      }
      EXPECT_FALSE(detector->Update(frame, 0.6).whole);
    }
  }
}

}  // namespace
}  // namespace sightline::attention
