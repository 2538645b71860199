#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "stages/attention/attention.h"

namespace sightline::attention {
namespace {

constexpr Size kPicture{640, 360};
constexpr PlannerOptions kOptions{.model_input = {576, 320}};

Motion Still(int columns = 80, int rows = 45, Size picture = kPicture) {
  Motion motion;
  motion.columns = columns, motion.rows = rows, motion.picture = picture;
  motion.moved.assign(static_cast<size_t>(columns * rows), 0);
  return motion;
}

Motion MovedAt(const Box& box) {
  Motion motion = Still();
  for (int row = static_cast<int>(box.y1 / 8); row < static_cast<int>(box.y2 / 8); ++row) {
    for (int column = static_cast<int>(box.x1 / 8); column < static_cast<int>(box.x2 / 8); ++column) {
      motion.moved[static_cast<size_t>(row * 80 + column)] = 1;
    }
  }
  return motion;
}

bool Contains(const Box& outer, const Box& inner) {
  return outer.x1 <= inner.x1 && outer.y1 <= inner.y1 && outer.x2 >= inner.x2 && outer.y2 >= inner.y2;
}

bool Meet(const Box& a, const Box& b) { return a.x1 < b.x2 && b.x1 < a.x2 && a.y1 < b.y2 && b.y1 < a.y2; }

// A planner that has had its first full look at time 0.
std::unique_ptr<Planner> Begun(const PlannerOptions& options = kOptions) {
  auto planner = Planner::Create(options);
  EXPECT_EQ(planner->Plan(Still(), {}, kPicture, 0).kind, LookKind::kFull);
  return planner;
}

TEST(Planner, looks_at_all_at_first_and_at_nothing_where_nothing_is) {
  auto planner = Begun();
  EXPECT_EQ(planner->Plan(Still(), {}, kPicture, 0.2).kind, LookKind::kSkip);
}

TEST(Planner, looks_at_all_at_least_so_often_whatever_happens) {
  for (const bool busy : {false, true}) {
    auto planner = Begun();
    double last = 0;
    for (int i = 1; i < 100; ++i) {
      const double now = i * 0.2;
      const auto kind = planner->Plan(busy ? MovedAt({80, 80, 160, 160}) : Still(), {}, kPicture, now).kind;
      if (kind == LookKind::kFull) last = now;
      EXPECT_LE(now - last, kOptions.full_s + 1e-9);
    }
  }
}

TEST(Planner, looks_at_all_when_the_light_was_switched_and_after_a_reset) {
  auto planner = Begun();
  Motion motion = Still();
  motion.whole = true;
  EXPECT_EQ(planner->Plan(motion, {}, kPicture, 0.2).kind, LookKind::kFull);
  EXPECT_EQ(planner->Plan(Still(), {}, kPicture, 0.4).kind, LookKind::kSkip);
  planner->Reset();
  EXPECT_EQ(planner->Plan(Still(), {}, kPicture, 0.6).kind, LookKind::kFull);
  // Time that went back.
  EXPECT_EQ(planner->Plan(Still(), {}, kPicture, 0.1).kind, LookKind::kFull);
}

TEST(Planner, looks_with_context_at_what_moves_and_nobody_explains) {
  auto planner = Begun();
  const Box moved{160, 80, 240, 160};
  const Look& look = planner->Plan(MovedAt(moved), {}, kPicture, 0.2);
  ASSERT_EQ(look.kind, LookKind::kRegions);
  ASSERT_EQ(look.regions.size(), 1u);
  EXPECT_TRUE(Contains(look.regions[0], {moved.x1 - 30, moved.y1 - 30, moved.x2 + 30, moved.y2 + 30}));
  EXPECT_LT(look.regions[0].area(), 0.2f * WholeBox(kPicture).area());
}

TEST(Planner, motion_of_a_track_seen_lately_is_predicted) {
  auto planner = Begun();
  const TrackedBox track{1, {160, 80, 240, 160}, 50, 0.1, true, 0};
  EXPECT_EQ(planner->Plan(MovedAt(track.predicted), {&track, 1}, kPicture, 0.2).kind, LookKind::kPredict);
}

TEST(Planner, moving_track_is_looked_at_again_in_time_and_a_standing_one_rests) {
  auto planner = Begun();
  const TrackedBox moving{1, {160, 80, 240, 160}, 50, 0, true, 0},
      standing{2, {400, 80, 480, 160}, 0.5f, 0, true, 0};
  const std::vector<TrackedBox> both = {moving, standing};
  EXPECT_EQ(planner->Plan(Still(), both, kPicture, kOptions.track_s - 0.1).kind, LookKind::kPredict);
  const Look& look = planner->Plan(Still(), both, kPicture, kOptions.track_s);
  ASSERT_EQ(look.kind, LookKind::kRegions);
  ASSERT_EQ(look.regions.size(), 1u);
  EXPECT_TRUE(Contains(look.regions[0], moving.predicted));
}

TEST(Planner, what_was_found_once_or_just_missed_is_settled_at_once) {
  for (const TrackedBox& open : {TrackedBox{0, {160, 80, 240, 160}, 0, 0.2, false, 0},
                                 TrackedBox{1, {160, 80, 240, 160}, 0, 0.2, true, 1}}) {
    auto planner = Begun();
    EXPECT_EQ(planner->Plan(Still(), {&open, 1}, kPicture, 0.3).kind, LookKind::kRegions);
  }
}

TEST(Planner, too_much_to_look_at_is_a_look_at_all) {
  auto planner = Begun();
  EXPECT_EQ(planner->Plan(MovedAt({0, 0, 640, 320}), {}, kPicture, 0.2).kind, LookKind::kFull);
}

TEST(Planner, place_that_moves_and_shows_nothing_rests_ever_longer) {
  auto planner = Begun();
  const Motion tree = MovedAt({160, 80, 240, 160});
  int looks = 0, late_looks = 0;
  for (int i = 1; i < 150; ++i) {
    const bool looked = planner->Plan(tree, {}, kPicture, i * 0.2).kind == LookKind::kRegions;
    looks += looked;
    if (i > 75) late_looks += looked;
  }
  EXPECT_GE(looks, 2);
  EXPECT_LT(looks, 30);
  EXPECT_LT(late_looks, 12);
  // A track that comes there is looked at all the same.
  const TrackedBox track{1, {180, 90, 220, 150}, 40, 28, true, 0};
  EXPECT_NE(planner->Plan(tree, {&track, 1}, kPicture, 30).kind, LookKind::kPredict);
}

TEST(PlannerProperty, regions_are_disjoint_in_the_picture_and_cut_no_track) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](int end) { return static_cast<int>(random() % static_cast<uint32_t>(end)); };
    const Size picture{40 + below(2000), 40 + below(1200)};
    auto planner = Planner::Create({.full_share = 0.95f, .model_input = {576, 320}});
    for (int i = 0; i < 40; ++i) {
      Motion motion = Still(1 + picture.width / 9, 1 + picture.height / 9, picture);
      for (uint8_t& cell : motion.moved) cell = below(60) == 0;
      for (int j = 0; j < 3; ++j) {
        const int at = below(static_cast<int>(motion.moved.size()));
        for (int k = at; k < std::min(at + 6, static_cast<int>(motion.moved.size())); ++k)
          motion.moved[static_cast<size_t>(k)] = 1;
      }
      std::vector<TrackedBox> tracks;
      for (int j = below(6); j > 0; --j) {
        const auto x = static_cast<float>(below(picture.width + 100) - 50),
                   y = static_cast<float>(below(picture.height + 100) - 50);
        tracks.push_back(
            {j,
             {x, y, x + static_cast<float>(4 + below(90)), y + static_cast<float>(4 + below(90))},
             static_cast<float>(below(80)),
             i * 0.2 - below(10) * 0.1,
             below(4) > 0,
             below(3) / 2});
      }
      const Look& look = planner->Plan(motion, tracks, picture, i * 0.2);
      EXPECT_EQ(look.regions.empty(), look.kind != LookKind::kRegions);
      if (look.kind == LookKind::kSkip) {
        EXPECT_TRUE(tracks.empty());
      }
      for (size_t a = 0; a < look.regions.size(); ++a) {
        const Box& region = look.regions[a];
        EXPECT_GT(region.area(), 0);
        EXPECT_TRUE(Contains(WholeBox(picture), region));
        for (size_t b = 0; b < a; ++b) EXPECT_FALSE(Meet(region, look.regions[b]));
        for (const TrackedBox& track : tracks) {
          const Box box = Clip(track.predicted, picture);
          if (box.area() > 0 && Meet(region, box)) {
            EXPECT_TRUE(Contains(region, box));
          }
        }
      }
    }
  }
}

