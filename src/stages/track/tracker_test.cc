#include "stages/track/tracker.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>

namespace sightline::track {
namespace {

Detection At(float x, float y, float score = 0.9f, int class_id = 0, float width = 40, float height = 80) {
  Detection detection;
  detection.box = {x, y, x + width, y + height};
  detection.score = score;
  detection.class_id = class_id;
  return detection;
}

std::vector<int64_t> Ids(Tracker* tracker, double time_s, std::vector<Detection> detections) {
  tracker->Update(time_s, absl::MakeSpan(detections), {});
  std::vector<int64_t> ids;
  for (const Detection& detection : detections) ids.push_back(detection.track_id);
  return ids;
}

using Expected = std::vector<int64_t>;

TEST(Tracker, object_is_reported_from_its_second_frame_on) {
  auto tracker = Tracker::Create({});
  EXPECT_EQ(Ids(tracker.get(), 0, {At(0, 0)}), Expected({-1}));
  EXPECT_EQ(Ids(tracker.get(), 0.1, {At(2, 0)}), Expected({1}));
  EXPECT_EQ(Ids(tracker.get(), 0.2, {At(4, 0)}), Expected({1}));
}

TEST(Tracker, one_hit_is_enough_where_asked_for) {
  auto tracker = Tracker::Create({.confirm_hits = 1});
  EXPECT_EQ(Ids(tracker.get(), 0, {At(0, 0), At(300, 0)}), Expected({1, 2}));
}

TEST(Tracker, what_goes_farther_than_its_width_between_looks_is_one_object) {
  auto tracker = Tracker::Create({});
  for (int i = 0; i < 8; ++i) {  // 90 pixels a look, 40 wide
    const auto ids = Ids(tracker.get(), i / 5.0, {At(static_cast<float>(i) * 90, 160, 0.9f, 3, 40, 33)});
    EXPECT_EQ(ids, i < 2 ? Expected({-1}) : Expected({1})) << "look " << i;
  }
}

TEST(Tracker, a_leap_counts_only_when_it_leads_to_where_the_object_is_next) {
  auto tracker = Tracker::Create({});
  Ids(tracker.get(), 0, {At(0, 100, 0.9f, 0, 30, 60)});
  EXPECT_EQ(Ids(tracker.get(), 0.2, {At(90, 100, 0.9f, 0, 30, 60)}), Expected({-1}));
  EXPECT_EQ(Ids(tracker.get(), 0.4, {At(90, 100, 0.9f, 0, 30, 60)}), Expected({-1})) << "others that stand";
  EXPECT_EQ(Ids(tracker.get(), 0.6, {At(90, 100, 0.9f, 0, 30, 60)}), Expected({1}));
}

TEST(Tracker, nothing_leaps_too_far_for_the_time_nor_to_another_size) {
  for (const Detection& second : {At(400, 100, 0.9f, 0, 30, 60), At(90, 100, 0.9f, 0, 90, 180)}) {
    auto tracker = Tracker::Create({.confirm_hits = 1});
    EXPECT_EQ(Ids(tracker.get(), 0, {At(0, 100, 0.9f, 0, 30, 60)}), Expected({1}));
    EXPECT_EQ(Ids(tracker.get(), 0.2, {second}), Expected({2}));
  }
}

TEST(Tracker, crossing_objects_keep_their_ids) {
  auto tracker = Tracker::Create({});
  for (int i = 0; i <= 60; ++i) {
    const float s = static_cast<float>(i) * 5;
    const auto ids = Ids(tracker.get(), i / 30.0, {At(s, 100), At(300 - s, 112)});
    if (i > 0) {
      EXPECT_EQ(ids, Expected({1, 2})) << "frame " << i;
    }
  }
}

TEST(Tracker, what_is_taken_for_something_alike_stays_one_object_of_the_class_seen_most) {
  auto tracker = Tracker::Create({.alike = {{2, 5, 7}}});
  for (int i = 0; i < 12; ++i) {
    const int seen_as = i % 3 == 0 ? 7 : 2;  // begins as the wrong one
    std::vector<Detection> detections = {At(static_cast<float>(i) * 5, 100, 0.8f, seen_as)};
    tracker->Update(i / 10.0, absl::MakeSpan(detections), {});
    EXPECT_EQ(detections[0].track_id, i > 0 ? 1 : -1) << i;
    if (i == 0) {
      EXPECT_EQ(detections[0].class_id, 7) << "no track yet: what the detector says";
    } else if (i > 2) {
      EXPECT_EQ(detections[0].class_id, 2) << i;
    }
  }
}

TEST(Tracker, two_boxes_of_alike_classes_on_one_thing_are_one_object) {
  auto tracker = Tracker::Create({.confirm_hits = 1, .alike = {{2, 7}}});
  const auto both = [](float x) {
    return std::vector<Detection>{At(x + 1, 100, 0.5f, 7), At(x, 100, 0.9f, 2)};
  };
  EXPECT_EQ(Ids(tracker.get(), 0, both(0)), Expected({-1, 1}));
  EXPECT_EQ(Ids(tracker.get(), 0.1, both(5)), Expected({-1, 1}));
  // Others that overlap as much are two: a rider and a bicycle, and where nothing is alike.
  EXPECT_EQ(Ids(tracker.get(), 0.2, {At(200, 100, 0.9f, 0), At(201, 100, 0.8f, 1)}), Expected({2, 3}));
  auto strict = Tracker::Create({.confirm_hits = 1});
  EXPECT_EQ(Ids(strict.get(), 0, both(0)), Expected({2, 1}));
}

TEST(Tracker, its_own_class_goes_before_one_that_is_alike) {
  auto tracker = Tracker::Create({.alike = {{2, 7}}});
  for (int i = 0; i < 10; ++i) {  // side by side, overlapping by half
    const float x = static_cast<float>(i) * 4;
    const auto ids = Ids(tracker.get(), i / 10.0, {At(x, 100, 0.8f, 2), At(x + 20, 100, 0.8f, 7)});
    EXPECT_EQ(ids, i > 0 ? Expected({1, 2}) : Expected({-1, -1})) << i;
  }
}

TEST(Tracker, half_a_second_of_occlusion_keeps_the_id) {
  auto tracker = Tracker::Create({});
  for (int i = 0; i < 60; ++i) {
    if (i >= 30 && i < 45) {
      Ids(tracker.get(), i / 30.0, {});
      continue;
    }
    const auto ids = Ids(tracker.get(), i / 30.0, {At(static_cast<float>(i) * 4, 100)});
    if (i > 0) {
      EXPECT_EQ(ids, Expected({1})) << "frame " << i;
    }
  }
}

TEST(Tracker, object_that_is_gone_for_longer_gets_a_new_id) {
  auto tracker = Tracker::Create({});
  Ids(tracker.get(), 0, {At(0, 0)});
  EXPECT_EQ(Ids(tracker.get(), 0.1, {At(0, 0)}), Expected({1}));
  Ids(tracker.get(), 1.2, {At(0, 0)});
  EXPECT_EQ(Ids(tracker.get(), 1.3, {At(0, 0)}), Expected({2}));
}

TEST(Tracker, low_scores_extend_a_track_but_start_none) {
  auto tracker = Tracker::Create({});
  for (int i = 0; i < 30; ++i) {
    const float score = i >= 10 && i < 20 ? 0.2f : 0.9f;
    const auto ids =
        Ids(tracker.get(), i / 25.0, {At(static_cast<float>(i) * 3, 50, score), At(500, 50, 0.3f)});
    if (i > 0) {
      EXPECT_EQ(ids, Expected({1, -1})) << "frame " << i;
    }
  }
}

TEST(Tracker, scores_below_the_lowest_are_ignored) {
  auto tracker = Tracker::Create({});
  Ids(tracker.get(), 0, {At(0, 0)});
  Ids(tracker.get(), 0.1, {At(0, 0)});
  EXPECT_EQ(Ids(tracker.get(), 0.2, {At(0, 0, 0.05f)}), Expected({-1}));
}

TEST(Tracker, variable_frame_rate_keeps_the_id) {
  auto tracker = Tracker::Create({});
  const double steps[] = {0.04, 0.04, 0.2, 0.04, 0.3, 0.033, 0.1, 0.25, 0.02, 0.4};
  double time = 0;
  Ids(tracker.get(), 0, {At(0, 100)});
  for (int i = 0; i < 40; ++i) {
    time += steps[i % 10];
    EXPECT_EQ(Ids(tracker.get(), time, {At(static_cast<float>(time) * 90, 100)}), Expected({1}))
        << "frame " << i;
  }
}

TEST(Tracker, object_that_moves_its_own_width_between_frames_is_followed) {
  auto tracker = Tracker::Create({});
  for (int i = 0; i < 12; ++i) {
    const auto ids = Ids(tracker.get(), i * 0.2, {At(static_cast<float>(i) * 45, 100)});
    if (i > 0) {
      EXPECT_EQ(ids, Expected({1})) << "frame " << i;
    }
  }
}

TEST(Tracker, new_object_gets_a_new_id) {
  auto tracker = Tracker::Create({});
  Ids(tracker.get(), 0.0, {At(0, 0)});
  EXPECT_EQ(Ids(tracker.get(), 0.1, {At(300, 0), At(0, 0)}), Expected({-1, 1}));
  EXPECT_EQ(Ids(tracker.get(), 0.2, {At(300, 0), At(0, 0)}), Expected({2, 1}));
}

TEST(Tracker, classes_are_apart_unless_told_otherwise) {
  for (const bool per_class : {true, false}) {
    auto tracker = Tracker::Create({.per_class = per_class});
    Ids(tracker.get(), 0, {At(0, 0, 0.9f, 1)});
    Ids(tracker.get(), 0.1, {At(0, 0, 0.9f, 1)});
    EXPECT_EQ(Ids(tracker.get(), 0.2, {At(0, 0, 0.9f, 2)}), Expected({per_class ? -1 : 1}));
  }
}

TEST(Tracker, time_that_goes_back_starts_afresh_without_reusing_ids) {
  auto tracker = Tracker::Create({});
  Ids(tracker.get(), 5, {At(0, 0)});
  EXPECT_EQ(Ids(tracker.get(), 5.1, {At(0, 0)}), Expected({1}));
  EXPECT_EQ(Ids(tracker.get(), 0, {At(0, 0)}), Expected({-1}));
  EXPECT_EQ(Ids(tracker.get(), 0.1, {At(0, 0)}), Expected({2}));
  tracker->Reset();
  Ids(tracker.get(), 0, {At(0, 0)});
  EXPECT_EQ(Ids(tracker.get(), 0.1, {At(0, 0)}), Expected({1}));
}

TEST(Tracker, single_false_alarm_is_never_reported) {
  auto tracker = Tracker::Create({});
  for (int i = 0; i < 20; ++i) {
    for (const int64_t id : Ids(tracker.get(), i / 10.0,
                                {At(static_cast<float>(i % 2) * 1000 + static_cast<float>(i) * 300, 0)})) {
      EXPECT_EQ(id, -1);
    }
  }
}

TEST(Tracker, appearance_tells_apart_what_position_does_not) {
  // Two objects meet, stand still in one place for a moment and go back to where they came from.
  const std::vector<float> red = {1, 0}, blue = {0, 1};
  const auto ids_at_the_end = [&](float weight) {
    auto tracker = Tracker::Create({.appearance_weight = weight});
    std::vector<Detection> detections;
    for (int i = 0; i <= 40; ++i) {
      const float s = 100 - 5 * static_cast<float>(i <= 20 ? i : 40 - i);
      detections = {At(200 - s, 100), At(200 + s, 100)};
      const std::vector<absl::Span<const float>> embeddings = {red, blue};
      tracker->Update(i / 20.0, absl::MakeSpan(detections), embeddings);
    }
    return Expected({detections[0].track_id, detections[1].track_id});
  };
  EXPECT_EQ(ids_at_the_end(0.7f), Expected({1, 2}));
}

TEST(Tracker, nonsense_is_left_alone) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInfinity = std::numeric_limits<float>::infinity();
  auto tracker = Tracker::Create({.confirm_hits = 1});
  std::vector<Detection> detections = {At(0, 0),
                                       At(kNan, 0),
                                       At(0, kInfinity),
                                       At(0, 0, kNan),
                                       At(9, 9, 0.9f, 0, 0, 0),
                                       At(9, 9, 0.9f, 0, -5, 5),
                                       At(3e38f, 3e38f)};
  for (const double time : {0.0, 0.1, std::numeric_limits<double>::quiet_NaN(), 0.2}) {
    EXPECT_EQ(Ids(tracker.get(), time, detections), Expected({1, -1, -1, -1, -1, -1, -1}));
  }
}

// Objects on straight ways with noise, misses and false alarms. `truth` gets the object behind each
// detection, -1 for a false alarm.
std::vector<std::vector<Detection>> RandomScene(uint32_t seed,
                                                std::vector<std::vector<int>>* truth = nullptr) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> unit(0, 1);
  std::normal_distribution<float> noise(0, 1.5f);
  struct Way {
    float x, y, dx, dy;
    int class_id;
  };
  std::vector<Way> ways;
  for (uint32_t i = 0; i < 3 + random() % 12; ++i) {
    ways.push_back({unit(random) * 1000, unit(random) * 600, unit(random) * 8 - 4, unit(random) * 8 - 4,
                    static_cast<int>(random() % 2)});
  }
  std::vector<std::vector<Detection>> frames(60);
  for (size_t t = 0; t < frames.size(); ++t) {
    if (truth != nullptr) truth->emplace_back();
    for (const Way& way : ways) {
      if (unit(random) < 0.1f) continue;
      if (truth != nullptr) truth->back().push_back(static_cast<int>(&way - ways.data()));
      const auto s = static_cast<float>(t);
      frames[t].push_back(At(way.x + way.dx * s + noise(random), way.y + way.dy * s + noise(random),
                             0.3f + 0.7f * unit(random), way.class_id));
    }
    if (unit(random) >= 0.3f) continue;
    frames[t].push_back(At(unit(random) * 1000, unit(random) * 600, 0.6f));
    if (truth != nullptr) truth->back().push_back(-1);
  }
  return frames;
}

