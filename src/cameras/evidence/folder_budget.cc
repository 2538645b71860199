#include "cameras/evidence/folder_budget.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::cameras {
namespace {

namespace fs = std::filesystem;

// What is in a folder; nothing where it cannot be read.
std::vector<fs::path> Entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    entries.push_back(at->path());
  return entries;
}

std::vector<fs::path> Folders(const fs::path& folder) {
  std::vector<fs::path> folders;
  for (fs::path& entry : Entries(folder)) {
    std::error_code error;
    if (fs::symlink_status(entry, error).type() == fs::file_type::directory)
      folders.push_back(std::move(entry));
  }
  return folders;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FolderBudget>> FolderBudget::Create(fs::path folder, uint64_t bytes_max) {
  std::error_code error;
  if (fs::create_directories(folder, error)) fs::permissions(folder, fs::perms::owner_all, error);
  if (error || !fs::is_directory(folder, error)) {
    return absl::FailedPreconditionError(
        fmt::format("cannot keep evidence in {}: {}; name a folder that can be made and written to",
                    folder.string(), error ? error.message() : "it is no folder"));
  }
  auto budget = std::unique_ptr<FolderBudget>(new FolderBudget(std::move(folder), bytes_max));
  budget->Scan();
  budget->MakeRoom(0);
  return budget;
}

void FolderBudget::Scan() {
  struct Found {
    File file;
    std::pair<int64_t, int64_t> written;
  };
  std::vector<Found> found;
  for (const fs::path& camera : Folders(folder_)) {
    for (const fs::path& day : Folders(camera)) {
      for (fs::path& path : Entries(day)) {
        struct stat status {};
        if (lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
        const fs::path extension = path.extension();
        if (extension == ".partial") {
          unlink(path.c_str());
        } else if (extension == ".jpg" || extension == ".mp4") {
          found.push_back({{std::move(path), static_cast<uint64_t>(status.st_size)},
                           {status.st_mtim.tv_sec, status.st_mtim.tv_nsec}});
        }
      }
    }
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return std::tie(a.written, a.file.path) < std::tie(b.written, b.file.path);
  });
  for (Found& one : found) {
    bytes_ += one.file.bytes;
    files_.push_back(std::move(one.file));
  }
}

void FolderBudget::MakeRoom(uint64_t bytes) {
  const uint64_t room = bytes_max_ - std::min(bytes, bytes_max_);
  while (bytes_ > room && !files_.empty()) RemoveOldest();
}

void FolderBudget::Add(const fs::path& path, uint64_t bytes) {
  files_.push_back({path, bytes});
  bytes_ += bytes;
  MakeRoom(0);
}

// What cannot be removed is counted no more: it would stand in the way of all others.
void FolderBudget::RemoveOldest() {
  const File file = std::move(files_.front());
  files_.pop_front();
  bytes_ -= file.bytes;
  if (unlink(file.path.c_str()) != 0) {
    if (errno != ENOENT)
      spdlog::warn("{}", MessageOf(ErrnoStatus(errno, fmt::format("cannot remove {}", file.path.string()))));
    return;
  }
  ++removed_;
  rmdir(file.path.parent_path().c_str());  // of a day that is over; fails while there is something in it
}

}  // namespace sightline::cameras
