// The tracks of a node's cameras, kept as Parquet files: who was where, when.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/geometry.h"

namespace sightline::store {

struct TrackPoint {
  std::string_view camera, label;
  int64_t time_us = 0;  // UTC, microseconds
  int64_t track = 0;
  float score = 0;
  Box box;                         // source pixels
  std::optional<double> x_m, y_m;  // of the foot point, on the ground
};

struct TrackLogOptions {
  std::filesystem::path folder;  // FOLDER/YYYY-MM-DD/HHMMSS-SEQUENCE.parquet, all cameras of a node together
  int64_t rows_max = 500'000;    // of one file; also an hour at most
  double seconds_max = 3600;
  uint64_t folder_bytes_max = 10ull << 30;  // the oldest files go first
};

// A file appears complete or not at all; what was not finished by Finish() (kill -9) is lost, an hour at
// most. Threads: one at a time. Memory is bounded. Errors: ResourceExhausted for a full disk; the rows of
// that file are lost and counted, and a new one is begun.
class TrackLog {
 public:
  static absl::StatusOr<std::unique_ptr<TrackLog>> Create(const TrackLogOptions& options);
  virtual ~TrackLog() = default;
  virtual absl::Status Append(const TrackPoint& point) = 0;
  virtual absl::Status Finish() = 0;  // the file at hand; Append begins another
  virtual int64_t lost() const = 0;
};

}  // namespace sightline::store
