// Results against truth, as numbers. Pure functions.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "evaluate/annotation.h"

namespace sightline::evaluate {

// Truth and results of one picture, by index into the two sets; results may be absent (nothing was found),
// truth not (pictures that the truth does not know are left out, and counted).
struct Pair {
  const Picture* truth = nullptr;
  const Picture* results = nullptr;
};
struct Paired {
  std::vector<Pair> pairs;  // by source and frame
  int64_t without_results = 0;
  int64_t without_truth = 0;  // pictures with results, not in the truth
};
// Sources are the same when their paths are, or, where that is unambiguous, their file names; a truth without
// names (MOTChallenge) is of whatever single source the results are of. Errors: nothing fits together.
absl::StatusOr<Paired> PairUp(const DataSet& truth, const DataSet& results);

// ---- detections: as the COCO evaluation defines them
// ----------------------------------------------------------
inline constexpr int kIouSteps = 10;                     // 0.50, 0.55, ..., 0.95
enum class SizeRange { kAll, kSmall, kMedium, kLarge };  // areas below 32^2, to 96^2, above
struct ClassDetections {
  std::string label;
  int64_t truths = 0, results = 0;       // asked for; given
  double ap = -1, ap50 = -1, ap75 = -1;  // 0..1; -1: no truth of this class
  double ap_small = -1, ap_medium = -1, ap_large = -1;
  double recall = -1;  // AR with up to 100 results a picture
  double recall_small = -1, recall_medium = -1, recall_large = -1;
  std::vector<double> precision50;  // at recall 0, 0.01, ..., 1, for IoU 0.5
  // At the score that gives the best F1 for IoU 0.5.
  double best_score = 0, best_precision = 0, best_recall = 0;
};
struct DetectionReport {
  double ap = -1, ap50 = -1, ap75 = -1, ap_small = -1, ap_medium = -1, ap_large = -1;
  double ar1 = -1, ar10 = -1, ar100 = -1, ar_small = -1, ar_medium = -1, ar_large = -1;
  std::vector<ClassDetections> classes;
};
DetectionReport EvaluateDetections(const Paired& paired, const std::vector<std::string>& labels);

// ---- tracks
// --------------------------------------------------------------------------------------------------- HOTA
// (Luiten and others 2021), identity F1 (Ristani and others 2016), CLEAR MOT (Bernardin and Stiefelhagen
// 2008).
struct TrackCounts {
  std::array<double, 19> tp{}, fn{}, fp{}, association{},
      location{};                   // per alpha 0.05 ... 0.95, to be summed
  int64_t truths = 0, results = 0;  // boxes
  int64_t matches = 0, switches = 0, fragments = 0;
  double overlap = 0;  // of the matches, summed
  int64_t identities = 0, mostly_tracked = 0, mostly_lost = 0, idtp = 0;
};
struct TrackScores {
  std::string label;
  TrackCounts counts;
  double hota = 0, deta = 0, assa = 0, loca = 0;
  double mota = 0, motp = 0, idf1 = 0, idp = 0, idr = 0;
};
struct TrackReport {
  TrackScores combined;
  std::vector<TrackScores> classes;
};
TrackReport EvaluateTracks(const Paired& paired, const std::vector<std::string>& labels, double iou);

// ---- events
// ---------------------------------------------------------------------------------------------------
struct EventScores {
  std::string kind;
  int64_t truths = 0, results = 0, matches = 0;
  double precision = 0, recall = 0;
  double delay_mean_s = 0, delay_p95_s = 0;  // from the truth's begin to the report
};
struct EventReport {
  EventScores combined;
  std::vector<EventScores> kinds;
  std::vector<TimedEvent> missed, false_alarms;
};
// An event is found by one of its kind and source whose time is within `tolerance_s` of it.
EventReport EvaluateEvents(const DataSet& truth, const DataSet& results, double tolerance_s);

// ---- attributes
// -----------------------------------------------------------------------------------------------
struct AttributeScores {
  std::string name;
  int64_t compared = 0, missing = 0;  // missing: the truth has it, the results do not
  bool number = false;
  double accuracy = 0, calibration_error = -1;                      // of words; -1: no scores
  std::map<std::string, std::map<std::string, int64_t>> confusion;  // truth -> result -> count
  double mean_absolute_error = 0, bias = 0, within_5 = 0;           // of numbers
  struct Band {
    double low, high, mean_absolute_error, bias;
    int64_t count;
  };
  std::vector<Band> bands;  // of ten units of the truth
  struct Mistake {
    std::string source, truth, result;
    int64_t frame = 0;
    double size = 0;  // how wrong
  };
  std::vector<Mistake> worst;
};
struct AttributeReport {
  std::vector<AttributeScores> attributes;
};
AttributeReport EvaluateAttributes(const Paired& paired, double iou);

// ---- the worst pictures
// ----------------------------------------------------------------------------------------
struct Mistake {
  enum class Kind { kFalseAlarm, kMiss, kSwitch } kind = Kind::kMiss;
  std::string source;
  int64_t frame = 0;
  Annotation annotation;
  double weight = 0;  // the more, the worse
};
std::vector<Mistake> WorstDetections(const Paired& paired, double iou, size_t count_each);
std::vector<Mistake> IdentitySwitches(const Paired& paired, double iou, size_t count);

// Shared: what takes part in a task. Results that only carry attributes take part in neither.
bool IsDetection(const Annotation& annotation, bool has_plain_detections);

}  // namespace sightline::evaluate
