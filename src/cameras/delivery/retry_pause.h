// How long a sink that failed is left alone.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace sightline::cameras {

// 0.2 s, doubling up to 30 s; each between half and all of that, so that many nodes behind one server that
// failed do not come back in the same moment. Pure.
class RetryPause {
 public:
  static constexpr double kFirstS = 0.2, kMaxS = 30;
  explicit RetryPause(uint64_t seed) : random_(seed) {}

  std::chrono::milliseconds Next() {
    const double pause = next_s_ * std::uniform_real_distribution<double>(0.5, 1)(random_);
    next_s_ = std::min(next_s_ * 2, kMaxS);
    return std::chrono::milliseconds(static_cast<int64_t>(pause * 1e3));
  }
  void Reset() { next_s_ = kFirstS; }

 private:
  double next_s_ = kFirstS;
  std::mt19937_64 random_;
};

}  // namespace sightline::cameras
