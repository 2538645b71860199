// Non-maximum suppression: of boxes that overlap, the best stays.
#pragma once

#include <vector>

#include "stages/postprocess/head.h"

namespace sightline::postprocess {

// Only the best so many candidates are looked at; what lies below them has never been worth the time.
inline constexpr size_t kCandidatesMax = 30'000;

struct SuppressionOptions {
  float iou = 0.45f;            // overlap above this suppresses
  bool class_agnostic = false;  // also across classes
  int kept_max = 300;
};

// Falling score; ties by class, then by row, so that the outcome never depends on the order of `candidates`.
bool Better(const Candidate& a, const Candidate& b);

// Leaves the best kCandidatesMax, in no order.
void CutToBest(std::vector<Candidate>* candidates);

// Greedy: goes through the candidates best first and keeps each that overlaps no kept one (of its class) by
// more than `iou`. Leaves the kept ones, best first, in `candidates`. O(n log n + n * kept); allocates
// nothing.
void SuppressNonMaxima(const SuppressionOptions& options, std::vector<Candidate>* candidates);

// Best first and at most `kept_max`, for outputs that the graph has already suppressed.
void KeepBest(int kept_max, std::vector<Candidate>* candidates);

}  // namespace sightline::postprocess
