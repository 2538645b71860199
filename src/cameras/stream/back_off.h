// How long to wait before the next attempt. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

namespace sightline::cameras {

// 0.5 s, doubling up to `max_s`, each between 75 % and 125 % of that: many cameras behind one switch that
// failed do not come back in the same moment. Begins anew after `kCalmS` of live time.
class BackOff {
 public:
  static constexpr double kFirstS = 0.5, kCalmS = 10;

  BackOff(double max_s, uint64_t seed) : max_s_(std::max(max_s, 0.)), random_(seed) {}

  // `live_s`: how long the attempt that just ended gave frames.
  double Next(double live_s) {
    if (live_s >= kCalmS) next_s_ = kFirstS;
    const double base = std::min(next_s_, max_s_);
    next_s_ = std::min(next_s_ * 2, std::max(max_s_, kFirstS));
    return std::min(base * std::uniform_real_distribution<double>(0.75, 1.25)(random_), max_s_);
  }
  void Reset() { next_s_ = kFirstS; }

 private:
  const double max_s_;
  double next_s_ = kFirstS;
  std::mt19937_64 random_;
};

}  // namespace sightline::cameras
