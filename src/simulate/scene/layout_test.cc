#include "simulate/scene/layout.h"

#include <cmath>
#include <set>

#include "gtest/gtest.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

constexpr Size kPicture{640, 360};
constexpr uint64_t kSeeds = 60;

TEST(Path, goes_straight_on_beyond_its_ends) {
  const Path path({{0, 0}, {3, 4}, {3, 10}});
  EXPECT_DOUBLE_EQ(path.length(), 11);
  EXPECT_NEAR(path.At(2.5).point.x, 1.5, 1e-12);
  EXPECT_NEAR(path.At(2.5).point.y, 2, 1e-12);
  EXPECT_NEAR(path.At(6).heading, kPi / 2, 1e-12);
  EXPECT_NEAR(path.At(-5).point.y, -4, 1e-12);
  EXPECT_NEAR(path.At(13).point.y, 12, 1e-12);
}

TEST(ColorAt, repeats_every_cycle) {
  Signal signal;
  signal.cycle_s = 50, signal.green_begin_s = 10, signal.green_s = 20, signal.amber_s = 3;
  EXPECT_EQ(ColorAt(signal, 9.9), SignalColor::kRed);
  EXPECT_EQ(ColorAt(signal, 10), SignalColor::kGreen);
  EXPECT_EQ(ColorAt(signal, 31), SignalColor::kAmber);
  EXPECT_EQ(ColorAt(signal, 33.5), SignalColor::kRed);
  EXPECT_EQ(ColorAt(signal, 10 + 50 * 7), SignalColor::kGreen);
  EXPECT_EQ(ColorAt(signal, -25), SignalColor::kGreen);
}

TEST(Inside, knows_a_corner_cut_out) {
  const Polygon corner = {{0, 0}, {4, 0}, {4, 1}, {1, 1}, {1, 4}, {0, 4}};
  EXPECT_TRUE(Inside(corner, {3, 0.5}));
  EXPECT_TRUE(Inside(corner, {0.5, 3}));
  EXPECT_FALSE(Inside(corner, {2, 2}));
  EXPECT_FALSE(Inside(corner, {-1, 0.5}));
}

TEST(MakeLayout, same_seed_same_street) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const Layout a = MakeLayout(seed, kPicture), b = MakeLayout(seed, kPicture);
    ASSERT_EQ(a.routes.size(), b.routes.size());
    for (size_t i = 0; i < a.routes.size(); ++i)
      ASSERT_EQ(a.routes[i].path.points(), b.routes[i].path.points());
    ASSERT_EQ(a.camera.position.x, b.camera.position.x);
    ASSERT_EQ(a.camera.focal_px, b.camera.focal_px);
    ASSERT_EQ(a.trees.size(), b.trees.size());
    ASSERT_EQ(a.buildings.size(), b.buildings.size());
  }
}

TEST(MakeLayout, routes_are_smooth_and_stay_on_the_road) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Layout layout = MakeLayout(seed, kPicture);
    std::set<int> from, to;
    for (const Route& route : layout.routes) {
      from.insert(route.from_arm), to.insert(route.to_arm);
      ASSERT_LT(0, route.stop_s);
      ASSERT_LT(route.stop_s, route.enter_s);
      ASSERT_LT(route.enter_s, route.leave_s);
      ASSERT_LT(route.leave_s, route.path.length());
      ASSERT_FALSE(OnCrosswalk(layout, route.path.At(route.stop_s).point, 0));
      double heading = route.path.At(1).heading;
      for (double s = 1; s < route.path.length() - 1; s += 0.5) {
        const Path::Pose pose = route.path.At(s);
        ASSERT_TRUE(OnRoad(layout, pose.point)) << "seed " << seed << " at " << s;
        ASSERT_LT(std::abs(WrapAngle(pose.heading - heading)), 0.3) << "seed " << seed << " at " << s;
        heading = pose.heading;
      }
    }
    EXPECT_EQ(static_cast<int>(from.size()), layout.arms);
    EXPECT_EQ(static_cast<int>(to.size()), layout.arms);
  }
}

TEST(MakeLayout, signals_keep_crossing_ways_apart) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Layout layout = MakeLayout(seed, kPicture);
    for (double t = 0; t < 120; t += 0.25) {
      const auto color = [&](size_t i) { return ColorAt(layout.signals[i], t); };
      const auto arms = static_cast<size_t>(layout.arms);
      for (size_t i = 0; i < arms; ++i) {
        const size_t next = (i + 1) % arms;
        if (i % 2 == next % 2) continue;  // face each other
        ASSERT_TRUE(color(i) == SignalColor::kRed || color(next) == SignalColor::kRed);
      }
      for (size_t i = 0; i < arms; ++i) {
        if (color(static_cast<size_t>(layout.crosswalks[i].signal)) == SignalColor::kGreen) {
          ASSERT_EQ(color(i), SignalColor::kRed) << "people cross arm " << i << " before its traffic";
        }
      }
    }
  }
}

TEST(MakeLayout, nothing_is_built_on_public_ground) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Layout layout = MakeLayout(seed, kPicture);
    for (const Building& building : layout.buildings) {
      const double c = Cos(building.heading), s = Sin(building.heading);
      for (int i = -4; i <= 4; ++i) {
        for (int j = -4; j <= 4; ++j) {
          const double x = i / 8.0 * building.length, y = j / 8.0 * building.width;
          const Point2 point = {building.center.x + c * x - s * y, building.center.y + s * x + c * y};
          ASSERT_FALSE(OnRoad(layout, point)) << seed;
          for (const Polygon& sidewalk : layout.sidewalks) ASSERT_FALSE(Inside(sidewalk, point)) << seed;
        }
      }
    }
    for (const Tree& tree : layout.trees) ASSERT_FALSE(OnRoad(layout, tree.position)) << seed;
    for (const Pole& pole : layout.poles) ASSERT_FALSE(OnRoad(layout, pole.position)) << seed;
  }
}

TEST(MakeLayout, cameras_see_the_street_and_no_two_see_the_same) {
  std::set<std::pair<int, int>> seen;  // centimetres
  double roads = 0;
  constexpr uint64_t kCameras = 300;
  for (uint64_t seed = 1; seed <= kCameras; ++seed) {
    const Layout layout = MakeLayout(seed, kPicture);
    const Camera& camera = layout.camera;
    EXPECT_GE(camera.position.z, 6);
    EXPECT_LE(camera.position.z, 20);
    const double view = 2 * std::atan(320 / camera.focal_px) * 180 / kPi;
    EXPECT_GE(view, 44.9);
    EXPECT_LE(view, 80.1);
    const Projection projection(camera);
    const auto feet = projection.Project({0, 0, 0}), head = projection.Project({0, 0, 1.7});
    ASSERT_TRUE(feet && head);
    const double person = feet->y - head->y;
    EXPECT_GE(person, 12) << seed;
    EXPECT_LE(person, 70) << seed;
    int road = 0;
    for (int i = 0; i < 20; ++i) {
      for (int j = 2; j < 10; ++j) {
        const auto ground = projection.Ground((i + 0.5) * 32, (j + 0.5) * 36);
        road += ground && OnRoad(layout, *ground);
      }
    }
    EXPECT_GT(road / 160.0, 0.15) << seed;
    roads += road / 160.0;
    seen.insert({static_cast<int>(camera.position.x * 100), static_cast<int>(camera.position.y * 100)});
  }
  EXPECT_GT(roads / kCameras, 0.3);
  EXPECT_GT(seen.size(), kCameras - 5);
}

}  // namespace
}  // namespace sightline::simulate
