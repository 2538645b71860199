#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline {
namespace {

constexpr size_t kWriteBufferBytes = size_t{1} << 16;

absl::Status WriteAll(int descriptor, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, fmt::format("cannot write {}", path.string()));
    text.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status ReadInto(const std::filesystem::path& path, uint64_t bytes_max, auto* bytes) {
  // Non-blocking, so that a named pipe is refused below instead of waited for.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return ErrnoStatus(errno, fmt::format("cannot open {}", path.string()));
  const auto close_it = absl::MakeCleanup([&] { close(descriptor); });
  struct stat info {};
  if (fstat(descriptor, &info) != 0) return ErrnoStatus(errno, fmt::format("cannot read {}", path.string()));
  if (!S_ISREG(info.st_mode))
    return absl::InvalidArgumentError(fmt::format("{} is not a regular file", path.string()));
  if (static_cast<uint64_t>(info.st_size) > bytes_max) {
    return absl::ResourceExhaustedError(
        fmt::format("{} has {} bytes, more than the limit of {}", path.string(), info.st_size, bytes_max));
  }
  bytes->resize(static_cast<size_t>(info.st_size));
  size_t done = 0;
  while (done < bytes->size()) {
    const ssize_t got = read(descriptor, bytes->data() + done, bytes->size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, fmt::format("cannot read {}", path.string()));
    if (got == 0) break;  // the file shrank while it was read
    done += static_cast<size_t>(got);
  }
  bytes->resize(done);
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadFile(const std::filesystem::path& path, uint64_t bytes_max, Bytes* bytes) {
  return ReadInto(path, bytes_max, bytes);
}

absl::StatusOr<std::string> ReadTextFile(const std::filesystem::path& path, uint64_t bytes_max) {
  std::string text;
  RETURN_IF_ERROR(ReadInto(path, bytes_max, &text));
  return text;
}

absl::Status SyncToDisk(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return ErrnoStatus(errno, fmt::format("cannot open {}", path.string()));
  const auto close_it = absl::MakeCleanup([&] { close(descriptor); });
  if (fsync(descriptor) != 0) return ErrnoStatus(errno, fmt::format("cannot write {}", path.string()));
  return absl::OkStatus();
}

absl::StatusOr<AtomicFile> AtomicFile::Create(const std::filesystem::path& name) {
  std::error_code none;
  std::filesystem::path path = name;
  if (std::filesystem::is_symlink(name, none)) {  // what it leads to is written, and the link stays
    const std::filesystem::path target = std::filesystem::canonical(name, none);
    if (!none) path = target;
  }
  const std::filesystem::file_status status = std::filesystem::status(path, none);
  if (is_character_file(status) || is_fifo(status)) {
    // /dev/null, a terminal, a pipe: written to as it is. A file must never take its name.
    const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return ErrnoStatus(errno, fmt::format("cannot write {}", path.string()));
    return AtomicFile(path, path, descriptor);
  }
  if (exists(status) && !is_regular_file(status))
    return absl::InvalidArgumentError(
        fmt::format("cannot create {}: it is there and no file", path.string()));
  std::filesystem::path partial = path;
  partial += ".partial";
  const int descriptor = open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0 && errno == ENOENT) {
    return absl::NotFoundError(
        fmt::format("cannot create {}: there is no folder {}", path.string(), path.parent_path().string()));
  }
  if (descriptor < 0) return ErrnoStatus(errno, fmt::format("cannot create {}", partial.string()));
  return AtomicFile(path, std::move(partial), descriptor);
}

absl::StatusOr<AtomicFile> AtomicFile::CreateSeekable(const std::filesystem::path& path) {
  std::error_code none;
  const std::filesystem::file_status status = std::filesystem::status(path, none);
  if (is_character_file(status) || is_fifo(status)) {
    return absl::InvalidArgumentError(
        fmt::format("cannot write {}: its format needs a file, not a device or pipe", path.string()));
  }
  return Create(path);
}

AtomicFile::AtomicFile(std::filesystem::path path, std::filesystem::path partial, int descriptor)
    : path_(std::move(path)), partial_(std::move(partial)), descriptor_(descriptor) {
  buffer_.reserve(2 * kWriteBufferBytes);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      partial_(std::move(other.partial_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      buffer_(std::move(other.buffer_)) {}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  if (!in_place()) unlink(partial_.c_str());
}

absl::Status AtomicFile::Write(std::string_view text) {
  buffer_.append(text);
  return buffer_.size() < kWriteBufferBytes ? absl::OkStatus() : Flush();
}

absl::Status AtomicFile::Flush() {
  RETURN_IF_ERROR(WriteAll(descriptor_, buffer_, partial_));
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status AtomicFile::Commit() {
  RETURN_IF_ERROR(Flush());
  absl::Status status;
  if (close(std::exchange(descriptor_, -1)) != 0)
    status = ErrnoStatus(errno, fmt::format("cannot finish {}", path_.string()));
  if (in_place()) return status;
  if (status.ok()) status = SyncToDisk(partial_);
  if (status.ok() && rename(partial_.c_str(), path_.c_str()) != 0)
    status = ErrnoStatus(errno, fmt::format("cannot finish {}", path_.string()));
  if (!status.ok()) unlink(partial_.c_str());
  return status;
}

absl::Status WriteFileAtomically(const std::filesystem::path& path, std::string_view text) {
  auto file = AtomicFile::Create(path);
  if (!file.ok()) return file.status();
  RETURN_IF_ERROR(file->Write(text));
  return file->Commit();
}

absl::StatusOr<TemporaryFolder> TemporaryFolder::Create() {
  std::error_code error;
  std::string pattern = (std::filesystem::temp_directory_path(error) / "sightline-XXXXXX").string();
  if (error || mkdtemp(pattern.data()) == nullptr)
    return ErrnoStatus(errno, "cannot create a temporary folder");
  return TemporaryFolder(pattern);
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace sightline
