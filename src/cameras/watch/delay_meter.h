// How late results were over the last minute: a histogram for each five seconds of it.
#pragma once

#include <array>
#include <cstdint>

namespace sightline::cameras {

// Of fixed size; a quantile is told within 10 %. Time is whole seconds of any clock that does not go back.
class DelayMeter {
 public:
  void Add(int64_t second, double delay_s);
  double Quantile(int64_t second, double share) const;  // 0 where nothing was measured

 private:
  static constexpr int kSpanSeconds = 5, kSpans = 12, kBuckets = 112;
  static int BucketOf(double delay_s);
  struct Span {
    int64_t number = INT64_MIN;  // seconds / kSpanSeconds
    std::array<uint32_t, kBuckets> counts{};
  };
  std::array<Span, kSpans> spans_;
};

}  // namespace sightline::cameras
