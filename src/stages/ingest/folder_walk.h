// Walks a folder lazily, in byte order, depth first; with a pattern it is the expansion of a glob.
#pragma once

#include <sys/types.h>

#include <bitset>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace sightline::ingest {

// Whether `name` fits one component of a glob: * any text, ? one (UTF-8) character, [a-z] [!a-z] one of a
// set, \ the next as it stands. Names that begin with "." need a pattern that does too.
bool MatchesComponent(std::string_view pattern, std::string_view name);

// True where a word asks for expansion: it holds an unescaped * ? or [.
bool IsGlob(std::string_view word);

// Limits on one walk, against trees that are small on the disk but endless to walk.
inline constexpr int kFolderDepthMax = 256;
inline constexpr int64_t kLinkedFoldersMax = 10'000;
inline constexpr size_t kGlobComponentsMax = 64;

struct WalkEntry {
  std::string path;     // a regular file, or what `status` speaks of
  absl::Status status;  // not OK: an unreadable folder, a dangling link, a link loop, a limit
};

// Hidden entries, sidecars (see input_list.h) and what is no file or folder are passed over; links are
// followed. With a pattern, sidecars are given where its last component ends with their extension.
//
// Threads: one at a time. The entries of the folders on the way down to the present one are in memory,
// nothing else.
class FolderWalk {
 public:
  // Everything below `folder`. `entries_max`: of one folder.
  static FolderWalk Everything(const std::string& folder, int64_t entries_max);
  // What a glob expands to. ** as a whole component means any number of folders; a folder that matches means
  // everything below it. InvalidArgument for more than kGlobComponentsMax components.
  static absl::Status Glob(std::string_view pattern, int64_t entries_max, std::optional<FolderWalk>* walk);

  // The next entry; nullopt at the end, or when `cancelled` says so (asked before each folder).
  std::optional<WalkEntry> Next(const std::function<bool()>& cancelled);

 private:
  // Which components of the pattern the next name may match; all zero and `everything`: no pattern any more.
  using States = std::bitset<kGlobComponentsMax + 1>;
  struct Identity {
    dev_t device;
    ino_t number;
    bool operator==(const Identity&) const = default;
  };
  struct Entry {
    std::string name;
    uint8_t type;  // as readdir says it; DT_UNKNOWN where it does not
  };
  struct Level {
    std::string prefix;  // what to put before a name: "" or "folder/"
    Identity identity;
    std::vector<Entry> entries;
    size_t next = 0;
    States states;
    bool everything = false;
  };

  explicit FolderWalk(int64_t entries_max) : entries_max_(entries_max) {}
  std::optional<WalkEntry> Enter(const std::string& folder, States states, bool everything);
  std::optional<WalkEntry> Look(Level& level, const Entry& entry);
  States Closure(States states) const;
  bool IsPassedOver(std::string_view name) const;

  int64_t entries_max_;
  std::vector<std::string> components_;  // of the pattern, after its fixed beginning
  std::vector<Level> levels_;
  std::optional<WalkEntry> first_;  // what went wrong at the very start
  int64_t linked_folders_ = 0;
};

}  // namespace sightline::ingest