TEST(TrackerProperty, ids_are_unique_in_a_frame_and_keep_their_class) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    auto tracker = Tracker::Create({});
    std::map<int64_t, int> class_of;
    double time = 0;
    for (std::vector<Detection>& frame : RandomScene(seed)) {
      tracker->Update(time += 0.04, absl::MakeSpan(frame), {});
      std::set<int64_t> seen;
      for (const Detection& detection : frame) {
        if (detection.track_id < 0) continue;
        EXPECT_GE(detection.track_id, 1);
        EXPECT_TRUE(seen.insert(detection.track_id).second);
        EXPECT_EQ(class_of.emplace(detection.track_id, detection.class_id).first->second, detection.class_id);
      }
    }
  }
}

TEST(TrackerProperty, order_of_detections_does_not_matter) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed + 1000);
    auto tracker = Tracker::Create({}), shuffled_tracker = Tracker::Create({});
    double time = 0;
    for (const std::vector<Detection>& frame : RandomScene(seed)) {
      time += 0.04;
      std::vector<size_t> order(frame.size());
      for (size_t i = 0; i < order.size(); ++i) order[i] = i;
      std::shuffle(order.begin(), order.end(), random);
      std::vector<Detection> shuffled;
      for (const size_t i : order) shuffled.push_back(frame[i]);
      const auto ids = Ids(tracker.get(), time, frame);
      const auto shuffled_ids = Ids(shuffled_tracker.get(), time, shuffled);
      for (size_t i = 0; i < order.size(); ++i) EXPECT_EQ(shuffled_ids[i], ids[order[i]]);
    }
  }
}

