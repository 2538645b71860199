#include "evaluate/read.h"

#include <cmath>
#include <fstream>

#include "base/status.h"
#include "base/text.h"

namespace sightline::evaluate {
namespace {

constexpr size_t kLineBytesMax = size_t{64} << 20;

// The first bytes tell: "PAR1", "[" or "{" (a list or object over several lines, or JSON Lines), else text
// with commas.
absl::StatusOr<std::string> Head(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return ErrnoStatus(errno, fmt::format("{} can't be read", path.string()));
  std::string head(4096, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(file.gcount()));
  return head;
}

bool IsCocoTruth(std::string_view head, const std::filesystem::path& path) {
  return head.starts_with('{') && path.extension() == ".json";
}

void Rename(const std::map<std::string, std::string>& map, DataSet* set) {
  if (map.empty()) return;
  for (Picture& picture : set->pictures) {
    for (Annotation& annotation : picture.annotations) {
      if (const auto found = map.find(annotation.label); found != map.end()) annotation.label = found->second;
    }
  }
  for (TimedEvent& event : set->events) {
    if (const auto found = map.find(event.kind); found != map.end()) event.kind = found->second;
  }
}

absl::Status ReadFolder(const std::filesystem::path& folder, const ReadOptions& options, DataSet* set) {
  std::error_code ignored;
  bool found = false;
  for (const char* name : {"gt.txt", "gt/gt.txt"}) {
    if (found || !std::filesystem::exists(folder / name, ignored)) continue;
    ReadOptions own = options;
    if (own.labels_file.empty() && std::filesystem::exists(folder / "labels.txt", ignored))
      own.labels_file = (folder / "labels.txt").string();
    RETURN_IF_ERROR(ReadMot(folder / name, own, true, set));
    found = true;
  }
  if (std::filesystem::exists(folder / "events.jsonl", ignored)) {
    RETURN_IF_ERROR(ReadJsonLines(folder / "events.jsonl", options, set));
    set->has_events = found = true;
  }
  if (found) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{}: a folder of truth holds gt.txt (MOTChallenge) or events.jsonl", folder.string()));
}

}  // namespace

bool IsBox(double x1, double y1, double x2, double y2) {
  for (const double value : {x1, y1, x2, y2})
    if (!std::isfinite(value) || std::abs(value) > kCoordinateMax) return false;
  return x2 >= x1 && y2 >= y1;
}

void NameByTruth(const DataSet& truth, DataSet* results) {
  const auto name = [](const std::map<int64_t, std::string>& names, std::string* word) {
    if (!word->starts_with('#')) return;
    const auto number = ParseInteger(std::string_view(*word).substr(1));
    if (!number) return;
    if (const auto found = names.find(*number); found != names.end()) *word = found->second;
  };
  for (Picture& picture : results->pictures) {
    name(truth.picture_names, &picture.source);
    for (Annotation& annotation : picture.annotations) name(truth.label_names, &annotation.label);
  }
}

Picture& PictureTable::At(const std::string& source, int64_t frame) {
  const auto [found, fresh] = index_.try_emplace({source, frame}, set_->pictures.size());
  if (fresh) set_->pictures.push_back({source, frame, {}});
  return set_->pictures[found->second];
}

absl::Status ForEachLine(const std::filesystem::path& path,
                         const std::function<absl::Status(int64_t, const std::string&)>& line) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return ErrnoStatus(errno, fmt::format("{} can't be read", path.string()));
  std::string text;
  for (int64_t number = 1; std::getline(file, text); ++number) {
    if (!text.empty() && text.back() == '\r') text.pop_back();
    if (number == 1 && text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    if (text.size() > kLineBytesMax)
      return absl::InvalidArgumentError(fmt::format("{}:{}: the line is too long", path.string(), number));
    if (Trim(text).empty()) continue;
    if (absl::Status status = line(number, text); !status.ok())
      return Annotate(status, fmt::format("{}:{}", path.string(), number));
  }
  if (file.bad()) return absl::DataLossError(fmt::format("{} could not be read to its end", path.string()));
  return absl::OkStatus();
}

absl::StatusOr<DataSet> ReadTruth(const std::filesystem::path& path, const ReadOptions& options) {
  DataSet set;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    RETURN_IF_ERROR(ReadFolder(path, options, &set));
    return set;
  }
  ASSIGN_OR_RETURN(const std::string head, Head(path));
  const std::string extension = Lower(path.extension().string());
  if (head.starts_with("PAR1")) {
    RETURN_IF_ERROR(ReadParquet(path, options, &set));
  } else if (IsCocoTruth(head, path)) {
    RETURN_IF_ERROR(ReadCocoTruth(path, &set));
  } else if (head.starts_with('{')) {
    RETURN_IF_ERROR(ReadJsonLines(path, options, &set));
  } else if (extension == ".txt") {
    ReadOptions own = options;
    const auto labels = path.parent_path() / "labels.txt";
    if (own.labels_file.empty() && std::filesystem::exists(labels, ignored))
      own.labels_file = labels.string();
    RETURN_IF_ERROR(ReadMot(path, own, true, &set));
  } else if (extension == ".csv") {
    RETURN_IF_ERROR(ReadCsv(path, options, &set));
  } else {
    return absl::InvalidArgumentError(fmt::format(
        "{}: not a form of truth that is known: COCO .json, MOTChallenge .txt or folder, .csv, .jsonl",
        path.string()));
  }
  return set;
}

absl::StatusOr<DataSet> ReadResults(const std::filesystem::path& path, const ReadOptions& options) {
  DataSet set;
  ASSIGN_OR_RETURN(const std::string head, Head(path));
  const std::string extension = Lower(path.extension().string());
  if (head.starts_with("PAR1")) {
    RETURN_IF_ERROR(ReadParquet(path, options, &set));
  } else if (head.starts_with('[')) {
    RETURN_IF_ERROR(ReadCocoResults(path, &set));
  } else if (head.starts_with('{') || extension == ".jsonl") {
    RETURN_IF_ERROR(ReadJsonLines(path, options, &set));
  } else if (extension == ".txt") {
    RETURN_IF_ERROR(ReadMot(path, options, false, &set));
  } else if (extension == ".csv") {
    RETURN_IF_ERROR(ReadCsv(path, options, &set));
  } else {
    return absl::InvalidArgumentError(
        fmt::format("{}: not a form of results that is known: .jsonl, .csv or .parquet of `sightline run`, "
                    "COCO .json, MOTChallenge .txt",
                    path.string()));
  }
  Rename(options.map, &set);
  return set;
}

}  // namespace sightline::evaluate
