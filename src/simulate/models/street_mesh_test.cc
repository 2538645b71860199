// What holds for the ground and for what stands around a street.
#include <cmath>

#include "gtest/gtest.h"
#include "simulate/models/mesh.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

float Brightness(const Rgb& c) { return (c.red + c.green + c.blue) / 3; }

Polygon Rectangle(double x1, double y1, double x2, double y2) {
  return {{x1, y1}, {x2, y1}, {x2, y2}, {x1, y2}};
}

// A road along x with a lane each way, a crosswalk and a sidewalk.
Layout Road(uint64_t seed) {
  Layout layout;
  layout.seed = seed;
  layout.roads = {Rectangle(-80, -3.5, 80, 3.5)};
  layout.sidewalks = {Rectangle(-80, 3.5, 80, 6.5)};
  Lane lane;
  lane.area = Rectangle(10, 0, 80, 3.5);
  lane.center = Path({{80, 1.75}, {10, 1.75}});
  lane.width = 3.5;
  layout.lanes.push_back(lane);
  lane.area = Rectangle(10, -3.5, 80, 0);
  lane.center = Path({{10, -1.75}, {80, -1.75}});
  lane.incoming = false;
  layout.lanes.push_back(lane);
  layout.crosswalks.push_back({Rectangle(-20, -3.5, -16.5, 3.5), {-18.25, -3.5}, {-18.25, 3.5}, 3.5, -1});
  return layout;
}

struct Statistics {
  double mean = 0, deviation = 0;
};
Statistics Over(const Ground& ground, double x1, double y1, double x2, double y2, double footprint_m) {
  double sum = 0, squares = 0;
  constexpr int kSteps = 60;
  for (int i = 0; i < kSteps; ++i) {
    for (int j = 0; j < kSteps; ++j) {
      const double b = static_cast<double>(Brightness(ground.At(
          {x1 + (x2 - x1) * (i + 0.5) / kSteps, y1 + (y2 - y1) * (j + 0.5) / kSteps}, footprint_m)));
      sum += b;
      squares += b * b;
    }
  }
  const double mean = sum / (kSteps * kSteps);
  return {mean, std::sqrt(std::max(0.0, squares / (kSteps * kSteps) - mean * mean))};
}

TEST(Ground, paint_is_lighter_than_asphalt_and_asphalt_darker_than_the_sidewalk) {
  for (uint64_t seed = 1; seed < 30; ++seed) {
    const Layout layout = Road(seed);
    const Ground ground(layout);
    const double asphalt = Over(ground, -10, -3, 0, 3, 0.05).mean;
    EXPECT_LT(asphalt, 0.25) << seed;
    EXPECT_GT(asphalt, 0.03) << seed;
    // The line between the lanes is solid before the intersection.
    EXPECT_GT(Over(ground, 20, -0.03, 30, 0.03, 0.05).mean, 1.4 * asphalt) << seed;
    EXPECT_GT(Over(ground, -20, -3.4, -16.5, 3.4, 0.05).mean, 1.1 * asphalt) << seed;
    EXPECT_GT(Over(ground, -10, 4, 10, 6, 0.05).mean, 1.15 * asphalt) << seed;
  }
}

TEST(Ground, wide_pixels_see_the_mean_of_what_they_cover_and_no_grain) {
  const Layout layout = Road(5);
  const Ground ground(layout);
  for (const double y : {-2.5, 1.0}) {
    const Statistics fine = Over(ground, 40, y, 58, y + 1.5, 0.02),
                     coarse = Over(ground, 40, y, 58, y + 1.5, 1.5);
    EXPECT_NEAR(coarse.mean / fine.mean, 1, 0.12) << y;
    EXPECT_LT(coarse.deviation, fine.deviation) << y;
  }
  const Statistics fine = Over(ground, -19.9, -3, -16.6, 3, 0.02),
                   coarse = Over(ground, -19.9, -3, -16.6, 3, 1.2);
  EXPECT_NEAR(coarse.mean / fine.mean, 1, 0.3);
}

TEST(Ground, is_the_same_for_the_same_seed_and_differs_among_cities) {
  const Layout layout = Road(8), same = Road(8), other = Road(9);
  const Ground a(layout), b(same), c(other);
  int different = 0;
  for (int i = 0; i < 200; ++i) {
    const Point2 at = {-60 + i * 0.6, -5 + i * 0.05};
    EXPECT_EQ(a.At(at, 0.05).green, b.At(at, 0.05).green);
    different += a.At(at, 0.05).green != c.At(at, 0.05).green ? 1 : 0;
  }
  EXPECT_GT(different, 190);
}

