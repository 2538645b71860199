#include "cameras/watch/delay_meter.h"

#include <algorithm>
#include <cmath>

namespace sightline::cameras {
namespace {

constexpr double kFirst = 0.001;  // seconds: upper edge of the first bucket
constexpr double kStep = 1.1;     // from edge to edge; the last one is at 39 s

}  // namespace

int DelayMeter::BucketOf(double delay_s) {
  if (!(delay_s > kFirst)) return 0;
  const double bucket = std::ceil(std::log(delay_s / kFirst) / std::log(kStep));
  return static_cast<int>(std::min(bucket, static_cast<double>(kBuckets - 1)));
}

void DelayMeter::Add(int64_t second, double delay_s) {
  const int64_t number = second / kSpanSeconds;
  Span& span = spans_[static_cast<size_t>(((number % kSpans) + kSpans) % kSpans)];
  if (span.number != number) span = {number, {}};
  ++span.counts[static_cast<size_t>(BucketOf(delay_s))];
}

double DelayMeter::Quantile(int64_t second, double share) const {
  const int64_t now = second / kSpanSeconds;
  std::array<uint64_t, kBuckets> sums{};
  uint64_t total = 0;
  for (const Span& span : spans_) {
    if (span.number > now || span.number <= now - kSpans) continue;
    for (size_t i = 0; i < kBuckets; ++i) {
      sums[i] += span.counts[i];
      total += span.counts[i];
    }
  }
  if (total == 0) return 0;
  const double wanted = std::clamp(share, 0.0, 1.0) * static_cast<double>(total);
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += sums[i];
    if (seen > 0 && static_cast<double>(seen) >= wanted)
      return kFirst * std::pow(kStep, static_cast<double>(i));
  }
  return kFirst * std::pow(kStep, kBuckets - 1);
}

}  // namespace sightline::cameras
