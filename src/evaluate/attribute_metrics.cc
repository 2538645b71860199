#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <set>

#include "base/text.h"
#include "evaluate/metrics.h"
#include "stages/track/assignment.h"

namespace sightline::evaluate {
namespace {

constexpr size_t kWorst = 12;
constexpr int kBins = 15;

struct Compared {
  const Picture* picture;
  const std::string* truth;
  const Property* result;  // nullptr: not said
};

// What is said of one box may stand in several rows, one a step: together they say it.
std::vector<Annotation> Merged(const std::vector<Annotation>& annotations) {
  std::vector<Annotation> merged;
  std::map<std::array<float, 4>, size_t> places;
  std::optional<size_t> whole;  // of those without a box
  for (const Annotation& annotation : annotations) {
    if (annotation.attributes.empty()) continue;
    size_t place = merged.size();
    if (annotation.box) {
      const Box& box = *annotation.box;
      place = places.try_emplace({box.x1, box.y1, box.x2, box.y2}, place).first->second;
    } else {
      place = whole.value_or(place);
      whole = place;
    }
    if (place == merged.size()) {
      merged.push_back(annotation);
    } else {
      merged[place].attributes.insert(annotation.attributes.begin(), annotation.attributes.end());
    }
  }
  return merged;
}

// Who in the results is who in the truth: by overlap, or the only ones where the truth is of whole pictures.
std::vector<std::pair<const Annotation*, const Annotation*>> Match(const Pair& pair,
                                                                   const std::vector<Annotation>& said,
                                                                   double iou) {
  std::vector<const Annotation*> truths, results;
  for (const Annotation& truth : pair.truth->annotations) {
    if (!truth.attributes.empty()) truths.push_back(&truth);
  }
  for (const Annotation& result : said) results.push_back(&result);
  std::vector<std::pair<const Annotation*, const Annotation*>> matched;
  if (truths.size() == 1 && !truths[0]->box) {
    // The surest or largest stands for the picture.
    const Annotation* best = nullptr;
    for (const Annotation* result : results) {
      const auto size = [](const Annotation* a) { return a->box ? a->box->area() : 0; };
      if (best == nullptr || size(result) > size(best)) best = result;
    }
    matched.emplace_back(truths[0], best);
    return matched;
  }
  std::vector<track::Candidate> candidates;
  for (size_t i = 0; i < truths.size(); ++i) {
    for (size_t j = 0; j < results.size(); ++j) {
      if (!truths[i]->box || !results[j]->box) continue;
      const double overlap = static_cast<double>(IntersectionOverUnion(*truths[i]->box, *results[j]->box));
      if (overlap >= iou) candidates.push_back({static_cast<int>(i), static_cast<int>(j), overlap});
    }
  }
  std::vector<char> found(truths.size());
  for (const track::Candidate& match :
       track::BestMatching(static_cast<int>(truths.size()), static_cast<int>(results.size()), candidates)) {
    found[static_cast<size_t>(match.row)] = 1;
    matched.emplace_back(truths[static_cast<size_t>(match.row)], results[static_cast<size_t>(match.column)]);
  }
  for (size_t i = 0; i < truths.size(); ++i) {
    if (!found[i]) matched.emplace_back(truths[i], nullptr);
  }
  return matched;
}

void ScoreNumbers(const std::vector<Compared>& all, AttributeScores* scores) {
  std::map<int, AttributeScores::Band> bands;
  for (const Compared& one : all) {
    const auto result = one.result == nullptr ? std::nullopt : ParseNumber(one.result->value);
    if (!result) {
      ++scores->missing;
      continue;
    }
    const double truth = *ParseNumber(*one.truth), error = *result - truth;
    ++scores->compared;
    scores->mean_absolute_error += std::abs(error);
    scores->bias += error;
    scores->within_5 += std::abs(error) <= 5 ? 1 : 0;
    const int band = static_cast<int>(std::floor(truth / 10));
    auto& entry =
        bands.try_emplace(band, AttributeScores::Band{band * 10.0, band * 10.0 + 10, 0, 0, 0}).first->second;
    entry.mean_absolute_error += std::abs(error);
    entry.bias += error;
    ++entry.count;
    scores->worst.push_back(
        {one.picture->source, *one.truth, one.result->value, one.picture->frame, std::abs(error)});
  }
  const double n = std::max(1.0, static_cast<double>(scores->compared));
  scores->mean_absolute_error /= n;
  scores->bias /= n;
  scores->within_5 /= n;
  for (auto& [number, band] : bands) {
    band.mean_absolute_error /= static_cast<double>(band.count);
    band.bias /= static_cast<double>(band.count);
    scores->bands.push_back(band);
  }
}

void ScoreWords(const std::vector<Compared>& all, AttributeScores* scores) {
  struct Bin {
    double score = 0, right = 0;
    int64_t count = 0;
  };
  std::array<Bin, kBins> bins;
  int64_t right = 0, scored = 0;
  for (const Compared& one : all) {
    if (one.result == nullptr || one.result->value.empty()) {
      ++scores->missing;
      continue;
    }
    ++scores->compared;
    ++scores->confusion[*one.truth][one.result->value];
    const bool same = *one.truth == one.result->value;
    right += same ? 1 : 0;
    if (one.result->score) {
      const double score = std::clamp(*one.result->score, 0.0, 1.0);
      Bin& bin = bins[std::min<size_t>(kBins - 1, static_cast<size_t>(score * kBins))];
      bin.score += score;
      bin.right += same ? 1 : 0;
      ++bin.count;
      ++scored;
    }
    if (!same) {
      scores->worst.push_back({one.picture->source, *one.truth, one.result->value, one.picture->frame,
                               one.result->score.value_or(1)});
    }
  }
  scores->accuracy = static_cast<double>(right) / std::max(1.0, static_cast<double>(scores->compared));
  if (scored == 0) return;
  scores->calibration_error = 0;
  for (const Bin& bin : bins)
    scores->calibration_error += std::abs(bin.right - bin.score) / static_cast<double>(scored);
}

}  // namespace

AttributeReport EvaluateAttributes(const Paired& paired, double iou) {
  std::map<std::string, std::vector<Compared>> by_name;
  std::set<std::string> said;
  std::deque<std::vector<Annotation>> kept;  // pointed to below
  for (const Pair& pair : paired.pairs) {
    const std::vector<Annotation>& merged = kept.emplace_back(Merged(pair.results->annotations));
    for (const auto& [truth, result] : Match(pair, merged, iou)) {
      for (const auto& [name, property] : truth->attributes) {
        const Property* other = nullptr;
        if (result != nullptr) {
          if (const auto found = result->attributes.find(name); found != result->attributes.end())
            other = &found->second;
        }
        if (other != nullptr) said.insert(name);
        by_name[name].push_back({pair.truth, &property.value, other});
      }
    }
  }
  AttributeReport report;
  for (const auto& [name, all] : by_name) {
    if (!said.contains(name)) continue;  // nobody claimed to know it
    AttributeScores scores;
    scores.name = name;
    scores.number = std::all_of(all.begin(), all.end(),
                                [](const Compared& one) { return ParseNumber(*one.truth).has_value(); }) &&
                    std::any_of(all.begin(), all.end(), [](const Compared& one) {
                      return one.result != nullptr && ParseNumber(one.result->value).has_value();
                    });
    if (scores.number) {
      ScoreNumbers(all, &scores);
    } else {
      ScoreWords(all, &scores);
    }
    std::stable_sort(scores.worst.begin(), scores.worst.end(),
                     [](const auto& a, const auto& b) { return a.size > b.size; });
    if (scores.worst.size() > kWorst) scores.worst.resize(kWorst);
    report.attributes.push_back(std::move(scores));
  }
  return report;
}

}  // namespace sightline::evaluate
