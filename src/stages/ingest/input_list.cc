#include "stages/ingest/input_list.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "base/log.h"
#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"
#include "stages/ingest/folder_walk.h"

namespace sightline::ingest {
namespace {

constexpr size_t kLineBytesMax = 32 << 10;
constexpr std::string_view kSchemes = "http, https, rtsp, rtsps and sim";

Input ErrorInput(std::string_view name, absl::Status status) {
  Input input;
  input.name = ToValidUtf8(WithoutAnyCredentials(name));
  input.address = name;
  input.status = std::move(status);
  return input;
}

Input FileInput(std::string path) {
  Input input;
  input.name = ToValidUtf8(path);
  input.address = std::move(path);
  return input;
}

bool Exists(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0;
}

// "sim:...", unless it is the name of a file.
bool IsSimulated(const std::string& word) { return SchemeOf(word) == "sim" && !Exists(word); }

// OK for paths and for the URLs that we open.
absl::Status CheckScheme(const std::string& word) {
  const std::string scheme = SchemeOf(word);
  if (scheme.empty() || IsSimulated(word)) return absl::OkStatus();
  if (scheme == "http" || scheme == "https" || scheme == "rtsp" || scheme == "rtsps")
    return ParseUrl(word).status();
  // A file may well have a colon in its name.
  const bool is_url = word.compare(scheme.size(), 3, "://") == 0;
  if (!is_url && Exists(word)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("'{}': the scheme {}: is not allowed; give files, folders, globs, @lists, or URLs of {}",
                  ToValidUtf8(WithoutAnyCredentials(word)), scheme, kSchemes));
}

// One line of a list, without its end. False at the end of the list. Longer lines are cut and said to be
// `too_long`. A zero byte that ends the `first` line makes `end` zero: the list is one of `find -print0`.
bool ReadLine(std::istream& stream, bool first, char* end, std::string* line, bool* too_long) {
  line->clear();
  *too_long = false;
  std::streambuf& buffer = *stream.rdbuf();
  for (int c = buffer.sbumpc();; c = buffer.sbumpc()) {
    if (c == std::istream::traits_type::eof()) return !line->empty();
    if (first && c == 0) *end = '\0';
    if (c == *end) return true;
    if (line->size() < kLineBytesMax) {
      *line += static_cast<char>(c);
    } else {
      *too_long = true;
    }
  }
}

struct OpenList {
  std::string name;    // for people
  std::string folder;  // where relative lines are looked for next: "" or "folder/"
  std::unique_ptr<std::ifstream> file;
  std::istream* stream = nullptr;
  int64_t line = 0;
  char end = '\n';  // of a line
};

class WordList final : public InputList {
 public:
  WordList(std::vector<std::string> words, const InputListOptions& options)
      : words_(std::move(words)), options_(options) {}

  std::optional<Input> Next() override { return NextUnless(nullptr); }

  std::optional<Input> NextUnless(const std::function<bool()>& cancelled) {
    if (over_limit_) return std::nullopt;
    while (!cancelled || !cancelled()) {
      std::optional<Input> input;
      if (walk_) {
        input = NextOfWalk(cancelled);
        if (!input) continue;
      } else if (list_) {
        input = NextOfList();
        if (!input) continue;
      } else if (next_word_ < words_.size()) {
        input = OpenWord(words_[next_word_++]);
        if (!input) continue;
      } else {
        return std::nullopt;
      }
      if (++given_ > options_.limits.inputs_max) {
        over_limit_ = true;
        return ErrorInput(
            input->name, absl::ResourceExhaustedError(fmt::format("more than {} inputs; the rest is left out",
                                                                  options_.limits.inputs_max)));
      }
      return input;
    }
    return std::nullopt;
  }

 private:
  // An input at once, or nullopt after setting walk_ or list_.
  std::optional<Input> OpenWord(const std::string& word) {
    if (word == "-") {
      list_.emplace(OpenList{"standard input", "", nullptr, options_.standard_input, 0});
      return std::nullopt;
    }
    if (word.starts_with('@')) return OpenListFile(word.substr(1));
    return OpenPlace(word);
  }

  std::optional<Input> OpenListFile(const std::string& path) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0)
      return ErrorInput("@" + path, ErrnoStatus(errno, "the list can't be read"));
    if (!S_ISREG(info.st_mode))
      return ErrorInput("@" + path, absl::InvalidArgumentError("the list is not a regular file"));
    auto file = std::make_unique<std::ifstream>(path, std::ios::binary);
    if (!file->is_open()) return ErrorInput("@" + path, ErrnoStatus(errno, "the list can't be read"));
    const size_t slash = path.rfind('/');
    std::istream* stream = file.get();
    list_.emplace(OpenList{path, slash == std::string::npos ? "" : path.substr(0, slash + 1), std::move(file),
                           stream, 0});
    return std::nullopt;
  }

  // A file, folder, glob or URL.
  std::optional<Input> OpenPlace(const std::string& place) {
    if (absl::Status status = CheckScheme(place); !status.ok()) return ErrorInput(place, status);
    if (IsSimulated(place)) {
      Input input;
      input.name = ToValidUtf8(place);
      input.address = place;
      input.kind = InputKind::kSimulated;
      return input;
    }
    if (const std::string scheme = SchemeOf(place); !scheme.empty() && ParseUrl(place).ok()) {
      Input input;
      input.name = ToValidUtf8(WithoutCredentials(place));
      input.address = place;
      input.kind = InputKind::kUrl;
      return input;
    }
    if (place.find('\0') != std::string::npos) {
      return ErrorInput(place, absl::InvalidArgumentError("a zero byte in a path"));
    }
    struct stat info {};
    if (stat(place.c_str(), &info) == 0) {
      if (S_ISREG(info.st_mode)) return FileInput(place);
      if (S_ISDIR(info.st_mode)) {
        StartWalk(FolderWalk::Everything(place, options_.limits.inputs_max), "");
        return std::nullopt;
      }
      return ErrorInput(place, absl::InvalidArgumentError("neither a regular file nor a folder"));
    }
    const int error = errno;
    if (IsGlob(place) && !Exists(place)) {
      std::optional<FolderWalk> walk;
      if (absl::Status status = FolderWalk::Glob(place, options_.limits.inputs_max, &walk); !status.ok()) {
        return ErrorInput(place, status);
      }
      StartWalk(*std::move(walk), place);
      return std::nullopt;
    }
    return ErrorInput(place,
                      ErrnoStatus(error, Exists(place) ? "a link that leads nowhere" : "it can't be read"));
  }

