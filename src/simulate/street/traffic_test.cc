#include "simulate/street/traffic.h"

#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "gtest/gtest.h"
#include "simulate/street/body.h"

namespace sightline::simulate {
namespace {

constexpr Size kPicture{640, 360};
constexpr double kStride = 0.1;
constexpr uint64_t kSeeds = 3;

// Whether the footprints share ground: a separating side would be found among the four directions.
bool Touch(const Actor& a, const Actor& b, double allowed) {
  const double dx = b.position.x - a.position.x, dy = b.position.y - a.position.y;
  for (const double heading : {a.heading, a.heading + kPi / 2, b.heading, b.heading + kPi / 2}) {
    const double nx = std::cos(heading), ny = std::sin(heading);
    const auto reach = [&](const Actor& actor) {
      const double along = std::abs(std::cos(actor.heading) * nx + std::sin(actor.heading) * ny);
      const double across = std::abs(std::cos(actor.heading) * ny - std::sin(actor.heading) * nx);
      return actor.length / 2 * along + actor.width / 2 * across;
    };
    if (std::abs(dx * nx + dy * ny) > reach(a) + reach(b) - allowed) return false;
  }
  return true;
}

uint64_t Hash(const Scene& scene) {
  uint64_t hash = 1469598103934665603u;
  const auto mix = [&](double value) {
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    hash = (hash ^ bits) * 1099511628211u;
  };
  for (const Actor& actor : scene.actors) {
    mix(static_cast<double>(actor.id));
    for (const double value : {actor.position.x, actor.position.y, actor.heading, actor.speed,
                               actor.acceleration, actor.steering, actor.travelled, actor.length})
      mix(value);
  }
  return hash;
}

struct Seen {
  Actor actor;
  bool on_road = false;
};

class TrafficOfSeed : public testing::TestWithParam<uint64_t> {
 protected:
  // Calls visit(scene, what was seen of each actor a stride before).
  template <typename Visit>
  void Watch(double seconds, const Visit& visit) {
    TrafficOptions options;
    options.seed = GetParam();
    const auto traffic = Traffic::Create(&layout_, options);
    Scene scene;
    std::map<int64_t, Seen> before;
    for (int i = 0; i * kStride < seconds; ++i) {
      traffic->AdvanceTo(i * kStride, &scene);
      visit(scene, before);
      before.clear();
      for (const Actor& actor : scene.actors) before[actor.id] = {actor, OnRoad(layout_, actor.position)};
    }
  }
  const Layout layout_ = MakeLayout(GetParam(), kPicture);
};

TEST_P(TrafficOfSeed, nothing_on_wheels_touches_anything) {
  Watch(60, [&](const Scene& scene, const auto&) {
    for (size_t i = 0; i < scene.actors.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        const Actor &a = scene.actors[i], &b = scene.actors[j];
        const bool people = a.kind == ActorKind::kPerson && b.kind == ActorKind::kPerson;
        if (people || (a.parked && b.parked)) continue;
        if (std::abs(a.position.x - b.position.x) + std::abs(a.position.y - b.position.y) > 20) continue;
        ASSERT_FALSE(Touch(a, b, 0.05)) << a.id << " and " << b.id << " at " << scene.time_s << " s";
      }
    }
  });
}

TEST_P(TrafficOfSeed, moves_within_physical_limits) {
  Watch(60, [&](const Scene& scene, const auto& before) {
    int64_t last = 0;
    for (const Actor& actor : scene.actors) {
      ASSERT_GT(actor.id, last);
      last = actor.id;
      const auto found = before.find(actor.id);
      if (found == before.end()) continue;
      const Actor& was = found->second.actor;
      ASSERT_EQ(was.kind, actor.kind);
      ASSERT_EQ(was.look, actor.look);
      const double change = (actor.speed - was.speed) / kStride;
      ASSERT_GT(change, -kBrakingMax - 0.1) << actor.id << " at " << scene.time_s;
      ASSERT_LT(change, 3.0) << actor.id << " at " << scene.time_s;
      const double moved = std::hypot(actor.position.x - was.position.x, actor.position.y - was.position.y);
      ASSERT_LT(moved, std::max(actor.speed, was.speed) * kStride * 1.1 + 0.02) << actor.id;
      ASSERT_LE(actor.speed, actor.kind == ActorKind::kPerson ? 2.0 : 19.0);
      if (!actor.parked) {
        ASSERT_NEAR(actor.travelled - was.travelled, (actor.speed + was.speed) / 2 * kStride, 0.05);
      }
    }
  });
}

TEST_P(TrafficOfSeed, obeys_signals_and_every_arm_flows) {
  std::vector<double> stop_lines(static_cast<size_t>(layout_.arms));
  for (const Route& route : layout_.routes) {
    const Point2 stop = route.path.At(route.stop_s).point;
    const double heading = layout_.arm_headings[static_cast<size_t>(route.from_arm)];
    stop_lines[static_cast<size_t>(route.from_arm)] = stop.x * std::cos(heading) + stop.y * std::sin(heading);
  }
  std::vector<int> passed(stop_lines.size());
  Watch(120, [&](const Scene& scene, const auto& before) {
    for (const Actor& actor : scene.actors) {
      const auto found = before.find(actor.id);
      if (actor.parked || actor.kind == ActorKind::kPerson || found == before.end()) continue;
      for (size_t arm = 0; arm < stop_lines.size(); ++arm) {
        const double heading = layout_.arm_headings[arm], c = std::cos(heading), s = std::sin(heading);
        const auto front = [&](const Actor& a) { return a.position.x * c + a.position.y * s - a.length / 2; };
        const double aside = actor.position.y * c - actor.position.x * s;
        if (std::cos(actor.heading - heading) > -0.8 || std::abs(aside) > 12) continue;
        const double line = stop_lines[arm] - 0.6;
        if (front(found->second.actor) > line && front(actor) <= line) {
          ++passed[arm];
          ASSERT_NE(scene.signals[arm], SignalColor::kRed) << actor.id << " at " << scene.time_s << " s";
        }
      }
    }
  });
  for (size_t arm = 0; arm < passed.size(); ++arm) EXPECT_GT(passed[arm], 2) << "arm " << arm;
}

TEST_P(TrafficOfSeed, people_cross_on_crosswalks_when_it_is_their_turn) {
  int crossed = 0;
  Watch(120, [&](const Scene& scene, const auto& before) {
    for (const Actor& actor : scene.actors) {
      if (actor.kind != ActorKind::kPerson || !OnRoad(layout_, actor.position)) continue;
      ASSERT_TRUE(OnCrosswalk(layout_, actor.position, 0.5)) << actor.id << " at " << scene.time_s << " s";
      const auto found = before.find(actor.id);
      if (found == before.end() || found->second.on_road) continue;
      ++crossed;
      bool green = false;
      for (const Crosswalk& crosswalk : layout_.crosswalks) {
        const double near =
            std::min(std::hypot(actor.position.x - crosswalk.from.x, actor.position.y - crosswalk.from.y),
                     std::hypot(actor.position.x - crosswalk.to.x, actor.position.y - crosswalk.to.y));
        if (near < 4) green |= scene.signals[static_cast<size_t>(crosswalk.signal)] == SignalColor::kGreen;
      }
      ASSERT_TRUE(green) << actor.id << " at " << scene.time_s << " s";
    }
  });
  EXPECT_GT(crossed, 3);
}

TEST_P(TrafficOfSeed, nobody_stands_for_ever) {
  std::map<int64_t, double> standing;
  Watch(180, [&](const Scene& scene, const auto&) {
    for (const Actor& actor : scene.actors) {
      if (actor.parked) continue;
      double& seconds = standing[actor.id];
      seconds = actor.speed < 0.1 ? seconds + kStride : 0;
      ASSERT_LT(seconds, 120) << actor.id << " at " << scene.time_s << " s";
    }
  });
}

TEST_P(TrafficOfSeed, same_bits_again_and_in_other_strides) {
  TrafficOptions options;
  options.seed = GetParam();
  const auto a = Traffic::Create(&layout_, options), b = Traffic::Create(&layout_, options);
  Scene one, other;
  for (int i = 0; i <= 1000; ++i) {
    a->AdvanceTo(i / 50.0, &one);
    if (i % 250 != 0) continue;
    b->AdvanceTo(i / 50.0, &other);
    ASSERT_EQ(Hash(one), Hash(other)) << i;
  }
  options.seed += 1000;
  const auto c = Traffic::Create(&layout_, options);
  c->AdvanceTo(20, &other);
  EXPECT_NE(Hash(one), Hash(other));
}

INSTANTIATE_TEST_SUITE_P(Seeds, TrafficOfSeed, testing::Range<uint64_t>(1, 1 + kSeeds));

const Actor* Find(const Scene& scene, int64_t id) {
  for (const Actor& actor : scene.actors) {
    if (actor.id == id) return &actor;
  }
  return nullptr;
}

TEST(Orders, are_carried_out_exactly) {
  const Layout layout = MakeLayout(3, kPicture);
  const auto traffic = Traffic::Create(&layout, {});
  ActorOrder order;
  order.path = Path({{-10, 0}, {10, 0}});
  order.times_s = {1, 3, 5};
  order.stations = {0, 8, 16};
  order.stays = order.hazard = true;
  const int64_t id = traffic->Add(order);
  ASSERT_GT(id, 0);
  Scene scene;
  traffic->AdvanceTo(0.9, &scene);
  EXPECT_EQ(Find(scene, id), nullptr);
  traffic->AdvanceTo(2, &scene);
  ASSERT_NE(Find(scene, id), nullptr);
  EXPECT_NEAR(Find(scene, id)->position.x, -6, 1e-9);
  EXPECT_NEAR(Find(scene, id)->speed, 4, 1e-9);
  EXPECT_FALSE(Find(scene, id)->hazard);
  traffic->AdvanceTo(30, &scene);
  ASSERT_NE(Find(scene, id), nullptr);
  EXPECT_NEAR(Find(scene, id)->position.x, 6, 1e-9);
  EXPECT_EQ(Find(scene, id)->speed, 0);
  EXPECT_TRUE(Find(scene, id)->hazard);
}

TEST(Orders, that_make_no_sense_are_refused) {
  const Layout layout = MakeLayout(3, kPicture);
  const auto traffic = Traffic::Create(&layout, {});
  ActorOrder order;
  order.path = Path({{-10, 0}, {10, 0}});
  order.times_s = {1, 1};
  order.stations = {0, 8};
  EXPECT_EQ(traffic->Add(order), 0);
  order.times_s = {1};
  EXPECT_EQ(traffic->Add(order), 0);
}

TEST(Orders, others_stop_behind_what_stands_in_their_lane) {
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    const Layout layout = MakeLayout(seed, kPicture);
    TrafficOptions options;
    options.seed = seed;
    const auto traffic = Traffic::Create(&layout, options);
    // On the way out, near the end of the route.
    const Route* route = nullptr;
    for (const Route& each : layout.routes) {
      if (!each.bicycles_only && each.turn == 0) route = &each;
    }
    ASSERT_NE(route, nullptr);
    ActorOrder order;
    order.path = route->path;
    order.times_s = {40, 41};
    order.stations = {route->path.length() - 12, route->path.length() - 11};
    order.stays = true;
    const int64_t id = traffic->Add(order);
    Scene scene;
    traffic->AdvanceTo(41, &scene);
    std::set<int64_t> already;  // it appears where somebody may just be
    for (const Actor& actor : scene.actors) {
      if (actor.id != id && Touch(actor, *Find(scene, id), 0)) already.insert(actor.id);
    }
    for (double t = 41; t < 80; t += kStride) {
      traffic->AdvanceTo(t, &scene);
      const Actor* scripted = Find(scene, id);
      ASSERT_NE(scripted, nullptr);
      for (const Actor& actor : scene.actors) {
        if (actor.id == id || already.contains(actor.id)) continue;
        ASSERT_FALSE(Touch(actor, *scripted, 0.02)) << "seed " << seed << ", " << actor.id << " at " << t;
      }
    }
  }
}

TEST(Reserve, keeps_free_vehicles_out) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const Layout layout = MakeLayout(seed, kPicture);
    TrafficOptions options;
    options.seed = seed;
    const auto traffic = Traffic::Create(&layout, options);
    const Polygon area = {{-4, -4}, {4, -4}, {4, 4}, {-4, 4}};
    traffic->Reserve(area, 20, 35);
    Scene scene;
    std::set<int64_t> inside;
    for (double t = 18; t < 35; t += kStride) {
      traffic->AdvanceTo(t, &scene);
      for (const Actor& actor : scene.actors) {
        if (actor.kind == ActorKind::kPerson || !Inside(area, actor.position)) continue;
        if (t < 22) inside.insert(actor.id);
        ASSERT_TRUE(inside.contains(actor.id)) << "seed " << seed << ", " << actor.id << " at " << t;
      }
    }
  }
}

}  // namespace
}  // namespace sightline::simulate