TEST(TrackerProperty, same_calls_give_the_same_ids_after_a_reset) {
  auto tracker = Tracker::Create({});
  const auto run = [&] {
    std::vector<int64_t> all;
    double time = 0;
    for (const std::vector<Detection>& frame : RandomScene(7)) {
      for (const int64_t id : Ids(tracker.get(), time += 0.04, frame)) all.push_back(id);
    }
    return all;
  };
  const auto first = run();
  tracker->Reset();
  EXPECT_EQ(run(), first);
}

// Of a scene only the left part is looked at after a while: what is right of it goes on for as long as that
// takes.
TEST(TrackerProperty, looks_at_a_part_end_no_track_outside_it) {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    auto tracker = Tracker::Create({});
    const Box left{0, 0, 300, 600};
    std::vector<Detection> frame;
    for (int i = 0; i < 3; ++i) Ids(tracker.get(), i * 0.2, {At(100, 100), At(600, 100), At(600, 300)});
    double time = 0.4;
    for (int i = 0; i < 40; ++i) {
      time += 0.05 * static_cast<double>(1 + random() % 18);
      frame.clear();
      if (random() % 2 == 0) frame.push_back(At(100, 100));
      tracker->UpdatePart(time, absl::MakeSpan(frame), {}, {false, {&left, 1}});
    }
    std::vector<TrackState> states;
    tracker->Predict(time, &states);
    int right = 0;
    for (const TrackState& state : states) {
      if (state.box.x1 < 300) continue;
      ++right;
      EXPECT_TRUE(state.confirmed);
      EXPECT_EQ(state.misses, 0);
      EXPECT_NEAR(state.seen_s, 0.4, 1e-9);
    }
    EXPECT_EQ(right, 2);
    // And they are what they were when all is seen again.
    const auto ids = Ids(tracker.get(), time + 0.2, {At(600, 100), At(600, 300)});
    EXPECT_EQ(std::set<int64_t>(ids.begin(), ids.end()), (std::set<int64_t>{2, 3}));
  }
}

