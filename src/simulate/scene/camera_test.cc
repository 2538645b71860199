#include "simulate/scene/camera.h"

#include <array>

#include "gtest/gtest.h"

namespace sightline::simulate {
namespace {

Camera Slanted() {
  Camera camera;
  camera.size = {640, 360};
  camera.focal_px = 500;
  camera.position = {3, -20, 8};
  camera.yaw = 1.4;
  camera.pitch = 0.35;
  camera.roll = 0.02;
  return camera;
}

// Expected values: OpenCV's projectPoints with the same matrix, built by Rodrigues' formula in numpy.
TEST(Projection, agrees_with_opencv) {
  const Projection projection(Slanted());
  struct Case {
    Point3 point;
    double x, y, depth;
  };
  const Case cases[] = {{{0, 0, 0}, 167.538221225, 205.473076941, 20.778286696},
                        {{5, 10, 1.7}, 266.874008308, 109.384389751, 30.250718766},
                        {{-8, 4, 0}, -1.396626850, 187.426054685, 23.203805072},
                        {{3.5, -6, 3}, 256.028397946, 179.144295134, 14.754184493}};
  for (const Case& wanted : cases) {
    const auto seen = projection.Project(wanted.point);
    ASSERT_TRUE(seen.has_value());
    EXPECT_NEAR(seen->x, wanted.x, 1e-8);
    EXPECT_NEAR(seen->y, wanted.y, 1e-8);
    EXPECT_NEAR(seen->depth, wanted.depth, 1e-8);
  }
  const std::array<double, 9> homography = {26.1395732603,    10.0046762798,    167.538221225,
                                            -0.493276638873,  -0.0285924688215, 205.473076941,
                                            0.00768410304745, 0.0445515359269,  1};
  for (size_t i = 0; i < 9; ++i) EXPECT_NEAR(projection.GroundHomography()[i], homography[i], 1e-9) << i;
}

TEST(Projection, finds_the_ground_behind_a_pixel) {
  const Projection projection(Slanted());
  const auto ground = projection.Ground(400, 300);
  ASSERT_TRUE(ground.has_value());
  EXPECT_NEAR(ground->x, 7.178507968, 1e-8);
  EXPECT_NEAR(ground->y, -8.557232804, 1e-8);
}

TEST(Projection, sees_nothing_behind_it_and_no_ground_in_the_sky) {
  const Projection projection(Slanted());
  EXPECT_FALSE(projection.Project({3, -40, 0}).has_value());
  EXPECT_FALSE(projection.Ground(320, -50).has_value());
}

}  // namespace
}  // namespace sightline::simulate
