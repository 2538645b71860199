#include <algorithm>

#include "evaluate/metrics.h"

namespace sightline::evaluate {

std::vector<Mistake> WorstDetections(const Paired& paired, double iou, size_t count_each) {
  bool plain = false;
  for (const Pair& pair : paired.pairs) {
    for (const Annotation& result : pair.results->annotations)
      plain |= result.box && !result.label.empty() && !result.track_id;
  }
  std::vector<Mistake> alarms, misses;
  for (const Pair& pair : paired.pairs) {
    std::vector<const Annotation*> results;
    for (const Annotation& result : pair.results->annotations) {
      if (IsDetection(result, plain)) results.push_back(&result);
    }
    std::stable_sort(results.begin(), results.end(),
                     [](const Annotation* a, const Annotation* b) { return a->score > b->score; });
    std::vector<char> taken(pair.truth->annotations.size());
    for (const Annotation* result : results) {
      double best = iou;
      size_t found = taken.size();
      for (size_t g = 0; g < taken.size(); ++g) {
        const Annotation& truth = pair.truth->annotations[g];
        if (!truth.box || truth.label != result->label || (taken[g] && !truth.ignore)) continue;
        const double overlap = static_cast<double>(IntersectionOverUnion(*truth.box, *result->box));
        if (overlap >= best) best = overlap, found = g;
      }
      if (found < taken.size()) {
        taken[found] = 1;
      } else {
        alarms.push_back({Mistake::Kind::kFalseAlarm, pair.results->source, pair.results->frame, *result,
                          static_cast<double>(result->score)});
      }
    }
    for (size_t g = 0; g < taken.size(); ++g) {
      const Annotation& truth = pair.truth->annotations[g];
      if (taken[g] || truth.ignore || !truth.box) continue;
      misses.push_back({Mistake::Kind::kMiss, pair.truth->source, pair.truth->frame, truth,
                        static_cast<double>(truth.box->area())});
    }
  }
  // The worst of each, and of what goes on over many frames of a video not the same again and again.
  std::vector<Mistake> worst;
  for (std::vector<Mistake>* list : {&alarms, &misses}) {
    std::stable_sort(list->begin(), list->end(),
                     [](const Mistake& a, const Mistake& b) { return a.weight > b.weight; });
    std::vector<Mistake> kept;
    for (const Mistake& mistake : *list) {
      const bool again = std::any_of(kept.begin(), kept.end(), [&](const Mistake& other) {
        return other.source == mistake.source && std::abs(other.frame - mistake.frame) < 50 &&
               IntersectionOverUnion(*other.annotation.box, *mistake.annotation.box) > 0.2f;
      });
      if (!again) kept.push_back(mistake);
      if (kept.size() >= count_each) break;
    }
    worst.insert(worst.end(), kept.begin(), kept.end());
  }
  return worst;
}

}  // namespace sightline::evaluate