TEST(TrackerProperty, empty_look_at_the_place_ends_a_track_that_none_keeps) {
  auto tracker = Tracker::Create({});
  for (int i = 0; i < 3; ++i) Ids(tracker.get(), i * 0.2, {At(100, 100)});
  std::vector<TrackState> states;
  std::vector<Detection> nothing;
  const Box there{50, 50, 300, 300};
  for (int i = 3; i < 10; ++i)
    tracker->UpdatePart(i * 0.2, absl::MakeSpan(nothing), {}, {false, {&there, 1}});
  tracker->Predict(2, &states);
  EXPECT_TRUE(states.empty());
}

TEST(TrackerProperty, any_steps_of_time_and_any_boxes_leave_ids_unique_and_boxes_finite) {
  constexpr double kSteps[] = {0, 1e-9, 0.001, 0.04, 0.2, 0.9, 3, 1e4, 1e9};
  constexpr float kSides[] = {-5,
                              0,
                              1e-6f,
                              1,
                              40,
                              3e3f,
                              5e6f,
                              1e9f,
                              3e38f,
                              std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN()};
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto side = [&] {
      return random() % 4 == 0 ? kSides[random() % std::size(kSides)] : static_cast<float>(random() % 500);
    };
    auto tracker = Tracker::Create({.confirm_hits = 1 + static_cast<int>(random() % 3)});
    std::vector<TrackState> states;
    std::vector<Detection> frame;
    double time = 0;
    std::set<int64_t> before;
    for (int i = 0; i < 60; ++i) {
      time += kSteps[random() % std::size(kSteps)];
      frame.clear();
      for (uint32_t j = random() % 8; j > 0; --j) {
        frame.push_back(At(side(), side(), static_cast<float>(random() % 11) / 10,
                           static_cast<int>(random() % 2), side(), side()));
      }
      const Box part{0, 0, 250, 250};
      tracker->UpdatePart(time, absl::MakeSpan(frame), {}, {random() % 2 == 0, {&part, 1}});
      std::set<int64_t> ids;
      for (const Detection& detection : frame) {
        if (detection.track_id < 0) continue;
        EXPECT_TRUE(ids.insert(detection.track_id).second);
      }
      tracker->Predict(time + 0.1, &states);
      for (const TrackState& state : states) {
        EXPECT_TRUE(std::isfinite(state.box.x1) && std::isfinite(state.box.y1) &&
                    std::isfinite(state.box.x2) && std::isfinite(state.box.y2) &&
                    std::isfinite(state.speed_px_s));
        EXPECT_LE(state.seen_s, time);
      }
    }
  }
}

