// Files: reading with a limit, and writing so that a finished file is complete or absent.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace sightline {

using Bytes = std::vector<uint8_t>;

// Reads a regular file into `bytes` (its capacity is reused). Refuses more than `bytes_max` before reading
// (ResourceExhausted), folders, sockets and pipes (InvalidArgument).
absl::Status ReadFile(const std::filesystem::path& path, uint64_t bytes_max, Bytes* bytes);
absl::StatusOr<std::string> ReadTextFile(const std::filesystem::path& path, uint64_t bytes_max);

// Waits until what was written to this file, or the names in this folder, are on the disk.
absl::Status SyncToDisk(const std::filesystem::path& path);

// A file that appears under its name only when Commit() succeeds; until then it is "NAME.partial" beside it,
// and the destructor removes that. Errors (a full disk, a closed pipe) come back from Write or Commit,
// whichever met them. Devices and pipes (/dev/null, /dev/stdout) are written to directly and keep their name;
// folders and sockets are refused (InvalidArgument). Threads: one at a time.
class AtomicFile {
 public:
  static absl::StatusOr<AtomicFile> Create(const std::filesystem::path& path);
  // For those who seek in it, or open it by its partial_path(): refuses devices and pipes, too.
  static absl::StatusOr<AtomicFile> CreateSeekable(const std::filesystem::path& path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  absl::Status Write(std::string_view text);
  absl::Status Flush();
  absl::Status Commit();  // flush, fsync, rename
  // Where the bytes are until Commit(), for libraries that write by themselves: they may put a file of their
  // own there.
  const std::filesystem::path& partial_path() const { return partial_; }

 private:
  bool in_place() const { return partial_ == path_; }
  AtomicFile(std::filesystem::path path, std::filesystem::path partial, int descriptor);
  std::filesystem::path path_, partial_;
  int descriptor_;
  std::string buffer_;
};

absl::Status WriteFileAtomically(const std::filesystem::path& path, std::string_view text);

// A folder that is removed with everything in it when this is destroyed.
class TemporaryFolder {
 public:
  static absl::StatusOr<TemporaryFolder> Create();
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace sightline
