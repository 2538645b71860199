// The COCO detection evaluation: per class and IoU threshold results claim truths in falling order of score;
// precision is made monotone and read off at 101 recalls.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "evaluate/metrics.h"

namespace sightline::evaluate {
namespace {

constexpr std::array<int, 3> kMaxResults = {1, 10, 100};
// Thresholds and recalls as the COCO tools compute them, to the last bit: recalls fall on them exactly.
constexpr double kIouStep = (0.95 - 0.5) / (kIouSteps - 1), kRecallStep = 0.01;
constexpr double kSides[4][2] = {{0, 1e5}, {0, 32}, {32, 96}, {96, 1e5}};

struct Item {
  const Annotation* annotation;
  double area;
  bool ignore;
};

double BoxArea(const Box& box) {
  return static_cast<double>(box.width()) * static_cast<double>(box.height());
}

// Of a crowd any part may be claimed: the overlap counts against the result's own area.
double Overlap(const Box& result, const Box& truth, bool crowd) {
  const double w =
      static_cast<double>(std::min(result.x2, truth.x2)) - static_cast<double>(std::max(result.x1, truth.x1));
  const double h =
      static_cast<double>(std::min(result.y2, truth.y2)) - static_cast<double>(std::max(result.y1, truth.y1));
  if (w <= 0 || h <= 0) return 0;
  const double both = w * h;
  return both / (crowd ? BoxArea(result) : BoxArea(result) + BoxArea(truth) - both);
}

// What became of the results of one class in one picture.
struct PictureOutcome {
  std::vector<float> scores;                                  // falling
  std::array<std::vector<char>, kIouSteps> matched, ignored;  // per threshold, one a result
  int64_t truths = 0;                                         // not ignored
};

struct ClassPicture {
  std::vector<const Annotation*> truths, results;  // results by falling score, at most 100
  std::vector<std::vector<double>> overlaps;       // [result][truth], truths in their own order
};

PictureOutcome Match(const ClassPicture& picture, SizeRange range) {
  const double low = kSides[static_cast<size_t>(range)][0] * kSides[static_cast<size_t>(range)][0];
  const double high = kSides[static_cast<size_t>(range)][1] * kSides[static_cast<size_t>(range)][1];
  const size_t n = picture.truths.size();
  std::vector<char> ignore(n);
  for (size_t g = 0; g < n; ++g) {
    const Annotation& truth = *picture.truths[g];
    const double area = truth.area.value_or(BoxArea(*truth.box));
    ignore[g] = truth.ignore || area < low || area > high;
  }
  std::vector<size_t> order(n);  // those that count first
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return ignore[a] < ignore[b]; });
  PictureOutcome outcome;
  outcome.truths = std::count(ignore.begin(), ignore.end(), 0);
  for (const Annotation* result : picture.results) outcome.scores.push_back(result->score);
  for (size_t t = 0; t < kIouSteps; ++t) {
    const double threshold = 0.5 + kIouStep * static_cast<double>(t);
    std::vector<char> taken(n);
    for (size_t d = 0; d < picture.results.size(); ++d) {
      double best = std::min(threshold, 1 - 1e-10);
      size_t found = n;
      for (const size_t g : order) {
        if (taken[g] && !picture.truths[g]->crowd) continue;
        if (found < n && !ignore[found] && ignore[g])
          break;  // one that counts is better than any that does not
        if (picture.overlaps[d][g] < best) continue;
        best = picture.overlaps[d][g];
        found = g;
      }
      const double area = BoxArea(*picture.results[d]->box);
      outcome.matched[t].push_back(found < n);
      outcome.ignored[t].push_back(found < n ? ignore[found] : (area < low || area > high));
      if (found < n) taken[found] = 1;
    }
  }
  return outcome;
}

struct Curve {
  std::vector<double> precision = std::vector<double>(101, 0);
  double recall = 0, ap = 0;
  double best_f1 = 0, best_score = 0, best_precision = 0, best_recall = 0;
};

Curve Accumulate(const std::vector<PictureOutcome>& outcomes, size_t threshold, size_t max_results,
                 int64_t truths) {
  struct Entry {
    float score;
    char matched;
  };
  std::vector<Entry> entries;
  for (const PictureOutcome& outcome : outcomes) {
    for (size_t d = 0; d < std::min(max_results, outcome.scores.size()); ++d) {
      if (!outcome.ignored[threshold][d])
        entries.push_back({outcome.scores[d], outcome.matched[threshold][d]});
    }
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.score > b.score; });
  Curve curve;
  std::vector<double> recalls, precisions;
  double tp = 0, fp = 0;
  for (const Entry& entry : entries) {
    (entry.matched ? tp : fp) += 1;
    recalls.push_back(tp / static_cast<double>(truths));
    precisions.push_back(tp / (tp + fp));
    const double f1 = 2 * tp / (tp + fp + static_cast<double>(truths));
    if (f1 > curve.best_f1) {
      curve.best_f1 = f1;
      curve.best_score = static_cast<double>(entry.score);
      curve.best_precision = precisions.back();
      curve.best_recall = recalls.back();
    }
  }
  if (!recalls.empty()) curve.recall = recalls.back();
  for (size_t i = precisions.size(); i-- > 1;) precisions[i - 1] = std::max(precisions[i - 1], precisions[i]);
  for (size_t r = 0; r <= 100; ++r) {
    const auto at = std::lower_bound(recalls.begin(), recalls.end(), kRecallStep * static_cast<double>(r));
    if (at == recalls.end()) break;
    curve.precision[r] = precisions[static_cast<size_t>(at - recalls.begin())];
  }
  curve.ap = std::accumulate(curve.precision.begin(), curve.precision.end(), 0.0) / 101;
  return curve;
}

