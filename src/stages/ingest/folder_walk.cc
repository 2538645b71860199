#include "stages/ingest/folder_walk.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "base/status.h"
#include "base/text.h"

namespace sightline::ingest {
namespace {

constexpr std::array<std::string_view, 9> kSidecars = {".txt", ".json", ".xml", ".csv", ".yaml",
                                                       ".yml", ".md",   ".db",  ".ini"};

// Bytes of the UTF-8 character at the start of `text` (1 for stray bytes).
size_t CharacterLength(std::string_view text) {
  size_t length = 1;
  while (length < text.size() && length < 4 && (static_cast<uint8_t>(text[length]) & 0xC0) == 0x80) ++length;
  return (static_cast<uint8_t>(text[0]) & 0xC0) == 0xC0 ? length : 1;
}

// A set at the start of `pattern`, "[...]": its length, 0 where it is not closed (then "[" stands for
// itself).
size_t SetLength(std::string_view pattern) {
  size_t i = 1;
  if (i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^')) ++i;
  if (i < pattern.size() && pattern[i] == ']') ++i;
  while (i < pattern.size() && pattern[i] != ']') ++i;
  return i < pattern.size() ? i + 1 : 0;
}

bool IsInSet(std::string_view set, char c) {
  set = set.substr(1, set.size() - 2);
  const bool negated = set.front() == '!' || set.front() == '^';
  if (negated) set.remove_prefix(1);
  const auto value = [](char x) { return static_cast<uint8_t>(x); };
  bool found = false;
  for (size_t i = 0; i < set.size(); ++i) {
    if (i + 2 < set.size() && set[i + 1] == '-') {
      found |= value(set[i]) <= value(c) && value(c) <= value(set[i + 2]);
      i += 2;
    } else {
      found |= set[i] == c;
    }
  }
  return found != negated;
}

// One step of the pattern other than *, against the start of `name`: how much of each it takes; {0, 0}: no
// match.
std::pair<size_t, size_t> MatchOne(std::string_view pattern, std::string_view name) {
  if (pattern[0] == '?') return {1, CharacterLength(name)};
  if (pattern[0] == '[') {
    const size_t length = SetLength(pattern);
    if (length > 0)
      return IsInSet(pattern.substr(0, length), name[0]) ? std::pair{length, size_t{1}}
                                                         : std::pair{size_t{0}, size_t{0}};
  }
  const size_t escape = pattern[0] == '\\' && pattern.size() > 1 ? 1 : 0;
  return pattern[escape] == name[0] ? std::pair{escape + 1, size_t{1}} : std::pair{size_t{0}, size_t{0}};
}

bool IsSidecar(std::string_view lower_name) {
  return std::any_of(kSidecars.begin(), kSidecars.end(), [&](auto end) { return lower_name.ends_with(end); });
}

std::string Unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

}  // namespace

bool IsGlob(std::string_view word) {
  for (size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\\') {
      ++i;
    } else if (word[i] == '*' || word[i] == '?' || word[i] == '[') {
      return true;
    }
  }
  return false;
}

bool MatchesComponent(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.')) return false;
  // Where the last * was met, and how much of the name it has taken so far: going back to the last one is
  // enough.
  size_t star = std::string_view::npos, star_name = 0;
  size_t p = 0, n = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
      continue;
    }
    const auto [used, matched] =
        p < pattern.size() ? MatchOne(pattern.substr(p), name.substr(n)) : std::pair{size_t{0}, size_t{0}};
    if (used > 0) {
      p += used;
      n += matched;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = star_name += CharacterLength(name.substr(star_name));
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

FolderWalk FolderWalk::Everything(const std::string& folder, int64_t entries_max) {
  FolderWalk walk(entries_max);
  walk.first_ = walk.Enter(folder, {}, true);
  return walk;
}

absl::Status FolderWalk::Glob(std::string_view pattern, int64_t entries_max,
                              std::optional<FolderWalk>* walk) {
  std::vector<std::string> parts;
  for (std::string& part : Split(pattern, '/')) {
    if (part.empty() && !parts.empty()) continue;                          // a//b
    if (part == "**" && !parts.empty() && parts.back() == "**") continue;  // **/** says no more than **
    parts.push_back(std::move(part));
  }
  // What comes before the first wildcard is a folder to start from, never listed.
  size_t fixed = 0;
  std::string folder;
  while (!IsGlob(parts[fixed])) folder += Unescaped(parts[fixed++]) + "/";
  parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(fixed));
  if (parts.size() > kGlobComponentsMax) {
    return absl::InvalidArgumentError(fmt::format("a glob of more than {} parts", kGlobComponentsMax));
  }
  walk->emplace(FolderWalk(entries_max));
  (*walk)->components_ = std::move(parts);
  struct stat info {};
  // A folder that is not there makes a glob that matches nothing, which the caller reports.
  if (stat(folder.empty() ? "." : folder.c_str(), &info) != 0) return absl::OkStatus();
  (*walk)->first_ = (*walk)->Enter(folder, (*walk)->Closure(States(1)), false);
  return absl::OkStatus();
}

FolderWalk::States FolderWalk::Closure(States states) const {
  for (size_t i = 0; i < components_.size(); ++i) {
    if (states[i] && components_[i] == "**") states.set(i + 1);
  }
  return states;
}

bool FolderWalk::IsPassedOver(std::string_view name) const {
  const std::string lower = Lower(name);
  if (!IsSidecar(lower)) return false;
  if (components_.empty()) return true;
  const std::string last = Lower(components_.back());
  return !IsSidecar(last);
}

std::optional<WalkEntry> FolderWalk::Enter(const std::string& folder, States states, bool everything) {
  const std::string path = folder.empty() ? "." : folder;
  if (static_cast<int>(levels_.size()) >= kFolderDepthMax) {
    return WalkEntry{path,
                     absl::ResourceExhaustedError(fmt::format("more than {} folders deep", kFolderDepthMax))};
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(path.c_str()), &closedir);
  struct stat info {};
  if (listing == nullptr || fstat(dirfd(listing.get()), &info) != 0) {
    return WalkEntry{path, ErrnoStatus(errno, "the folder can't be read")};
  }
  Level level;
  level.identity = {info.st_dev, info.st_ino};
  for (const Level& above : levels_) {
    if (above.identity == level.identity) {
      return WalkEntry{path,
                       absl::FailedPreconditionError(fmt::format("a link loop: it leads back to {}",
                                                                 above.prefix.empty() ? "." : above.prefix))};
    }
  }
  level.states = states;
  level.everything = everything;
  level.prefix = folder.empty() || folder.ends_with('/') ? folder : folder + "/";
  for (errno = 0; const dirent* entry = readdir(listing.get()); errno = 0) {
    if (std::string_view(entry->d_name) == "." || std::string_view(entry->d_name) == "..") continue;
    if (everything && entry->d_name[0] == '.') continue;
    level.entries.push_back({entry->d_name, entry->d_type});
    if (static_cast<int64_t>(level.entries.size()) > entries_max_) {
      return WalkEntry{path, absl::ResourceExhaustedError(fmt::format("more than {} entries", entries_max_))};
    }
  }
  if (errno != 0) return WalkEntry{path, ErrnoStatus(errno, "the folder can't be read")};
  std::sort(level.entries.begin(), level.entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  levels_.push_back(std::move(level));
  return std::nullopt;
}

std::optional<WalkEntry> FolderWalk::Next(const std::function<bool()>& cancelled) {
  if (first_) return std::exchange(first_, std::nullopt);
  while (!levels_.empty()) {
    Level& level = levels_.back();
    if (level.next == level.entries.size()) {
      levels_.pop_back();
      continue;
    }
    const size_t depth = levels_.size();
    const Entry entry = std::move(level.entries[level.next++]);
    if (auto found = Look(level, entry)) return found;
    if (levels_.size() > depth && cancelled && cancelled()) levels_.clear();
  }
  return std::nullopt;
}

std::optional<WalkEntry> FolderWalk::Look(Level& level, const Entry& entry) {
  States below;
  bool everything = level.everything;
  for (size_t i = 0; i < components_.size() && !level.everything; ++i) {
    if (!level.states[i]) continue;
    if (components_[i] == "**") {
      if (entry.name.front() == '.') continue;
      below.set(i);
      everything |= i + 1 == components_.size();
    } else if (MatchesComponent(components_[i], entry.name)) {
      below.set(i + 1);
      everything |= i + 1 == components_.size();
    }
  }
  if (!everything && below.none()) return std::nullopt;

  std::string path = level.prefix + entry.name;
  const bool is_link = entry.type == DT_LNK;
  uint8_t type = entry.type;
  if (is_link || type == DT_UNKNOWN) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) {
      if (!everything || IsPassedOver(entry.name)) return std::nullopt;
      const int error = errno;
      return WalkEntry{std::move(path),
                       ErrnoStatus(error, is_link ? "a link that leads nowhere" : "it can't be read")};
    }
    type = S_ISREG(info.st_mode) ? DT_REG : S_ISDIR(info.st_mode) ? DT_DIR : DT_FIFO;
  }
  if (type == DT_REG) {
    if (!everything || IsPassedOver(entry.name)) return std::nullopt;
    return WalkEntry{std::move(path), absl::OkStatus()};
  }
  if (type != DT_DIR) return std::nullopt;
  if (is_link && ++linked_folders_ > kLinkedFoldersMax) {
    if (linked_folders_ > kLinkedFoldersMax + 1) return std::nullopt;  // said once
    return WalkEntry{std::move(path), absl::ResourceExhaustedError(fmt::format(
                                          "more than {} links to folders in one walk", kLinkedFoldersMax))};
  }
  return Enter(path, Closure(below), everything);
}

}  // namespace sightline::ingest