TEST(Tracker, few_looks_a_second_start_tracks_at_lower_scores) {
  for (const double step : {0.04, 0.2}) {
    auto tracker = Tracker::Create({});
    std::vector<int64_t> ids;
    for (int i = 0; i < 6; ++i) ids = Ids(tracker.get(), i * step, {At(100, 100, 0.45f)});
    EXPECT_EQ(ids, Expected({step > 0.1 ? 1 : -1}));
  }
}

TEST(Tracker, at_few_looks_a_doubtful_score_takes_more_of_them) {
  const auto looks_needed = [](double step, float score) {
    auto tracker = Tracker::Create({});
    for (int i = 1; i <= 8; ++i)
      if (Ids(tracker.get(), i * step, {At(100, 100, score)})[0] > 0) return i;
    return 0;
  };
  EXPECT_EQ(looks_needed(0.2, 0.45f), 3) << "at the first look nobody knows how far the next one is";
  EXPECT_EQ(looks_needed(0.2, 0.38f), 5);
  EXPECT_EQ(looks_needed(0.2, 0.3f), 0);
  EXPECT_EQ(looks_needed(0.04, 0.45f), 0);
}

TEST(Tracker, at_few_looks_what_was_seen_once_may_be_missed_once) {
  for (const double step : {0.04, 0.2}) {
    auto tracker = Tracker::Create({});
    std::vector<int64_t> ids;
    for (int i = 0; i < 4; ++i) {
      ids = Ids(tracker.get(), i * step,
                i % 2 == 0 ? std::vector<Detection>{At(100, 100)} : std::vector<Detection>{});
    }
    ids = Ids(tracker.get(), 4 * step, {At(100, 100)});
    EXPECT_EQ(ids, Expected({step > 0.1 ? 1 : -1}));
  }
}

