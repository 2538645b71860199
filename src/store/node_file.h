// The file of a node's store: opened by one process at a time, checked, and given its tables.
#pragma once

#include <filesystem>
#include <memory>

#include "absl/status/statusor.h"
#include "store/sqlite.h"

namespace sightline::store {

// FILE.lock, held by this process until destroyed.
class FileLock {
 public:
  // FailedPrecondition where another process holds it.
  static absl::StatusOr<FileLock> Take(const std::filesystem::path& file);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// A connection to write with (WAL, each commit synced); makes the tables of a new file. Errors as of
// NodeStore.
absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenNodeFile(const std::filesystem::path& file);

}  // namespace sightline::store
