// The 95th percentile of the delays of the last minutes.
#pragma once

#include <algorithm>
#include <deque>
#include <vector>

#include "base/clock.h"

namespace sightline::cameras {

// Threads: one at a time.
class DelayWindow {
 public:
  void Add(double delay_s, MonotonicTime now) {
    delays_.push_back({now, delay_s});
    if (delays_.size() > kDelaysMax) delays_.pop_front();
  }

  double P95(MonotonicTime now) const {
    std::vector<double> delays;
    for (const Delay& one : delays_)
      if (now - one.at <= kWindow) delays.push_back(one.seconds);
    if (delays.empty()) return 0;
    const auto at = delays.begin() + static_cast<std::ptrdiff_t>((delays.size() * 95 - 1) / 100);
    std::nth_element(delays.begin(), at, delays.end());
    return *at;
  }

 private:
  struct Delay {
    MonotonicTime at;
    double seconds;
  };
  static constexpr size_t kDelaysMax = 1024;
  static constexpr std::chrono::minutes kWindow{5};
  std::deque<Delay> delays_;
};

}  // namespace sightline::cameras
