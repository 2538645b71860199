#include "stages/sinks/line_output.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/status.h"
#include "base/text.h"

namespace sightline::sinks {
namespace {

absl::Status WriteToStream(int descriptor, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {  // whoever started us made the stream non-blocking
      pollfd wait{descriptor, POLLOUT, 0};
      poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return ErrnoStatus(errno, fmt::format("cannot write to {}", name));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LineOutput> LineOutput::Open(const std::filesystem::path& path) {
  if (path == "-") return LineOutput(std::nullopt, STDOUT_FILENO, false, "standard output");
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (std::filesystem::is_directory(status)) {
    return absl::InvalidArgumentError(fmt::format("cannot write {}: it is a folder", path.string()));
  }
  if (std::filesystem::is_fifo(status) || std::filesystem::is_character_file(status)) {
    const int stream = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (stream < 0) return ErrnoStatus(errno, fmt::format("cannot open {}", path.string()));
    return LineOutput(std::nullopt, stream, true, path.string());
  }
  ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  return LineOutput(std::move(file), -1, false, path.string());
}

LineOutput::LineOutput(std::optional<AtomicFile> file, int stream, bool owns_stream, std::string name)
    : file_(std::move(file)), stream_(stream), owns_stream_(owns_stream), name_(std::move(name)) {}

LineOutput::LineOutput(LineOutput&& other) noexcept
    : file_(std::move(other.file_)),
      stream_(std::exchange(other.stream_, -1)),
      owns_stream_(std::exchange(other.owns_stream_, false)),
      name_(std::move(other.name_)),
      failure_(std::move(other.failure_)) {}

LineOutput::~LineOutput() {
  if (owns_stream_) close(stream_);
}

absl::Status LineOutput::Write(std::string_view lines) {
  if (failure_.ok()) failure_ = file_ ? file_->Write(lines) : WriteToStream(stream_, lines, name_);
  return failure_;
}

absl::Status LineOutput::Finish() {
  if (failure_.ok() && file_) failure_ = file_->Commit();
  return failure_;
}

}  // namespace sightline::sinks
