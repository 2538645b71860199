// What an evaluation found, for people and programs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/limits.h"
#include "evaluate/metrics.h"

namespace sightline::evaluate {

struct Report {
  std::string truth, results;  // paths
  int64_t pictures = 0, without_results = 0, without_truth = 0, errors = 0;
  double iou = 0.5;
  std::optional<DetectionReport> detections;
  std::optional<TrackReport> tracks;
  std::optional<EventReport> events;
  std::optional<AttributeReport> attributes;
  std::vector<Mistake> worst;
};

// Tables for a terminal.
std::string ReportText(const Report& report);
// All numbers; shares are 0..1, what is not known is null.
std::string ReportJson(const Report& report);

// A JPEG for each of `worst` that pixels are found for, with its box drawn; others are empty. `pictures` is a
// folder, a picture or a video.
absl::StatusOr<std::vector<std::string>> DrawWorst(const std::vector<Mistake>& worst,
                                                   const std::filesystem::path& pictures,
                                                   const MediaLimits& limits);
// One file with everything in it. `jpegs` is empty or one an entry of report.worst.
std::string ReportHtml(const Report& report, const std::vector<std::string>& jpegs);

}  // namespace sightline::evaluate
