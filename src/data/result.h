// A row of the results: one thing that one step said of one frame. JSON Lines fields, CSV and Parquet columns
// are these.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "data/detection.h"

namespace sightline {

enum class ResultKind { kDetection, kClassification, kEmbedding, kTrack, kError };
std::string_view Name(ResultKind kind);

// Borrowed for the call: text and spans point into the plan, the card or the frame's results.
struct ResultRow {
  std::string_view source;       // as the input was named (credentials removed)
  int64_t frame = 0;             // 0-based: video frame, page, or 0
  std::optional<double> time_s;  // video: presentation time from the start of the stream
  std::string_view step;         // id in the pipeline
  ResultKind kind = ResultKind::kDetection;
  std::string_view label;
  std::optional<float> score;
  std::optional<Box> box;  // source pixels
  std::optional<int64_t> track_id;
  absl::Span<const Attribute> attributes;
  absl::Span<const Keypoint> keypoints;
  const Mask* mask = nullptr;
  absl::Span<const float> embedding;
  std::string_view model;  // name@version
  std::string_view error;
};

}  // namespace sightline
