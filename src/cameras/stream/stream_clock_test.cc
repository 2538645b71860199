#include "cameras/stream/stream_clock.h"

#include <gtest/gtest.h>

#include <random>

namespace sightline::cameras {
namespace {

constexpr int64_t kRate = 90'000, kFrame = 3600;  // 25 frames/s

StreamClock::Stamp At(int64_t units) { return {units, units}; }

StreamClock Begun(Timing timing) {
  StreamClock clock;
  clock.Begin(timing, 1, kRate, 0.04);
  return clock;
}

TEST(StreamClock, time_begins_at_0_and_follows_the_timestamps) {
  StreamClock clock = Begun(Timing::kLive);
  for (int i = 0; i < 100; ++i) {
    const auto reading = clock.Read(At(123'456'789 + i * kFrame), 10 + i * 0.04);
    EXPECT_NEAR(reading.stream_s, i * 0.04, 1e-9);
    EXPECT_EQ(reading.stamp.pts, i * kFrame);
    EXPECT_EQ(reading.stamp.dts, i * kFrame);
    EXPECT_FALSE(reading.jumped);
  }
  EXPECT_NEAR(clock.frame_s(), 0.04, 1e-6);
}

TEST(StreamClock, a_wrap_of_32_or_33_bits_is_no_jump) {
  for (const int bits : {32, 33}) {
    StreamClock clock = Begun(Timing::kLive);
    const int64_t period = int64_t{1} << bits;
    for (int i = 0; i < 100; ++i) {
      const auto reading = clock.Read(At((period - 50 * kFrame + i * kFrame) % period), i * 0.04);
      EXPECT_FALSE(reading.jumped) << bits << " " << i;
      EXPECT_NEAR(reading.stream_s, i * 0.04, 1e-9) << bits << " " << i;
    }
  }
}

TEST(StreamClock, a_jump_goes_on_by_the_time_that_went_by) {
  for (const int64_t jump : {int64_t{-500} * kRate, int64_t{4000} * kRate}) {
    StreamClock clock = Begun(Timing::kLive);
    for (int i = 0; i < 10; ++i) clock.Read(At(1000 * kRate + i * kFrame), i * 0.04);
    const auto reading = clock.Read(At(1000 * kRate + jump), 9 * 0.04 + 0.5);
    EXPECT_TRUE(reading.jumped);
    EXPECT_NEAR(reading.stream_s, 9 * 0.04 + 0.5, 1e-4);
    EXPECT_FALSE(clock.Read(At(1000 * kRate + jump + kFrame), 9 * 0.04 + 0.54).jumped);
  }
}

TEST(StreamClock, a_pause_of_the_camera_is_no_jump) {
  StreamClock clock = Begun(Timing::kLive);
  clock.Read(At(0), 0);
  const auto reading = clock.Read(At(20 * kRate), 20);
  EXPECT_FALSE(reading.jumped);
  EXPECT_NEAR(reading.stream_s, 20, 1e-6);
}

TEST(StreamClock, small_steps_back_keep_the_order_without_a_jump) {
  StreamClock clock = Begun(Timing::kLive);
  clock.Read(At(kRate), 1);
  const auto reading = clock.Read(At(kRate - kFrame), 1.04);
  EXPECT_FALSE(reading.jumped);
  EXPECT_EQ(reading.stamp.dts, 1);  // rises all the same
}

TEST(StreamClock, reordered_frames_keep_their_presentation) {
  StreamClock clock = Begun(Timing::kTimestamps);
  const int64_t pts[] = {2, 5, 3, 4, 8, 6, 7};
  for (int i = 0; i < 7; ++i) {
    const auto reading = clock.Read({pts[i] * kFrame, i * kFrame}, 0);
    EXPECT_EQ(reading.stamp.dts, i * kFrame);
    EXPECT_EQ(reading.stamp.pts, pts[i] * kFrame);
    EXPECT_NEAR(reading.stream_s, static_cast<double>(pts[i]) * 0.04, 1e-9);
  }
}

TEST(StreamClock, a_new_connection_goes_on_by_what_went_by) {
  StreamClock clock = Begun(Timing::kLive);
  for (int i = 0; i < 25; ++i) clock.Read(At(i * kFrame), i * 0.04);
  clock.Begin(Timing::kLive, 1, 1000, 0.04);
  const auto reading = clock.Read(At(987'654), 24 * 0.04 + 5);
  EXPECT_NEAR(reading.stream_s, 24 * 0.04 + 5, 2e-3);
  EXPECT_FALSE(reading.jumped);
}

TEST(StreamClock, a_recording_played_again_goes_on_by_one_frame) {
  StreamClock clock = Begun(Timing::kTimestamps);
  for (int i = 0; i < 25; ++i) clock.Read(At(i * kFrame), 1000);
  clock.Begin(Timing::kTimestamps, 1, kRate, 0.04);
  EXPECT_NEAR(clock.Read(At(0), 2000).stream_s, 1.0, 1e-3);
}

TEST(StreamClock, streams_without_timestamps_are_timed_by_arrival) {
  StreamClock clock = Begun(Timing::kArrival);
  for (int i = 0; i < 50; ++i) EXPECT_NEAR(clock.Read({}, 7 + i * 0.1).stream_s, i * 0.1, 0.01);
  EXPECT_NEAR(clock.frame_s(), 0.1, 0.01);
}

// Whatever a camera sends, dts rise, times are finite, and what is written fits what is said.
TEST(StreamClock, nonsense_never_makes_time_go_back) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  const auto below = [&](uint64_t n) { return static_cast<int64_t>(random() % n); };
  for (int round = 0; round < 200; ++round) {
    StreamClock clock;
    const auto begin = [&] {
      clock.Begin(static_cast<Timing>(below(3)), below(4) - 1, below(100'000) - 2,
                  static_cast<double>(below(100)) / 50 - 0.5);
    };
    begin();
    double arrived = 0;
    std::optional<int64_t> last;
    for (int i = 0; i < 200; ++i) {
      arrived += static_cast<double>(below(100)) / 1000;
      if (below(50) == 0) {
        begin();
        last.reset();  // the unit may be another
      }
      const auto stamp = [&]() -> std::optional<int64_t> {
        switch (below(4)) {
          case 0:
            return std::nullopt;
          case 1:
            return static_cast<int64_t>(random());
          default:
            return i * 1000 + below(100'000);
        }
      };
      const auto reading = clock.Read({stamp(), stamp()}, arrived);
      ASSERT_TRUE(std::isfinite(reading.stream_s));
      ASSERT_GE(reading.stream_s, 0);
      if (reading.stamp.dts) {
        if (last) {
          ASSERT_GT(*reading.stamp.dts, *last) << "round " << round << " packet " << i;
        }
        last = reading.stamp.dts;
        if (reading.stamp.pts) {
          ASSERT_GE(*reading.stamp.pts, *reading.stamp.dts);
        }
      }
    }
  }
}

}  // namespace
}  // namespace sightline::cameras
