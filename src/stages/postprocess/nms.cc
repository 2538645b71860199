#include "stages/postprocess/nms.h"

#include <algorithm>

namespace sightline::postprocess {

bool Better(const Candidate& a, const Candidate& b) {
  if (a.score != b.score) return a.score > b.score;
  return a.class_id != b.class_id ? a.class_id < b.class_id : a.row < b.row;
}

void KeepBest(int kept_max, std::vector<Candidate>* candidates) {
  const size_t kept = std::min(candidates->size(), static_cast<size_t>(std::max(kept_max, 0)));
  std::partial_sort(candidates->begin(), candidates->begin() + kept, candidates->end(), Better);
  candidates->resize(kept);
}

void CutToBest(std::vector<Candidate>* candidates) {
  if (candidates->size() <= kCandidatesMax) return;
  std::nth_element(candidates->begin(), candidates->begin() + kCandidatesMax, candidates->end(), Better);
  candidates->resize(kCandidatesMax);
}

void SuppressNonMaxima(const SuppressionOptions& options, std::vector<Candidate>* candidates) {
  CutToBest(candidates);
  std::sort(candidates->begin(), candidates->end(), Better);
  const size_t kept_max = static_cast<size_t>(std::max(options.kept_max, 0));
  size_t kept = 0;  // the first so many are the kept ones
  for (size_t i = 0; i < candidates->size() && kept < kept_max; ++i) {
    const Candidate candidate = (*candidates)[i];
    bool suppressed = false;
    for (size_t k = 0; k < kept && !suppressed; ++k) {
      const Candidate& better = (*candidates)[k];
      suppressed = (options.class_agnostic || better.class_id == candidate.class_id) &&
                   IntersectionOverUnion(better.box, candidate.box) > options.iou;
    }
    if (!suppressed) (*candidates)[kept++] = candidate;
  }
  candidates->resize(kept);
}

}  // namespace sightline::postprocess
