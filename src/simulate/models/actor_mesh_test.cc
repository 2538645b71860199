// What holds for the shape of every actor, whatever its looks.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "simulate/models/mesh.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

constexpr std::array<ActorKind, kActorKinds> kKinds = {ActorKind::kPerson,     ActorKind::kBicycle,
                                                       ActorKind::kMotorcycle, ActorKind::kCar,
                                                       ActorKind::kBus,        ActorKind::kTruck};

// Of the sizes that traffic has, at some moment of its life.
Actor AnyActor(ActorKind kind, uint32_t look) {
  struct Sizes {
    double length_low, length_high, width_low, width_high, height_low, height_high;
  };
  constexpr Sizes kSizes[kActorKinds] = {
      {0.5, 0.5, 0.33, 0.62, 1.1, 1.92},   {1.7, 1.85, 0.57, 0.62, 1.66, 1.96},
      {2.0, 2.25, 0.72, 0.78, 1.57, 1.85}, {3.8, 5.6, 1.74, 2.0, 1.42, 2.4},
      {10.5, 12.2, 2.4, 2.58, 2.95, 3.47}, {6.2, 9.6, 2.3, 2.48, 3.04, 3.59},
  };
  const Sizes& sizes = kSizes[static_cast<size_t>(kind)];
  Random random(look, 77);
  Actor actor;
  actor.id = 1;
  actor.kind = kind;
  actor.look = look;
  actor.length = random.Uniform(sizes.length_low, sizes.length_high);
  actor.height = random.Uniform(sizes.height_low, sizes.height_high);
  actor.width = random.Uniform(sizes.width_low, sizes.width_high);
  if (kind == ActorKind::kPerson) {
    actor.width = random.Uniform(0.48, 0.62) * std::min(1.0, actor.height / 1.6);
    actor.speed = random.Chance(0.2) ? 0 : random.Uniform(0.5, 2.2);
  } else {
    actor.speed = random.Uniform(0, 14);
    actor.steering = random.Uniform(-0.3, 0.3);
  }
  actor.travelled = random.Uniform(0, 200);
  actor.acceleration = random.Uniform(-3, 2);
  actor.lights = random.Chance(0.5);
  actor.indicator = random.Below(3) - 1;
  actor.hazard = random.Chance(0.2);
  return actor;
}

struct Extent {
  std::array<double, 3> low{1e9, 1e9, 1e9}, high{-1e9, -1e9, -1e9};
};
Extent ExtentOf(const Mesh& mesh) {
  Extent extent;
  for (const Vertex& v : mesh.vertices) {
    const std::array<double, 3> at = {static_cast<double>(v.x), static_cast<double>(v.y),
                                      static_cast<double>(v.z)};
    for (size_t i = 0; i < 3; ++i) {
      extent.low[i] = std::min(extent.low[i], at[i]);
      extent.high[i] = std::max(extent.high[i], at[i]);
    }
  }
  return extent;
}

std::string Name(const Actor& actor) {
  return std::string(kActorLabels[static_cast<size_t>(actor.kind)]) + " " + std::to_string(actor.look);
}

