// Cases small enough to be computed by hand. tests/evaluate_reference.py has the large ones.
#include <cmath>
#include <filesystem>
#include <fstream>

#include "evaluate/metrics.h"
#include "evaluate/read.h"
#include "gtest/gtest.h"

namespace sightline::evaluate {
namespace {

Annotation At(float x, float width = 10, std::optional<int64_t> id = std::nullopt, float score = 1) {
  Annotation annotation;
  annotation.box = Box{x, 0, x + width, 10};
  annotation.label = "car";
  annotation.track_id = id;
  annotation.score = score;
  return annotation;
}

// One true car with identity 1 at x = 0 in ten frames, and what `results` says of each.
template <typename Results>
TrackScores Tracks(Results results) {
  DataSet truth, found;
  truth.has_tracks = found.has_tracks = true;
  for (int frame = 0; frame < 10; ++frame) {
    truth.pictures.push_back({"", frame, {At(0, 10, 1)}});
    found.pictures.push_back({"v.mp4", frame, results(frame)});
  }
  const auto paired = PairUp(truth, found);
  EXPECT_TRUE(paired.ok()) << paired.status();
  return EvaluateTracks(*paired, {"car"}, 0.5).combined;
}

TEST(EvaluateTracks, a_perfect_track_has_full_marks) {
  const TrackScores s = Tracks([](int) { return std::vector<Annotation>{At(0, 10, 7)}; });
  for (const double score : {s.hota, s.deta, s.assa, s.loca, s.mota, s.motp, s.idf1, s.idp, s.idr})
    EXPECT_DOUBLE_EQ(score, 1);
  EXPECT_EQ(s.counts.mostly_tracked, 1);
}

TEST(EvaluateTracks, an_identity_that_changes_half_way) {
  const TrackScores s =
      Tracks([](int frame) { return std::vector<Annotation>{At(0, 10, frame < 5 ? 7 : 8)}; });
  EXPECT_EQ(s.counts.switches, 1);
  EXPECT_DOUBLE_EQ(s.mota, (10.0 - 0 - 1) / 10);
  EXPECT_DOUBLE_EQ(s.idf1, 2 * 5.0 / (10 + 10));
  EXPECT_DOUBLE_EQ(s.deta, 1);
  EXPECT_DOUBLE_EQ(s.assa, 5.0 / (10 + 5 - 5));
  EXPECT_NEAR(s.hota, std::sqrt(0.5), 1e-12);
}

TEST(EvaluateTracks, gaps_and_false_tracks) {
  const TrackScores s = Tracks([](int frame) {
    std::vector<Annotation> found;
    if (frame < 3 || frame > 6) found.push_back(At(0, 10, 7));  // six of ten, in two pieces
    if (frame == 4 || frame == 5) found.push_back(At(200, 10, 9));
    return found;
  });
  EXPECT_EQ(s.counts.switches, 0);
  EXPECT_EQ(s.counts.fragments, 1);
  EXPECT_DOUBLE_EQ(s.mota, (6.0 - 2) / 10);
  EXPECT_DOUBLE_EQ(s.idf1, 2 * 6.0 / (10 + 8));
  EXPECT_NEAR(s.deta, 6.0 / (6 + 4 + 2), 1e-12);
  EXPECT_NEAR(s.assa, 6.0 / 10, 1e-12);
  EXPECT_NEAR(s.hota, std::sqrt(0.5 * 0.6), 1e-12);
}

TEST(EvaluateTracks, hota_goes_by_the_overlap) {
  // An overlap of 0.6 counts at 0.05, 0.10, ..., 0.60: twelve of nineteen thresholds.
  const TrackScores s = Tracks([](int) { return std::vector<Annotation>{At(0, 6, 7)}; });
  EXPECT_NEAR(s.hota, 12.0 / 19, 1e-9);
  EXPECT_NEAR(s.loca, (12 * 0.6 + 7) / 19, 1e-6);
  EXPECT_DOUBLE_EQ(s.mota, 1);
  EXPECT_NEAR(s.motp, 0.6, 1e-6);
}

TEST(EvaluateDetections, precision_is_read_off_at_101_recalls) {
  DataSet truth, found;
  truth.pictures.push_back({"a.jpg", 0, {At(0), At(100)}});
  found.pictures.push_back({"a.jpg", 0, {At(0, 10, {}, 0.9F), At(50, 10, {}, 0.8F), At(100, 10, {}, 0.7F)}});
  const auto paired = PairUp(truth, found);
  ASSERT_TRUE(paired.ok()) << paired.status();
  const DetectionReport report = EvaluateDetections(*paired, {"car", "bus"});
  // Precision 1 up to recall 0.5 (51 recalls), 2/3 beyond (50); a class without truth does not count.
  EXPECT_NEAR(report.ap50, (51 + 50 * 2.0 / 3) / 101, 1e-12);
  EXPECT_NEAR(report.ap, report.ap50, 1e-12);
  EXPECT_EQ(report.classes[1].ap50, -1);
  EXPECT_EQ(report.ap_large, -1);
}

TEST(EvaluateEvents, one_report_finds_one_event_and_its_delay_counts_from_the_begin) {
  DataSet truth, found;
  truth.events = {{"near_miss", "", 10, 11, {}}, {"near_miss", "", 30, 31, {}}};
  found.events = {{"near_miss", "v", 10.5, 10.5, 12.0},
                  {"near_miss", "v", 10.6, 10.6, 12.0},
                  {"crowd", "v", 30, 30, 30.0}};
  const EventReport report = EvaluateEvents(truth, found, 1);
  EXPECT_EQ(report.combined.matches, 1);
  EXPECT_DOUBLE_EQ(report.combined.recall, 0.5);
  EXPECT_DOUBLE_EQ(report.combined.precision, 1.0 / 3);
  EXPECT_DOUBLE_EQ(report.combined.delay_mean_s, 2);
}

TEST(ReadEvents, a_state_of_two_events_is_one_and_what_comes_twice_counts_once) {
  const auto file = std::filesystem::path(testing::TempDir()) / "events_of_a_node.jsonl";
  std::ofstream(file)
      << R"({"id":"a","source":"n/cameras/c","data":{"kind":"crowd","phase":"begin","state":"a","begin_s":3,"time_s":3,"reported_s":6}})"
      << "\n"
      << R"({"id":"m","source":"n/cameras/c","data":{"kind":"near_miss","phase":"moment","time_s":4,"reported_s":4.5}})"
      << "\n"
      << R"({"id":"m","source":"n/cameras/c","data":{"kind":"near_miss","phase":"moment","time_s":4,"reported_s":4.5}})"
      << "\n"
      << R"({"id":"b","source":"n/cameras/c","data":{"kind":"crowd","phase":"end","state":"a","begin_s":3,"end_s":9,"time_s":3,"reported_s":11}})"
      << "\n";
  const auto set = ReadResults(file, {});
  ASSERT_TRUE(set.ok()) << set.status();
  ASSERT_EQ(set->events.size(), 2u);
  EXPECT_EQ(set->events[0].begin_s, 3);
  EXPECT_EQ(set->events[0].end_s, 9);
  EXPECT_EQ(set->events[0].reported_s, 6);
  EXPECT_EQ(set->events[1].kind, "near_miss");
}

}  // namespace
}  // namespace sightline::evaluate