  void StartWalk(FolderWalk walk, std::string glob) {
    walk_.emplace(std::move(walk));
    glob_ = std::move(glob);
  }

  std::optional<Input> NextOfWalk(const std::function<bool()>& cancelled) {
    if (auto entry = walk_->Next(cancelled)) {
      glob_.clear();
      return entry->status.ok() ? FileInput(std::move(entry->path)) : ErrorInput(entry->path, entry->status);
    }
    walk_.reset();
    if (glob_.empty()) return std::nullopt;
    return ErrorInput(std::exchange(glob_, ""), absl::NotFoundError("no file matches"));
  }

  std::optional<Input> NextOfList() {
    std::string text;
    bool too_long = false;
    if (!ReadLine(*list_->stream, list_->line == 0, &list_->end, &text, &too_long)) {
      const bool failed = list_->stream->bad();
      const std::string name = list_->name;
      list_.reset();
      if (failed) return ErrorInput(name, absl::DataLossError("the list could not be read to its end"));
      return std::nullopt;
    }
    ++list_->line;
    if (list_->line == 1 && text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // a byte-order mark
    const bool plain = list_->end == '\0';                                       // names as they are
    const std::string line(plain ? text : Trim(text));
    if (line.empty() || (!plain && line.front() == '#')) return std::nullopt;
    auto input = too_long ? ErrorInput(line.substr(0, 80), absl::InvalidArgumentError("the line is too long"))
                          : OpenLine(line);
    if (input && !input->status.ok()) {
      input->status =
          Annotate(input->status, fmt::format("line {} of {}", list_->line, ToValidUtf8(list_->name)));
    }
    return input;
  }

  std::optional<Input> OpenLine(const std::string& line) {
    if (line.front() == '@' && !Exists(line)) {
      return ErrorInput(line, absl::InvalidArgumentError("a list may not name another list"));
    }
    const bool relative = line.front() != '/' && SchemeOf(line).empty();
    if (relative && !list_->folder.empty() && !Exists(line)) {
      const std::string beside = list_->folder + line;
      if (Exists(beside)) return OpenPlace(beside);
      if (IsGlob(line)) return OpenGlobBeside(line, beside);
    }
    return OpenPlace(line);
  }

  // A glob of a list: from the current folder where that gives anything, else from the list's folder.
  std::optional<Input> OpenGlobBeside(const std::string& line, const std::string& beside) {
    std::optional<FolderWalk> probe;
    if (!FolderWalk::Glob(line, options_.limits.inputs_max, &probe).ok()) return OpenPlace(line);
    return OpenPlace(probe->Next(nullptr) ? line : beside);
  }

  const std::vector<std::string> words_;
  const InputListOptions options_;
  size_t next_word_ = 0;
  std::optional<OpenList> list_;
  std::optional<FolderWalk> walk_;
  std::string glob_;  // of walk_, until it has given something
  int64_t given_ = 0;
  bool over_limit_ = false;
};

absl::Status CheckWords(const std::vector<std::string>& words, const InputListOptions& options) {
  if (words.empty()) {
    return absl::InvalidArgumentError(fmt::format(
        "no input: name files, folders, globs, @lists, - for a list on standard input, or URLs of {}",
        kSchemes));
  }
  for (const std::string& word : words) {
    if (word.empty()) return absl::InvalidArgumentError("an empty word among the inputs");
    if (word == "@") return absl::InvalidArgumentError("'@' needs the name of a list: @FILE");
    if (word == "-" && options.standard_input == nullptr) {
      return absl::InvalidArgumentError("'-' reads a list from standard input, which is not there");
    }
    if (word != "-" && !word.starts_with('@')) RETURN_IF_ERROR(CheckScheme(word));
  }
  if (std::count(words.begin(), words.end(), "-") > 1) {
    return absl::InvalidArgumentError("'-' can be named only once: standard input ends once");
  }
  return absl::OkStatus();
}

}  // namespace

bool IsStream(const Input& input) {
  return input.kind == InputKind::kSimulated ||
         (input.kind == InputKind::kUrl && SchemeOf(input.address).starts_with("rtsp"));
}

absl::StatusOr<std::unique_ptr<InputList>> InputList::Create(std::vector<std::string> words,
                                                             InputListOptions options) {
  RETURN_IF_ERROR(CheckWords(words, options));
  return std::make_unique<WordList>(std::move(words), options);
}

std::optional<int64_t> CountInputs(const std::vector<std::string>& words, const InputListOptions& options,
                                   const std::function<bool()>& cancelled) {
  if (std::find(words.begin(), words.end(), "-") != words.end() || !CheckWords(words, options).ok())
    return std::nullopt;
  WordList list(words, options);
  int64_t count = 0;
  while (list.NextUnless(cancelled)) ++count;
  if (cancelled && cancelled()) return std::nullopt;
  return count;
}

}  // namespace sightline::ingest