TEST(PlannerProperty, nonsense_is_survived_and_all_is_looked_at_in_time) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInfinity = std::numeric_limits<float>::infinity();
  const Box boxes[] = {{kNan, 0, 10, 10}, {0, kNan, kNan, kNan},        {-kInfinity, 0, kInfinity, 50},
                       {50, 50, 10, 10},  {3e38f, 3e38f, 3e38f, 3e38f}, {-1e30f, -1e30f, 1e30f, 1e30f},
                       {0, 0, 0, 0}};
  for (const Box& box : boxes) {
    for (const float speed : {0.f, kNan, kInfinity}) {
      auto planner = Begun();
      bool full = false;
      for (int i = 1; i <= 20; ++i) {
        const TrackedBox track{1, box, speed, i % 2 == 0 ? 0 : static_cast<double>(kNan), i % 3 != 0, i % 2};
        const Look& look = planner->Plan(MovedAt({80, 80, 160, 160}), {&track, 1}, kPicture, i * 0.2);
        full |= look.kind == LookKind::kFull;
        for (const Box& region : look.regions) EXPECT_TRUE(Contains(WholeBox(kPicture), region));
      }
      EXPECT_TRUE(full);
      planner->Plan(Still(), {}, kPicture, std::numeric_limits<double>::quiet_NaN());
      EXPECT_EQ(planner->Plan(Still(0, 0, {}), {}, {}, 9).kind, LookKind::kFull);
    }
  }
}

TEST(PlannerProperty, same_calls_give_the_same_looks) {
  const auto run = [] {
    std::mt19937 random(3);
    auto planner = Planner::Create(kOptions);
    std::vector<Box> all;
    for (int i = 0; i < 100; ++i) {
      Motion motion = Still();
      for (uint8_t& cell : motion.moved) cell = random() % 40 == 0;
      const Look& look = planner->Plan(motion, {}, kPicture, i * 0.2);
      all.insert(all.end(), look.regions.begin(), look.regions.end());
    }
    return all;
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace sightline::attention
