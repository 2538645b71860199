// Where result rows go.
#pragma once

#include <filesystem>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/result.h"

namespace sightline::sinks {

// Threads: one at a time. The finished file appears with Finish() only; destroyed without it, nothing is
// left. Errors of Write and Finish (a full disk, a closed pipe) are final.
class ResultWriter {
 public:
  virtual ~ResultWriter() = default;
  virtual absl::Status Write(const ResultRow& row) = 0;
  virtual absl::Status Finish() = 0;
};

// One JSON object a line. `path` "-" writes to standard output, line by line (no atomic file there).
absl::StatusOr<std::unique_ptr<ResultWriter>> CreateJsonLinesWriter(const std::filesystem::path& path);
// RFC 4180 with a header line; lists and attributes as JSON text in their cell. "-" as above.
absl::StatusOr<std::unique_ptr<ResultWriter>> CreateCsvWriter(const std::filesystem::path& path);

}  // namespace sightline::sinks
