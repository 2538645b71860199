#include "stages/rules/geometry.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "stages/rules/motion/shape.h"
#include "stages/rules/motion/view.h"

namespace sightline::rules {
namespace {

// A camera 8 m up that looks 25 degrees down along +y, 600 pixels of focal length, 640 x 360.
struct Pinhole {
  double height = 8, pitch = 25 * M_PI / 180, focal = 600;
  Size size{640, 360};
  Point At(double x, double y, double z = 0) const {
    const double forward = y * std::cos(pitch) + (height - z) * std::sin(pitch);
    const double down = -y * std::sin(pitch) + (height - z) * std::cos(pitch);
    return {size.width / 2.0 + focal * x / forward, size.height / 2.0 + focal * down / forward};
  }
  std::vector<Homography::Pair> Pairs(double noise = 0, uint32_t seed = 1) const {
    std::mt19937 random(seed);
    std::normal_distribution<double> error(0, 1);
    std::vector<Homography::Pair> pairs;
    for (const double x : {-6.0, -2.0, 2.0, 6.0})
      for (const double y : {10.0, 18.0, 30.0}) {
        const Point p = At(x, y);
        pairs.push_back({{p.x + noise * error(random), p.y + noise * error(random)}, {x, y}});
      }
    return pairs;
  }
  Box BoxOf(const Point& center, const Point& along, double length, double width, double tall) const {
    Box box{1e9f, 1e9f, -1e9f, -1e9f};
    for (int i = 0; i < 8; ++i) {
      const double a = (i & 1 ? 0.5 : -0.5) * length, b = (i & 2 ? 0.5 : -0.5) * width;
      const Point p =
          At(center.x + a * along.x - b * along.y, center.y + a * along.y + b * along.x, i & 4 ? tall : 0);
      box = {std::min(box.x1, static_cast<float>(p.x)), std::min(box.y1, static_cast<float>(p.y)),
             std::max(box.x2, static_cast<float>(p.x)), std::max(box.y2, static_cast<float>(p.y))};
    }
    return box;
  }
};

TEST(Homography, exact_points_are_met_both_ways) {
  const Pinhole camera;
  const auto ground = Homography::Fit(camera.Pairs());
  ASSERT_TRUE(ground.ok()) << ground.status();
  EXPECT_LT(ground->error_px(), 1e-6);
  for (const double x : {-5.0, 0.0, 4.0})
    for (const double y : {12.0, 25.0, 60.0}) {
      const auto back = ground->ToGround(camera.At(x, y));
      ASSERT_TRUE(back);
      EXPECT_NEAR(back->x, x, 1e-5);
      EXPECT_NEAR(back->y, y, 1e-5);
    }
}

TEST(Homography, error_is_that_of_the_points) {
  const auto ground = Homography::Fit(Pinhole().Pairs(1.0, 7));
  ASSERT_TRUE(ground.ok());
  // 24 coordinates less 8 unknowns: the residuals are a little smaller than the noise of both axes.
  EXPECT_GT(ground->error_px(), 0.6);
  EXPECT_LT(ground->error_px(), 1.8);
}

TEST(Homography, nothing_is_on_the_ground_above_the_horizon) {
  const Pinhole camera;
  const auto ground = Homography::Fit(camera.Pairs());
  ASSERT_TRUE(ground.ok());
  const double horizon = camera.size.height / 2.0 - camera.focal * std::tan(camera.pitch);
  EXPECT_FALSE(ground->ToGround({320, horizon - 1}));
  EXPECT_FALSE(ground->ToGround({-900, horizon - 200}));
  EXPECT_TRUE(ground->ToGround({320, horizon + 5}));
}

TEST(Homography, a_pixel_covers_more_further_away) {
  const Pinhole camera;
  const auto ground = Homography::Fit(camera.Pairs());
  ASSERT_TRUE(ground.ok());
  const Point near = ground->MetresPerPixel(camera.At(0, 10)), far = ground->MetresPerPixel(camera.At(0, 40));
  EXPECT_NEAR(near.x, (camera.At(0, 10).x - camera.At(-1, 10).x) > 0 ? 1 / (camera.At(1, 10).x - 320) : 0,
              1e-6);
  EXPECT_GT(far.x, 2 * near.x);
  EXPECT_GT(far.y, 2 * near.y);
}

TEST(Homography, refuses_what_fixes_no_plane) {
  auto pairs = Pinhole().Pairs();
  EXPECT_FALSE(Homography::Fit({pairs[0], pairs[1], pairs[2]}).ok());
  EXPECT_FALSE(Homography::Fit({pairs[0], pairs[0], pairs[0], pairs[0]}).ok());
  std::vector<Homography::Pair> line;
  for (int i = 0; i < 6; ++i) line.push_back({{i * 10.0, i * 20.0}, {i * 1.0, i * 2.0}});
  const auto in_line = Homography::Fit(line);
  ASSERT_FALSE(in_line.ok());
  EXPECT_NE(in_line.status().message().find("in line"), std::string::npos);
  for (const double bad : {std::nan(""), HUGE_VAL, 1e12}) {
    auto broken = pairs;
    broken[2].pixel.x = bad;
    EXPECT_FALSE(Homography::Fit(broken).ok()) << bad;
  }
}

TEST(Homography, scales_with_the_picture) {
  const Pinhole camera;
  const auto ground = Homography::Fit(camera.Pairs());
  ASSERT_TRUE(ground.ok());
  SceneGeometry scene;
  scene.picture = camera.size;
  scene.ground = *ground;
  scene.zones.push_back({"a", {{0, 0}, {640, 0}, {640, 360}}, std::nullopt});
  scene.lines.push_back({"b", {10, 20}, {30, 40}});
  const SceneGeometry twice = scene.Scaled({1280, 720});
  const Point p = camera.At(2, 20);
  const auto back = twice.ground->ToGround({2 * p.x, 2 * p.y});
  ASSERT_TRUE(back);
  EXPECT_NEAR(back->x, 2, 1e-5);
  EXPECT_NEAR(back->y, 20, 1e-5);
  EXPECT_EQ(twice.zones[0].polygon[2].y, 720);
  EXPECT_EQ(twice.lines[0].to.x, 60);
}

TEST(Shape, rectangles_touch_when_they_should) {
  Footprint a{{0, 0}, {1, 0}, {10, 0}, 2, 1}, b{{14, 0}, {0, 1}, {0, 0}, 2, 1};
  const auto time = TimeToTouch(a, b);
  ASSERT_TRUE(time);
  EXPECT_NEAR(*time, 1.1, 1e-9);
  b.center.y = 3.5;
  EXPECT_FALSE(TimeToTouch(a, b));  // passes beside
  b.center = {1, 0};
  EXPECT_TRUE(Overlap(a, b));
  EXPECT_EQ(*TimeToTouch(a, b), 0);
}

TEST(View, finds_the_middle_of_a_block_from_its_box) {
  const Pinhole camera;
  const auto ground = Homography::Fit(camera.Pairs());
  ASSERT_TRUE(ground.ok());
  const View view(*ground, camera.size);
  ASSERT_TRUE(view.upright_known());
  const ClassFacts& car = FactsOf("car");
  for (const double turn : {0.0, 0.6, 1.57, 2.4}) {
    const Point along{std::cos(turn), std::sin(turn)}, center{1.5, 22};
    View::Block block;
    const Box box = camera.BoxOf(center, along, 4.4, 1.8, 1.5);
    const auto placed = view.Place(box, car, along, std::nullopt, &block);
    ASSERT_TRUE(placed);
    EXPECT_LT(Length(placed->center - center), 0.35) << turn;
    // Better than the middle of the lower edge.
    const auto foot = view.PlaceFoot(box);
    ASSERT_TRUE(foot);
    EXPECT_LT(Length(placed->center - center), Length(foot->center - center)) << turn;
  }
}

TEST(View, straight_down_takes_the_lower_edge) {
  std::vector<Homography::Pair> pairs;
  for (const double x : {0.0, 640.0})
    for (const double y : {0.0, 360.0}) pairs.push_back({{x, y}, {x * 0.05, y * 0.05}});
  const auto ground = Homography::Fit(pairs);
  ASSERT_TRUE(ground.ok());
  const View view(*ground, {640, 360});
  EXPECT_FALSE(view.upright_known());
  View::Block block;
  const auto placed = view.Place({100, 100, 140, 120}, FactsOf("car"), {1, 0}, std::nullopt, &block);
  ASSERT_TRUE(placed);
  EXPECT_NEAR(placed->center.x, 6, 1e-6);
  EXPECT_NEAR(placed->center.y, 6, 1e-6);
}

}  // namespace
}  // namespace sightline::rules