TEST(Ground, every_point_of_every_street_has_a_colour) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const Layout layout = MakeLayout(seed, {640, 360});
    const Ground ground(layout);
    Random random(seed);
    for (int i = 0; i < 20000; ++i) {
      const double reach = i % 10 == 0 ? 1e6 : 150;
      const Point2 at = {random.Uniform(-reach, reach), random.Uniform(-reach, reach)};
      const Rgb c = ground.At(at, i % 7 == 0 ? 0 : random.Uniform(0, 5));
      for (const float v : {c.red, c.green, c.blue}) ASSERT_TRUE(v >= 0 && v <= 1) << at.x << " " << at.y;
    }
  }
}

TEST(Surroundings, stand_on_the_ground_with_unit_normals_and_few_triangles) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Layout layout = MakeLayout(seed, {640, 360});
    const std::vector<Mesh> meshes = BuildSurroundings(layout);
    size_t triangles = 0;
    for (const Mesh& mesh : meshes) {
      triangles += mesh.triangles.size();
      ASSERT_FALSE(mesh.vertices.empty());
      ASSERT_LE(mesh.vertices.size(), 65536u);  // corners have 16 bits
      float lowest = 1e9f;
      for (const Vertex& v : mesh.vertices) {
        ASSERT_TRUE(std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z));
        lowest = std::min(lowest, v.z);
      }
      EXPECT_NEAR(lowest, 0, 0.02);
      for (const Triangle& t : mesh.triangles) {
        const Vertex& n = t.normal;
        ASSERT_NEAR(n.x * n.x + n.y * n.y + n.z * n.z, 1, 1e-4f);
        for (const uint16_t corner : t.corners) ASSERT_LT(corner, mesh.vertices.size());
      }
    }
    EXPECT_LT(triangles, 200000u) << seed;
    EXPECT_GE(meshes.size(), layout.buildings.size() + layout.trees.size() + layout.poles.size());
  }
}

TEST(Surroundings, houses_keep_to_their_plots) {
  Layout layout;
  for (uint32_t look = 0; look < 60; ++look) {
    Building building;
    building.length = 24;
    building.width = 12;
    building.height = 6 + look * 0.4;
    building.look = look * 7919;
    layout.buildings.push_back(building);
  }
  const std::vector<Mesh> meshes = BuildSurroundings(layout);
  ASSERT_EQ(meshes.size(), 60u);
  for (size_t i = 0; i < meshes.size(); ++i) {
    double top = 0;
    for (const Vertex& v : meshes[i].vertices) {
      EXPECT_LT(std::abs(v.x), 12.6f);
      EXPECT_LT(std::abs(v.y), 6.6f);
      top = std::max(top, static_cast<double>(v.z));
    }
    EXPECT_NEAR(top, layout.buildings[i].height, 2.4);  // roofs carry machines
  }
}

TEST(SignalLamps, shine_in_the_signals_colour_at_its_head) {
  Layout layout;
  Signal signal;
  signal.head = {5, 7, 3};
  signal.facing = kPi / 2;
  layout.signals = {signal, signal, signal};
  Mesh mesh;
  double last = 1e9;
  for (const SignalColor color : {SignalColor::kRed, SignalColor::kAmber, SignalColor::kGreen}) {
    layout.signals = {signal};
    BuildSignalLamps(layout, {color}, &mesh);
    ASSERT_FALSE(mesh.triangles.empty());
    double z = 0;
    for (const Vertex& v : mesh.vertices) {
      EXPECT_NEAR(v.x, 5, 0.3f);
      EXPECT_GT(v.y, 7);  // on the side to which it shines
      z += static_cast<double>(v.z) / static_cast<double>(mesh.vertices.size());
    }
    EXPECT_NEAR(z, 3, 0.5);
    EXPECT_LT(z, last);  // red on top, green at the bottom
    last = z;
    for (const Triangle& t : mesh.triangles) {
      EXPECT_EQ(t.surface, Surface::kLamp);
      EXPECT_EQ(t.color.red > 0.5f, color != SignalColor::kGreen);
      EXPECT_EQ(t.color.green > 0.3f, color != SignalColor::kRed);
    }
  }
  BuildSignalLamps(layout, {}, &mesh);
  EXPECT_TRUE(mesh.triangles.empty());
}

}  // namespace
}  // namespace sightline::simulate
