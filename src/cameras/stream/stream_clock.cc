#include "cameras/stream/stream_clock.h"

#include <algorithm>
#include <cmath>

namespace sightline::cameras {
namespace {

constexpr double kBackMax = 0.1;         // dts that go back so far are a camera's sloppiness
constexpr double kBackReorderedMax = 1;  // where there are only pts, which go back by reordering
constexpr double kAheadLiveMax = 3;
constexpr double kAheadRecordedMax = 10;
constexpr double kReorderMax = 10;  // pts further than this from dts are nonsense
constexpr double kFrameMax = 1;     // a longer step is no frame interval
constexpr double kGapMax = 86'400;  // stream time goes on by at most a day at once

double Abs(__int128 units, double unit_s) { return std::fabs(static_cast<double>(units) * unit_s); }

// `value`, wrapped by 32 or 33 bits where that brings it next to `near`.
__int128 Unwrapped(__int128 value, __int128 near, double unit_s) {
  __int128 best = value;
  for (const __int128 period : {__int128{1} << 32, __int128{1} << 33}) {
    // The multiple that is nearest; counters may have wrapped many times.
    const __int128 difference = near - value;
    const __int128 times = (difference + (difference >= 0 ? period / 2 : -period / 2)) / period;
    const __int128 candidate = value + times * period;
    if (Abs(candidate - near, unit_s) < kAheadLiveMax && Abs(best - near, unit_s) > kReorderMax)
      best = candidate;
  }
  return best;
}

}  // namespace

void StreamClock::Begin(Timing timing, int64_t time_base_num, int64_t time_base_den, double frame_s) {
  timing_ = timing;
  const bool sane = time_base_num > 0 && time_base_den > 0;
  unit_s_ = sane ? static_cast<double>(time_base_num) / static_cast<double>(time_base_den) : 1e-3;
  if (!(unit_s_ >= 1e-9 && unit_s_ <= 10)) unit_s_ = 1e-3;
  frame_s_ = frame_s > 0 && frame_s < kFrameMax ? frame_s : 0.04;
  anchored_ = false;
}

double StreamClock::Went(double arrived_s) const {
  if (timing_ == Timing::kTimestamps) return frame_s_;
  return std::clamp(arrived_s - last_arrived_s_, frame_s_, kGapMax);
}

void StreamClock::Anchor(__int128 raw, double stream_s) {
  last_ = static_cast<__int128>(std::ceil(stream_s / unit_s_ - 1e-6));
  shift_ = last_ - raw;
  last_s_ = static_cast<double>(last_) * unit_s_;
  anchored_ = started_ = true;
}

StreamClock::Reading StreamClock::Without(double arrived_s) {
  double to = started_ ? last_s_ + frame_s_ : 0;
  if (timing_ == Timing::kArrival && started_) {
    // Bursts keep their order; the stream never runs ahead of the packets for long.
    to = last_s_ + std::clamp(arrived_s - last_arrived_s_, unit_s_, kGapMax);
  } else if (!anchored_ && started_) {
    to = std::max(last_s_, end_s_) + Went(arrived_s);
  }
  const double from = last_s_;
  const __int128 shift = shift_;
  const bool anchored = anchored_;
  Anchor(0, to);
  // Those that have timestamps go on in their own count.
  shift_ = shift;
  anchored_ = anchored || timing_ == Timing::kArrival;
  if (timing_ == Timing::kArrival && last_s_ - from > 0 && last_s_ - from < kFrameMax)
    frame_s_ += 0.1 * (last_s_ - from - frame_s_);
  const auto units = static_cast<int64_t>(last_);
  return {{units, units}, last_s_, false};
}

StreamClock::Reading StreamClock::Read(const Stamp& stamp, double arrived_s) {
  Reading reading;
  if (timing_ == Timing::kArrival || (!stamp.dts && !stamp.pts)) {
    reading = Without(arrived_s);
    end_s_ = std::max(end_s_, reading.stream_s);
    last_arrived_s_ = arrived_s;
    return reading;
  }
  const bool only_pts = !stamp.dts;
  __int128 raw = only_pts ? *stamp.pts : *stamp.dts;
  if (!anchored_) {
    const double begin = started_ ? std::max(last_s_, end_s_) + Went(arrived_s) : 0;
    Anchor(raw, begin);
  } else {
    const __int128 seen = last_ - shift_;
    raw = Unwrapped(raw, seen, unit_s_);
    const double step = static_cast<double>(raw - seen) * unit_s_;
    const double ahead_max = timing_ == Timing::kLive
                                 ? kAheadLiveMax + std::max(arrived_s - last_arrived_s_, 0.)
                                 : kAheadRecordedMax;
    if (step < -(only_pts ? kBackReorderedMax : kBackMax) || step > ahead_max) {
      Anchor(raw, std::max(last_s_, end_s_) + Went(arrived_s));
      reading.jumped = true;
    } else if (step > 0) {
      last_ = raw + shift_;
      if (step < kFrameMax) frame_s_ += 0.1 * (step - frame_s_);
    } else if (!only_pts) {
      ++last_;  // dts rise
    }
    last_s_ = static_cast<double>(last_) * unit_s_;
  }
  const __int128 units = only_pts ? raw + shift_ : last_;
  if (!only_pts) reading.stamp.dts = static_cast<int64_t>(last_);
  __int128 presented = units;
  if (stamp.pts && !only_pts) {
    presented = Unwrapped(*stamp.pts, raw, unit_s_) + shift_;
    if (Abs(presented - units, unit_s_) > kReorderMax || presented < units) presented = units;
  }
  if (stamp.pts) reading.stamp.pts = static_cast<int64_t>(std::max<__int128>(presented, 0));
  reading.stream_s = static_cast<double>(std::max<__int128>(presented, 0)) * unit_s_;
  end_s_ = std::max(end_s_, reading.stream_s);
  last_arrived_s_ = arrived_s;
  return reading;
}

}  // namespace sightline::cameras