std::vector<ClassPicture> Collect(const Paired& paired, const std::string& label, bool plain) {
  std::vector<ClassPicture> pictures;
  for (const Pair& pair : paired.pairs) {
    ClassPicture picture;
    for (const Annotation& truth : pair.truth->annotations) {
      if (truth.box && truth.label == label) picture.truths.push_back(&truth);
    }
    for (const Annotation& result : pair.results->annotations) {
      if (IsDetection(result, plain) && result.label == label) picture.results.push_back(&result);
    }
    if (picture.truths.empty() && picture.results.empty()) continue;
    std::stable_sort(picture.results.begin(), picture.results.end(),
                     [](const Annotation* a, const Annotation* b) { return a->score > b->score; });
    if (picture.results.size() > static_cast<size_t>(kMaxResults.back()))
      picture.results.resize(static_cast<size_t>(kMaxResults.back()));
    for (const Annotation* result : picture.results) {
      std::vector<double>& row = picture.overlaps.emplace_back();
      for (const Annotation* truth : picture.truths)
        row.push_back(Overlap(*result->box, *truth->box, truth->crowd));
    }
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

// Mean over what is known (not -1).
double Mean(const std::vector<double>& values) {
  double sum = 0;
  int count = 0;
  for (const double value : values) {
    if (value < 0) continue;
    sum += value;
    ++count;
  }
  return count > 0 ? sum / count : -1;
}

// Of one range of sizes: AP and AR over the thresholds; nothing is written where there is no truth.
void MeanOver(const std::vector<PictureOutcome>& outcomes, double* ap, double* recall) {
  int64_t truths = 0;
  for (const PictureOutcome& outcome : outcomes) truths += outcome.truths;
  if (truths == 0) return;
  *ap = *recall = 0;
  for (size_t t = 0; t < kIouSteps; ++t) {
    const Curve curve = Accumulate(outcomes, t, 100, truths);
    *ap += curve.ap / kIouSteps;
    *recall += curve.recall / kIouSteps;
  }
}

}  // namespace

DetectionReport EvaluateDetections(const Paired& paired, const std::vector<std::string>& labels) {
  bool plain = false;
  for (const Pair& pair : paired.pairs) {
    for (const Annotation& result : pair.results->annotations)
      plain |= result.box && !result.label.empty() && !result.track_id;
  }
  DetectionReport report;
  std::vector<double> ar[3];
  for (const std::string& label : labels) {
    const std::vector<ClassPicture> pictures = Collect(paired, label, plain);
    const auto outcomes = [&](SizeRange range) {
      std::vector<PictureOutcome> all;
      for (const ClassPicture& picture : pictures) all.push_back(Match(picture, range));
      return all;
    };
    ClassDetections scores;
    scores.label = label;
    const std::vector<PictureOutcome> all = outcomes(SizeRange::kAll);
    for (size_t i = 0; i < pictures.size(); ++i) {
      scores.truths += all[i].truths;
      scores.results += static_cast<int64_t>(pictures[i].results.size());
    }
    if (scores.truths > 0) {
      double recalls[3] = {}, sum = 0;
      for (size_t t = 0; t < kIouSteps; ++t) {
        const Curve curve = Accumulate(all, t, 100, scores.truths);
        sum += curve.ap;
        for (size_t m = 0; m < 3; ++m)
          recalls[m] +=
              Accumulate(all, t, static_cast<size_t>(kMaxResults[m]), scores.truths).recall / kIouSteps;
        if (t == 0) {
          scores.ap50 = curve.ap;
          scores.precision50 = curve.precision;
          scores.best_score = curve.best_score;
          scores.best_precision = curve.best_precision;
          scores.best_recall = curve.best_recall;
        }
        if (t == 5) scores.ap75 = curve.ap;
      }
      scores.ap = sum / kIouSteps;
      scores.recall = recalls[2];
      for (size_t m = 0; m < 3; ++m) ar[m].push_back(recalls[m]);
    }
    MeanOver(outcomes(SizeRange::kSmall), &scores.ap_small, &scores.recall_small);
    MeanOver(outcomes(SizeRange::kMedium), &scores.ap_medium, &scores.recall_medium);
    MeanOver(outcomes(SizeRange::kLarge), &scores.ap_large, &scores.recall_large);
    report.classes.push_back(std::move(scores));
  }
  const auto mean = [&](double ClassDetections::*member) {
    std::vector<double> values;
    for (const ClassDetections& scores : report.classes) values.push_back(scores.*member);
    return Mean(values);
  };
  report.ap = mean(&ClassDetections::ap);
  report.ap50 = mean(&ClassDetections::ap50);
  report.ap75 = mean(&ClassDetections::ap75);
  report.ap_small = mean(&ClassDetections::ap_small);
  report.ap_medium = mean(&ClassDetections::ap_medium);
  report.ap_large = mean(&ClassDetections::ap_large);
  report.ar1 = Mean(ar[0]);
  report.ar10 = Mean(ar[1]);
  report.ar100 = Mean(ar[2]);
  report.ar_small = mean(&ClassDetections::recall_small);
  report.ar_medium = mean(&ClassDetections::recall_medium);
  report.ar_large = mean(&ClassDetections::recall_large);
  return report;
}

}  // namespace sightline::evaluate
