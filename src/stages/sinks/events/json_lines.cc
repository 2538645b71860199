#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/status.h"
#include "base/text.h"
#include "stages/sinks/events/event_sink.h"

namespace sightline::sinks {
namespace {

void SyncFolder(const std::filesystem::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

// FILE is appended to; at file_bytes_max it becomes FILE.1, that FILE.2 and so on. A line is there as a whole
// or not at all: what a crash or a full disk left of one is cut off.
class JsonLinesSink final : public EventSink {
 public:
  explicit JsonLinesSink(JsonLinesOptions options) : options_(std::move(options)) {}
  ~JsonLinesSink() override { Close(); }

  absl::Status Send(const EventMessage& message) override { return SendTogether({&message, 1}).front(); }

  std::vector<absl::Status> SendTogether(absl::Span<const EventMessage> messages) override {
    std::string lines;
    for (const EventMessage& message : messages) {
      lines += message.payload;
      lines += '\n';
    }
    return std::vector<absl::Status>(messages.size(), Append(lines));
  }
  size_t together_max() const override { return 256; }
  std::string Shown() const override { return fmt::format("file {}", options_.file.string()); }

  absl::Status Open() {
    std::error_code ignored;
    std::filesystem::create_directories(options_.file.parent_path(), ignored);
    descriptor_ = open(options_.file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (descriptor_ < 0) return ErrnoStatus(errno, fmt::format("cannot open {}", options_.file.string()));
    struct stat status {};
    if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
      Close();
      return absl::InvalidArgumentError(fmt::format("{} is no plain file", options_.file.string()));
    }
    size_ = status.st_size;
    const absl::Status cut = CutTornLine();
    if (!cut.ok()) Close();
    SyncFolder(options_.file.parent_path());
    return cut;
  }

 private:
  void Close() {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
  }

  absl::Status Failure(int error) const {
    const absl::Status status = ErrnoStatus(error, fmt::format("cannot write {}", options_.file.string()));
    const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    return full ? absl::ResourceExhaustedError(status.message()) : status;
  }

  // Back to the end of the last whole line.
  absl::Status CutTornLine() {
    off_t end = size_;
    char block[4096];
    while (end > 0) {
      const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(sizeof block));
      const ssize_t count = pread(descriptor_, block, static_cast<size_t>(end - begin), begin);
      if (count != end - begin) return Failure(count < 0 ? errno : EIO);
      const std::string_view text(block, static_cast<size_t>(count));
      if (const size_t at = text.rfind('\n'); at != std::string_view::npos) {
        end = begin + static_cast<off_t>(at) + 1;
        break;
      }
      end = begin;
    }
    if (end != size_ && ftruncate(descriptor_, end) != 0) return Failure(errno);
    size_ = end;
    return absl::OkStatus();
  }

  // Somebody else (logrotate) may have moved the file away.
  bool StillThere() const {
    struct stat mine {
    }, named{};
    return fstat(descriptor_, &mine) == 0 && stat(options_.file.c_str(), &named) == 0 &&
           mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
  }

  std::filesystem::path Older(int number) const {
    return fmt::format("{}.{}", options_.file.string(), number);
  }

  absl::Status Rotate() {
    Close();
    std::error_code ignored;
    const int last = options_.files_max - 1;  // besides FILE itself
    std::filesystem::remove(last >= 1 ? Older(last) : options_.file, ignored);
    for (int i = last - 1; i >= 1; --i) std::filesystem::rename(Older(i), Older(i + 1), ignored);
    if (last >= 1 && rename(options_.file.c_str(), Older(1).c_str()) != 0) return Failure(errno);
    return Open();
  }

  absl::Status Append(std::string_view lines) {
    if (descriptor_ >= 0 && !StillThere()) Close();
    if (descriptor_ < 0) RETURN_IF_ERROR(Open());
    if (size_ > 0 && static_cast<uint64_t>(size_) + lines.size() > options_.file_bytes_max)
      RETURN_IF_ERROR(Rotate());
    for (size_t done = 0; done < lines.size();) {
      const ssize_t count =
          pwrite(descriptor_, lines.data() + done, lines.size() - done, size_ + static_cast<off_t>(done));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return TakeBack(count < 0 ? errno : ENOSPC);
      done += static_cast<size_t>(count);
    }
    if (fdatasync(descriptor_) != 0) return TakeBack(errno);
    size_ += static_cast<off_t>(lines.size());
    return absl::OkStatus();
  }

  absl::Status TakeBack(int error) {
    if (ftruncate(descriptor_, size_) != 0) Close();  // opening cuts the torn line off
    return Failure(error);
  }

  const JsonLinesOptions options_;
  int descriptor_ = -1;
  off_t size_ = 0;  // up to the end of the last line that is safe
};

}  // namespace

absl::StatusOr<std::unique_ptr<EventSink>> CreateJsonLinesSink(const JsonLinesOptions& options) {
  if (options.file.filename().empty()) {
    return absl::InvalidArgumentError(fmt::format("'{}' names no file", options.file.string()));
  }
  JsonLinesOptions absolute = options;
  std::error_code error;
  absolute.file = std::filesystem::absolute(options.file, error);
  if (error) return ErrnoStatus(error.value(), options.file.string());
  auto sink = std::make_unique<JsonLinesSink>(absolute);
  RETURN_IF_ERROR(sink->Open());
  return sink;
}

}  // namespace sightline::sinks
