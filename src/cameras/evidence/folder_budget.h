// Keeps a folder of evidence within its bytes: the oldest files go first.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>

#include "absl/status/statusor.h"

namespace sightline::cameras {

// Knows FOLDER/CAMERA/DAY/*.jpg and *.mp4, and nothing else: other files are neither counted nor touched, and
// links not followed. What was left unfinished there (*.partial) is removed at the start.
// Threads: one at a time; bytes() and removed() from anywhere.
class FolderBudget {
 public:
  // Makes the folder, for its owner alone, where there is none.
  static absl::StatusOr<std::unique_ptr<FolderBudget>> Create(std::filesystem::path folder,
                                                              uint64_t bytes_max);

  // Room for a file to come, as far as there is something to remove.
  void MakeRoom(uint64_t bytes);
  // A file that was written.
  void Add(const std::filesystem::path& path, uint64_t bytes);

  uint64_t bytes() const { return bytes_; }
  uint64_t removed() const { return removed_; }

 private:
  struct File {
    std::filesystem::path path;
    uint64_t bytes = 0;
  };
  FolderBudget(std::filesystem::path folder, uint64_t bytes_max)
      : folder_(std::move(folder)), bytes_max_(bytes_max) {}
  void Scan();
  void RemoveOldest();

  const std::filesystem::path folder_;
  const uint64_t bytes_max_;
  std::deque<File> files_;  // the oldest first
  std::atomic<uint64_t> bytes_ = 0, removed_ = 0;
};

}  // namespace sightline::cameras
