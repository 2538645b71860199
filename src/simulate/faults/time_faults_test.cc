#include <gtest/gtest.h>

#include <limits>

#include "simulate/faults/fault.h"
#include "simulate/faults/test_pictures.h"

namespace sightline::simulate {
namespace {

struct Seen {
  int level;
  int64_t index;
  double time_s;
};

std::vector<Seen> Play(int count, const Fault& fault) {
  const auto source = WithFaults(std::make_unique<CountingSource>(count), {fault});
  std::vector<Seen> seen;
  while (true) {
    const auto next = source->Next();
    if (!next.ok()) {
      EXPECT_EQ(next.status().code(), absl::StatusCode::kOutOfRange);
      return seen;
    }
    seen.push_back({At(*next->frame, 0, 3, 3), next->index, next->frame->time_s.value_or(-1)});
  }
}

Fault Make(FaultKind kind, int severity, double at_s) {
  Fault fault;
  fault.kind = kind;
  fault.severity = severity;
  fault.at_s = at_s;
  return fault;
}

TEST(Freeze, holds_the_last_picture_under_new_times) {
  Fault fault = Make(FaultKind::kFreeze, 5, 2);
  fault.for_s = 3;
  const std::vector<Seen> seen = Play(80, fault);
  ASSERT_EQ(seen.size(), 80u);
  for (int i = 0; i < 80; ++i) {
    EXPECT_EQ(seen[i].level, i < 20 || i >= 50 ? i : 19) << i;
    EXPECT_EQ(seen[i].time_s, i / 10.0);
    EXPECT_EQ(seen[i].index, i);
  }
}

TEST(Freeze, stands_half_the_time_at_three) {
  int repeated = 0;
  const std::vector<Seen> seen = Play(200, Make(FaultKind::kFreeze, 3, 0));
  for (size_t i = 1; i < seen.size(); ++i) repeated += seen[i].level == seen[i - 1].level;
  EXPECT_NEAR(repeated, 100, 12);
}

TEST(Loop, plays_the_second_before_the_onset_again) {
  const std::vector<Seen> seen = Play(80, Make(FaultKind::kLoop, 4, 3));
  for (int i = 0; i < 80; ++i) {
    EXPECT_EQ(seen[i].level, i < 30 ? i : 20 + (i - 30) % 10) << i;
    EXPECT_EQ(seen[i].time_s, i / 10.0);
  }
}

TEST(Loop, records_first_where_the_video_begins_with_it) {
  const std::vector<Seen> seen = Play(50, Make(FaultKind::kLoop, 4, 0));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(seen[i].level, i % 10) << i;
}

TEST(FrameDrop, loses_the_share_it_names_and_keeps_indices) {
  for (const auto& [severity, share] : {std::pair{1, 0.05}, {2, 0.15}, {3, 0.35}, {4, 0.65}, {5, 0.9}}) {
    const std::vector<Seen> seen = Play(20000, Make(FaultKind::kFrameDrop, severity, 100));
    int64_t last = -1, before = 0;
    for (const Seen& one : seen) {
      EXPECT_GT(one.index, last);
      EXPECT_EQ(one.time_s, static_cast<double>(one.index) / 10);
      last = one.index;
      before += one.index < 1000;
    }
    EXPECT_EQ(before, 1000);
    EXPECT_NEAR(1 - static_cast<double>(seen.size() - 1000) / 19000, share, 0.03) << severity;
  }
}

TEST(ClockJump, goes_forwards_for_odd_seeds_and_backwards_for_even_ones) {
  Fault fault = Make(FaultKind::kClockJump, 4, 2);
  const std::vector<Seen> forwards = Play(30, fault);
  fault.seed = 2;
  const std::vector<Seen> backwards = Play(30, fault);
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(forwards[i].time_s, i < 20 ? i / 10.0 : i / 10.0 + 60);
    EXPECT_EQ(backwards[i].time_s, i < 20 ? i / 10.0 : i / 10.0 - 60);
    EXPECT_EQ(forwards[i].level, i);
  }
}

TEST(WithFaults, gives_the_very_frames_before_the_onset) {
  for (int kind = 0; kind < kFaultKinds; ++kind) {
    auto counting = std::make_unique<CountingSource>(20);
    const CountingSource& given = *counting;
    const auto source = WithFaults(std::move(counting), {Make(static_cast<FaultKind>(kind), 5, 1)});
    EXPECT_EQ(source->format().frames_per_second, 10);
    for (size_t i = 0; i < 10; ++i) {
      const auto next = source->Next();
      ASSERT_TRUE(next.ok());
      EXPECT_EQ(next->frame, given.given[i]) << Name(static_cast<FaultKind>(kind));
    }
  }
}

// Frames with no time, and with times that are none.
class OddTimes final : public FrameSource {
 public:
  const SourceFormat& format() const override { return format_; }
  absl::StatusOr<SourceFrame> Next() override {
    constexpr double kTimes[] = {std::numeric_limits<double>::quiet_NaN(),
                                 1e300,
                                 -1e300,
                                 std::numeric_limits<double>::infinity(),
                                 5,
                                 4,
                                 1e18};
    if (index_ == 9) return absl::OutOfRangeError("end");
    if (index_ == 7) {
      ++index_;
      return absl::DataLossError("lost");
    }
    auto frame = TestPicture(PixelFormat::kYuv420, {33, 17});
    if (index_ < 7) frame->time_s = kTimes[index_];
    return SourceFrame{frame, index_++};
  }

 private:
  SourceFormat format_;
  int64_t index_ = 0;
};

TEST(WithFaults, stands_any_times_and_passes_errors_on) {
  for (int kind = 0; kind < kFaultKinds; ++kind) {
    const auto source = WithFaults(std::make_unique<OddTimes>(), {Make(static_cast<FaultKind>(kind), 5, 0)});
    bool lost = false;
    while (true) {
      const auto next = source->Next();
      if (next.ok()) {
        EXPECT_EQ(next->frame->size, (Size{33, 17}));
      } else if (next.status().code() == absl::StatusCode::kDataLoss) {
        lost = true;
      } else {
        EXPECT_EQ(next.status().code(), absl::StatusCode::kOutOfRange);
        break;
      }
    }
    EXPECT_TRUE(lost) << Name(static_cast<FaultKind>(kind));
  }
}

TEST(WithFaults, noise_is_new_in_each_frame_and_a_fault_ends) {
  Fault fault = Make(FaultKind::kNoise, 4, 0);
  fault.for_s = 1;
  const auto source = WithFaults(std::make_unique<CountingSource>(20, Size{64, 48}), {fault});
  const FramePtr first = source->Next()->frame, second = source->Next()->frame;
  EXPECT_GT(MeanSquaredError(*first, *second), 100);
  for (int i = 2; i < 10; ++i) ASSERT_TRUE(source->Next().ok());
  EXPECT_EQ(At(*source->Next()->frame, 0, 5, 5), 10);
}

}  // namespace
}  // namespace sightline::simulate
