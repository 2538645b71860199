#include "registry/part_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::registry {
namespace {

constexpr size_t kStateBytesMax = 64 << 10;
constexpr size_t kStep = 256 << 10;

absl::Status DiskError(int error_number, const std::filesystem::path& path) {
  if (error_number == ENOSPC || error_number == EDQUOT) {
    return absl::ResourceExhaustedError(fmt::format(
        "the disk is full: cannot write {}; make room and run the command again, what is there stays",
        path.string()));
  }
  return ErrnoStatus(error_number, fmt::format("cannot write {}", path.string()));
}

}  // namespace

PartFile::PartFile(PartFile&& other) noexcept
    : path_(std::move(other.path_)),
      sha256_(std::move(other.sha256_)),
      origin_(std::move(other.origin_)),
      validator_(std::move(other.validator_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      sha_(std::move(other.sha_)) {}

PartFile::~PartFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::StatusOr<PartFile> PartFile::Open(const std::filesystem::path& path, const std::string& sha256,
                                        uint64_t bytes) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (descriptor < 0) return DiskError(errno, path);
  PartFile part(path, sha256, descriptor);
  RETURN_IF_ERROR(part.ReadBack(bytes));
  return part;
}

absl::Status PartFile::ReadBack(uint64_t bytes_max) {
  struct stat status {};
  if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError(fmt::format("{} is no regular file; remove it", path_.string()));
  }
  if (status.st_size == 0) return absl::OkStatus();
  // Three lines: checksum, origin, validator.
  const auto state = ReadTextFile(StatePath(), kStateBytesMax);
  const std::string text = state.ok() ? *state : "";
  std::vector<std::string> lines;
  for (size_t from = 0; from < text.size();) {
    const size_t end = std::min(text.find('\n', from), text.size());
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  if (lines.size() < 3 || lines[0] != sha256_ || static_cast<uint64_t>(status.st_size) > bytes_max)
    return Restart();
  std::vector<uint8_t> block(kStep);
  for (;;) {
    const ssize_t count = pread(descriptor_, block.data(), block.size(), static_cast<off_t>(size_));
    if (count < 0) return ErrnoStatus(errno, fmt::format("cannot read {}", path_.string()));
    if (count == 0) break;
    sha_->Update({block.data(), static_cast<size_t>(count)});
    size_ += static_cast<uint64_t>(count);
  }
  origin_ = lines[1];
  validator_ = lines[2];
  return absl::OkStatus();
}

absl::Status PartFile::Restart() {
  if (ftruncate(descriptor_, 0) != 0) return DiskError(errno, path_);
  size_ = 0;
  sha_ = std::make_unique<Sha256>();
  origin_.clear();
  validator_.clear();
  return absl::OkStatus();
}

absl::Status PartFile::SetOrigin(const std::string& origin, const std::string& validator) {
  origin_ = WithoutAnyCredentials(origin);
  validator_ = validator.find_first_of("\r\n") == std::string::npos ? validator : "";
  return WriteFileAtomically(StatePath(), fmt::format("{}\n{}\n{}\n", sha256_, origin_, validator_));
}

absl::Status PartFile::Append(absl::Span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return DiskError(errno, path_);
    sha_->Update(bytes.first(static_cast<size_t>(count)));
    size_ += static_cast<uint64_t>(count);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

absl::Status PartFile::Sync() { return fsync(descriptor_) == 0 ? absl::OkStatus() : DiskError(errno, path_); }

}  // namespace sightline::registry