template <typename Check>
void ForAll(Check&& check) {
  Mesh mesh;
  for (const ActorKind kind : kKinds) {
    for (uint32_t look = 0; look < 200; ++look) {
      const Actor actor = AnyActor(kind, look * 2654435761u + 5);
      BuildActor(actor, look * 0.37, look % 2, &mesh);
      check(actor, mesh);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(ActorMesh, vehicles_fill_their_length_width_and_height) {
  ForAll([](const Actor& actor, const Mesh& mesh) {
    if (actor.kind == ActorKind::kPerson) return;
    const Extent extent = ExtentOf(mesh);
    EXPECT_NEAR(extent.high[0], actor.length / 2, 0.02) << Name(actor);
    EXPECT_NEAR(extent.low[0], -actor.length / 2, 0.02) << Name(actor);
    EXPECT_LT(extent.high[1], actor.width / 2 + 0.02) << Name(actor);
    EXPECT_GT(extent.low[1], -actor.width / 2 - 0.02) << Name(actor);
    EXPECT_GT(extent.high[1] - extent.low[1], actor.width * 0.8) << Name(actor);
    EXPECT_NEAR(extent.high[2], actor.height, 0.02) << Name(actor);
    EXPECT_NEAR(extent.low[2], 0, 0.02) << Name(actor);
  });
}

TEST(ActorMesh, people_are_as_tall_as_said_and_stand_on_the_ground) {
  ForAll([](const Actor& actor, const Mesh& mesh) {
    if (actor.kind != ActorKind::kPerson) return;
    const Extent extent = ExtentOf(mesh);
    EXPECT_NEAR(extent.high[2], actor.height, 0.02) << Name(actor);
    EXPECT_NEAR(extent.low[2], 0, 0.02) << Name(actor);
    EXPECT_LT(extent.high[1], actor.width / 2 + 0.05) << Name(actor);
    EXPECT_GT(extent.low[1], -actor.width / 2 - 0.05) << Name(actor);
    // A stride reaches further than a standing body is deep.
    EXPECT_LT(std::max(extent.high[0], -extent.low[0]), 0.4 * actor.height) << Name(actor);
  });
}

TEST(ActorMesh, numbers_are_finite_and_colours_reflect_no_more_than_all_light) {
  ForAll([](const Actor& actor, const Mesh& mesh) {
    for (const Vertex& v : mesh.vertices)
      ASSERT_TRUE(std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z)) << Name(actor);
    for (const Triangle& t : mesh.triangles) {
      for (const uint16_t corner : t.corners) ASSERT_LT(corner, mesh.vertices.size()) << Name(actor);
      for (const float c : {t.color.red, t.color.green, t.color.blue})
        ASSERT_TRUE(c >= 0 && c <= 1) << Name(actor);
    }
  });
}

TEST(ActorMesh, there_are_few_triangles) {
  ForAll([](const Actor& actor, const Mesh& mesh) {
    EXPECT_GT(mesh.triangles.size(), 100u) << Name(actor);
    EXPECT_LT(mesh.triangles.size(), actor.kind == ActorKind::kPerson ? 400u : 700u) << Name(actor);
  });
}

// Bodies are found by the edges that their triangles share; each must be closed, and the volume that its
// triangles enclose positive: so all their normals point outward.
TEST(ActorMesh, bodies_are_closed_and_their_normals_are_unit_and_point_outward) {
  using Key = std::array<int64_t, 3>;
  const auto key = [](const Vertex& v) {
    const auto whole = [](float x) { return std::llround(static_cast<double>(x) * 1e6); };
    return Key{whole(v.x), whole(v.y), whole(v.z)};
  };
  ForAll([&](const Actor& actor, const Mesh& mesh) {
    if (actor.look % 4 != 1) return;
    std::map<Key, size_t> known;
    std::map<std::pair<size_t, size_t>, int> edges;  // directed: how many more than of the other direction
    std::vector<std::array<size_t, 3>> corners;
    for (const Triangle& t : mesh.triangles) {
      std::array<size_t, 3> at{};
      std::array<std::array<double, 3>, 3> p{};
      for (size_t i = 0; i < 3; ++i) {
        const Vertex& v = mesh.vertices[t.corners[i]];
        at[i] = known.emplace(key(v), known.size()).first->second;
        p[i] = {static_cast<double>(v.x), static_cast<double>(v.y), static_cast<double>(v.z)};
      }
      const std::array<double, 3> n = {static_cast<double>(t.normal.x), static_cast<double>(t.normal.y),
                                       static_cast<double>(t.normal.z)};
      ASSERT_NEAR(n[0] * n[0] + n[1] * n[1] + n[2] * n[2], 1, 1e-4) << Name(actor);
      double along = 0;  // of the normal and the direction in which the corners turn
      for (size_t i = 0; i < 3; ++i) {
        const size_t j = (i + 1) % 3, k = (i + 2) % 3;
        along +=
            n[i] * ((p[1][j] - p[0][j]) * (p[2][k] - p[0][k]) - (p[1][k] - p[0][k]) * (p[2][j] - p[0][j]));
      }
      ASSERT_GT(along, 0) << Name(actor);
      for (size_t i = 0; i < 3; ++i) {
        const size_t a = at[i], b = at[(i + 1) % 3];
        if (a < b) ++edges[{a, b}];
        if (b < a) --edges[{b, a}];
      }
      corners.push_back(at);
    }
    int open = 0;
    for (const auto& [edge, count] : edges) open += count != 0 ? 1 : 0;
    EXPECT_EQ(open, 0) << Name(actor);
    // Volumes of the connected parts.
    std::vector<size_t> part(known.size());
    for (size_t i = 0; i < part.size(); ++i) part[i] = i;
    const auto root = [&](size_t i) {
      while (part[i] != i) i = part[i] = part[part[i]];
      return i;
    };
    for (const auto& c : corners) {
      part[root(c[0])] = root(c[1]);
      part[root(c[1])] = root(c[2]);
    }
    std::map<size_t, double> volumes;
    for (size_t t = 0; t < corners.size(); ++t) {
      std::array<Vertex, 3> v;
      for (size_t i = 0; i < 3; ++i) v[i] = mesh.vertices[mesh.triangles[t].corners[i]];
      volumes[root(corners[t][0])] += static_cast<double>(v[0].x * (v[1].y * v[2].z - v[1].z * v[2].y) +
                                                          v[0].y * (v[1].z * v[2].x - v[1].x * v[2].z) +
                                                          v[0].z * (v[1].x * v[2].y - v[1].y * v[2].x));
    }
    for (const auto& [id, volume] : volumes) EXPECT_GT(volume, 0) << Name(actor);
  });
}

TEST(ActorMesh, the_same_look_is_the_same_shape_and_others_differ) {
  for (const ActorKind kind : kKinds) {
    Actor actor = AnyActor(kind, 3);
    Mesh once, again, other;
    BuildActor(actor, 1.25, 1, &once);
    BuildActor(AnyActor(ActorKind::kBus, 9), 2, 1, &again);
    BuildActor(actor, 1.25, 1, &again);
    ASSERT_EQ(once.vertices.size(), again.vertices.size());
    for (size_t i = 0; i < once.vertices.size(); ++i) {
      ASSERT_EQ(once.vertices[i].x, again.vertices[i].x);
      ASSERT_EQ(once.vertices[i].y, again.vertices[i].y);
      ASSERT_EQ(once.vertices[i].z, again.vertices[i].z);
    }
    ASSERT_EQ(once.triangles.size(), again.triangles.size());
    std::set<std::array<float, 3>> colors;  // of all faces together
    for (uint32_t look = 0; look < 40; ++look) {
      actor.look = look;
      BuildActor(actor, 1.25, 1, &other);
      std::array<float, 3> sum{};
      for (const Triangle& t : other.triangles) {
        sum[0] += t.color.red;
        sum[1] += t.color.green;
        sum[2] += t.color.blue;
      }
      colors.insert(sum);
    }
    EXPECT_GT(colors.size(), 20u) << Name(actor);
  }
}

double LargestMove(const Mesh& a, const Mesh& b) {
  if (a.vertices.size() != b.vertices.size()) return 1e9;
  double largest = 0;
  for (size_t i = 0; i < a.vertices.size(); ++i) {
    const Vertex &p = a.vertices[i], &q = b.vertices[i];
    for (const float d : {p.x - q.x, p.y - q.y, p.z - q.z})
      largest = std::max(largest, static_cast<double>(std::abs(d)));
  }
  return largest;
}

TEST(ActorMesh, a_walk_repeats_itself_every_two_steps_without_jumps) {
  Actor actor = AnyActor(ActorKind::kPerson, 11);
  actor.height = 1.75;
  actor.speed = 1.4;
  const double stride = 0.83 * actor.height;  // two steps of 0.73 m
  Mesh start, now, last;
  actor.travelled = 30;
  BuildActor(actor, 0, 1, &start);
  actor.travelled = 30 + stride;
  BuildActor(actor, 0, 1, &now);
  EXPECT_LT(LargestMove(start, now), 1e-3);
  actor.travelled = 30 + stride / 2;
  BuildActor(actor, 0, 1, &now);
  EXPECT_GT(LargestMove(start, now), 0.1);
  actor.travelled = 30;
  BuildActor(actor, 0, 1, &last);
  for (int i = 1; i <= 100; ++i) {
    actor.travelled = 30 + i * stride / 100;
    BuildActor(actor, 0, 1, &now);
    EXPECT_LT(LargestMove(last, now), 0.075) << i;
    std::swap(last, now);
  }
}

TEST(ActorMesh, who_stands_still_does_not_move_the_legs) {
  Actor actor = AnyActor(ActorKind::kPerson, 12);
  actor.speed = 0;
  Mesh a, b;
  actor.travelled = 3;
  BuildActor(actor, 0, 1, &a);
  actor.travelled = 3.4;
  BuildActor(actor, 8, 1, &b);
  EXPECT_LT(LargestMove(a, b), 1e-6);
}

// How many faces of lamps point backward (or forward), of a colour.
int Lamps(const Mesh& mesh, bool rear, bool amber) {
  int count = 0;
  for (const Triangle& t : mesh.triangles) {
    if (t.surface != Surface::kLamp || (rear ? t.normal.x > -0.5f : t.normal.x < 0.5f)) continue;
    if ((t.color.green > 0.2f && t.color.blue < 0.2f) == amber) ++count;
  }
  return count;
}

TEST(ActorMesh, brakes_indicators_and_headlights_shine_when_they_are_on) {
  for (const ActorKind kind : {ActorKind::kCar, ActorKind::kTruck}) {
    Actor actor = AnyActor(kind, 4);
    actor.acceleration = 0;
    actor.lights = actor.hazard = false;
    actor.indicator = 0;
    Mesh mesh;
    BuildActor(actor, 0.1, 1, &mesh);
    EXPECT_EQ(Lamps(mesh, true, false) + Lamps(mesh, false, false) + Lamps(mesh, true, true), 0);
    actor.acceleration = -1.5;
    BuildActor(actor, 0.1, 1, &mesh);
    EXPECT_GE(Lamps(mesh, true, false), 2);
    actor.acceleration = 0;
    actor.lights = true;
    BuildActor(actor, 0.1, 1, &mesh);
    EXPECT_GE(Lamps(mesh, false, false), 2);
    actor.lights = false;
    // 1.5 times a second, on for the first half.
    actor.indicator = 1;
    BuildActor(actor, 0.1, 1, &mesh);
    const int one_side = Lamps(mesh, true, true);
    EXPECT_GE(one_side, 1);
    BuildActor(actor, 0.4, 1, &mesh);
    EXPECT_EQ(Lamps(mesh, true, true), 0);
    BuildActor(actor, 0.1 + 2.0 / 3, 1, &mesh);
    EXPECT_EQ(Lamps(mesh, true, true), one_side);
    actor.hazard = true;
    BuildActor(actor, 0.1, 1, &mesh);
    EXPECT_EQ(Lamps(mesh, true, true), 2 * one_side);
  }
}

TEST(ActorMesh, sizes_that_no_thing_has_are_survived) {
  Mesh mesh;
  for (const ActorKind kind : kKinds) {
    for (const double size : {0.0, 0.01, 0.5, 60.0}) {
      Actor actor = AnyActor(kind, 6);
      actor.length = actor.width = actor.height = size;
      BuildActor(actor, 1e6, 1, &mesh);
      for (const Vertex& v : mesh.vertices)
        ASSERT_TRUE(std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z)) << Name(actor);
      ASSERT_LT(mesh.vertices.size(), 65536u) << Name(actor);
    }
  }
}

}  // namespace
}  // namespace sightline::simulate
