// From the words on a command line to a stream of inputs: files, folders (recursive), globs, @list files, -
// for a list on standard input, http/https/rtsp(s) URLs, sim: for simulated cameras.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/limits.h"

namespace sightline::ingest {

enum class InputKind { kFile, kUrl, kSimulated };  // kSimulated: "sim:...", opened by whoever simulates

// One thing to read. `status` is not OK for what was named but can't be (a dangling link, an unreadable
// folder, a glob that matches nothing, a line of a list that is no file): it becomes an error row and the run
// goes on.
struct Input {
  std::string
      name;  // for people and results: the path as reached from what was named; URLs without credentials
  std::string address;  // what to open: a path, or a URL with its credentials
  InputKind kind = InputKind::kFile;
  absl::Status status;
};

struct InputListOptions {
  MediaLimits limits;
  std::istream* standard_input = nullptr;  // for "-"
};

// Lists hold one file, folder, glob or URL a line; blank lines and lines that begin with # are passed over.
// Where the first line ends with a zero byte all do, and names are taken as they are (find -print0). Relative
// lines are looked for in the current folder, then in the list's own.
//
// Threads: one at a time. Folders are read as they are reached, entries in byte order, hidden entries (.name)
// skipped, links followed, a link loop is an error input. Within folders, files with no picture's or video's
// content are the business of whoever opens them: only well-known sidecars (.txt .json .xml .csv .yaml .md
// .db .ini) are passed over.
class InputList {
 public:
  // Fails (InvalidArgument) when no word is given or a word can't be understood (a scheme that is not
  // allowed).
  static absl::StatusOr<std::unique_ptr<InputList>> Create(std::vector<std::string> words,
                                                           InputListOptions options);
  virtual ~InputList() = default;
  virtual std::optional<Input> Next() = 0;  // nullopt at the end
};

// An rtsp(s) camera or a simulated one: always a video, with no bytes to sniff.
bool IsStream(const Input& input);

// Counts what Next() would give, without opening anything; for progress. Runs on the caller's thread and
// stops (nullopt) when `cancelled` says so or a list comes from standard input.
std::optional<int64_t> CountInputs(const std::vector<std::string>& words, const InputListOptions& options,
                                   const std::function<bool()>& cancelled);

}  // namespace sightline::ingest
