// Where lines of text go: a file that appears when it is finished, or a stream (standard output, a pipe, a
// device).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file.h"

namespace sightline::sinks {

// "-" is standard output. A path that is already a pipe or a device is written to as it is; any other path is
// a file that is complete or absent (AtomicFile). Streams get each Write() at once, so that a reader sees
// whole lines live. Errors: final; the first one comes back from every later call. Threads: one at a time.
class LineOutput {
 public:
  static absl::StatusOr<LineOutput> Open(const std::filesystem::path& path);
  LineOutput(LineOutput&& other) noexcept;
  LineOutput& operator=(LineOutput&&) = delete;
  ~LineOutput();

  absl::Status Write(std::string_view lines);
  absl::Status Finish();

 private:
  LineOutput(std::optional<AtomicFile> file, int stream, bool owns_stream, std::string name);

  std::optional<AtomicFile> file_;
  int stream_ = -1;
  bool owns_stream_ = false;
  std::string name_;
  absl::Status failure_;
};

}  // namespace sightline::sinks
