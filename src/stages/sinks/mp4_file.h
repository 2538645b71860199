// An MP4 file with one video stream, as it is written: under another name until it is complete.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "base/file.h"

struct AVFormatContext;
struct AVStream;

namespace sightline::sinks {

// Threads: one at a time. Errors: ResourceExhausted for a full disk. What was not finished is removed.
class Mp4File {
 public:
  static constexpr int kTicksPerSecond = 90'000;

  explicit Mp4File(const std::filesystem::path& path);
  Mp4File(const Mp4File&) = delete;
  ~Mp4File();

  absl::Status Begin();                              // PATH.partial; then stream()'s parameters are filled in
  absl::Status Open(std::string_view comment = "");  // with its header
  absl::Status Finish();                             // on the disk, under its name
  AVFormatContext* format() { return format_; }
  AVStream* stream() { return stream_; }  // may have another time base once it is open
  absl::Status Failed(int code) const;    // libav's code, as "cannot write PATH: ..."

 private:
  void Close();

  const std::filesystem::path path_;
  std::optional<AtomicFile> file_;
  AVFormatContext* format_ = nullptr;
  AVStream* stream_ = nullptr;  // belongs to format_
};

// libav's code as a status.
absl::Status AvError(int code, std::string_view what);

}  // namespace sightline::sinks
