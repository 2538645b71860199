// So many at once, and so many a second in the long run.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace sightline::cameras {

// Threads: one at a time.
class RateLimit {
 public:
  RateLimit(double at_once, double per_second) : most_(at_once), per_second_(per_second), left_(at_once) {}
  bool Take(MonotonicTime now) {
    if (now > last_) {
      left_ = std::min(most_, left_ + std::chrono::duration<double>(now - last_).count() * per_second_);
      last_ = now;
    }
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  double most_, per_second_, left_;
  MonotonicTime last_{};
};

}  // namespace sightline::cameras
