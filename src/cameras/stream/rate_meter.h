// How many came a second, over the last five. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>

namespace sightline::cameras {

class RateMeter {
 public:
  void Add(double now_s) {
    times_.push_back(now_s);
    if (times_.size() > kTimesMax) times_.pop_front();
    Forget(now_s);
  }
  double PerSecond(double now_s) const {
    const auto first = std::lower_bound(times_.begin(), times_.end(), now_s - kWindowS);
    const auto count = times_.end() - first;
    if (count < 2) return 0;
    const double span = std::max(times_.back() - *first, 1e-3);
    // Of a stream that has stopped the rate falls with each moment.
    const double silence = now_s - times_.back();
    const double step = span / static_cast<double>(count - 1);
    return static_cast<double>(count - 1) / (span + std::max(silence - step, 0.));
  }
  void Clear() { times_.clear(); }

 private:
  static constexpr double kWindowS = 5;
  static constexpr size_t kTimesMax = 512;
  void Forget(double now_s) {
    while (!times_.empty() && times_.front() < now_s - kWindowS) times_.pop_front();
  }
  std::deque<double> times_;
};

}  // namespace sightline::cameras