TEST(TrackerProperty, objects_on_straight_ways_seldom_change_their_id) {
  int seen = 0, reported = 0, changes = 0;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::vector<std::vector<int>> truth;
    const auto frames = RandomScene(seed, &truth);
    auto tracker = Tracker::Create({});
    std::map<int, int64_t> id_of;
    for (size_t t = 0; t < frames.size(); ++t) {
      const auto ids = Ids(tracker.get(), static_cast<double>(t) * 0.04, frames[t]);
      for (size_t i = 0; i < ids.size(); ++i) {
        if (truth[t][i] < 0) continue;
        ++seen;
        if (ids[i] < 0) continue;
        ++reported;
        const auto [known, is_new] = id_of.emplace(truth[t][i], ids[i]);
        if (!is_new && known->second != ids[i]) ++changes;
        known->second = ids[i];
      }
    }
  }
  std::printf("%d of %d detections of objects belong to tracks, %d changes of id\n", reported, seen, changes);
  EXPECT_GT(reported, seen * 9 / 10);
  EXPECT_LT(changes, reported / 200);
}

TEST(TrackerSpeed, thousand_tracks_and_thousand_detections) {
  auto tracker = Tracker::Create({});
  std::mt19937 random(3);
  std::uniform_real_distribution<float> unit(0, 1);
  std::vector<std::pair<float, float>> places;
  for (int i = 0; i < 1000; ++i) places.emplace_back(unit(random) * 1900, unit(random) * 1000);
  double spent_max = 0;
  for (int t = 0; t < 10; ++t) {
    std::vector<Detection> frame;
    for (auto& [x, y] : places) frame.push_back(At(x += unit(random) * 4, y, 0.9f));
    const auto start = std::chrono::steady_clock::now();
    tracker->Update(t / 25.0, absl::MakeSpan(frame), {});
    spent_max =
        std::max(spent_max, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::printf("slowest of 10 frames with 1000 overlapping objects: %.1f ms\n", spent_max * 1e3);
  EXPECT_LT(spent_max, 2);
}

}  // namespace
}  // namespace sightline::track
