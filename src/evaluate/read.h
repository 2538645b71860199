// Truth and results from files, told apart by content.
#pragma once

#include <filesystem>
#include <functional>
#include <map>

#include "absl/status/statusor.h"
#include "evaluate/annotation.h"

namespace sightline::evaluate {

struct ReadOptions {
  std::map<std::string, std::string> map;  // label, or kind of event, in the results -> in the truth
  std::string labels_file;                 // names of MOTChallenge classes from 1 on, a line each
  std::string step;                        // of results: only rows of this step; "" takes all
  int64_t rows_max = 50'000'000;
};

// COCO JSON, a MOTChallenge file or folder (gt.txt, or gt/gt.txt, with labels.txt, seqinfo.ini and
// events.jsonl beside it), CSV with a header, JSON Lines of events, or results of `sightline run`. Errors
// name the file and the line.
absl::StatusOr<DataSet> ReadTruth(const std::filesystem::path& path, const ReadOptions& options);
// Results of `sightline run` (.jsonl, .csv, .parquet), COCO results (a JSON list), MOTChallenge, JSON Lines
// of events.
absl::StatusOr<DataSet> ReadResults(const std::filesystem::path& path, const ReadOptions& options);

// Puts the truth's names where COCO results say numbers. A number that the truth does not know stays "#17".
void NameByTruth(const DataSet& truth, DataSet* results);

// --- the formats, for each other
// ------------------------------------------------------------------------------- Gathers pictures by
// (source, frame), whatever the order in which their annotations come.
class PictureTable {
 public:
  explicit PictureTable(DataSet* set) : set_(set) {}
  Picture& At(const std::string& source, int64_t frame);

 private:
  DataSet* set_;
  std::map<std::pair<std::string, int64_t>, size_t> index_;
};

// Boxes come from files: numbers that no picture can have are refused.
inline constexpr double kCoordinateMax = 1e7;  // pixels
bool IsBox(double x1, double y1, double x2, double y2);

constexpr uint64_t kFileBytesMax = uint64_t{4} << 30;
// The lines of a text file with their numbers from 1 on; blank lines are passed over.
absl::Status ForEachLine(const std::filesystem::path& path,
                         const std::function<absl::Status(int64_t, const std::string&)>& line);
absl::Status ReadCocoTruth(const std::filesystem::path& path, DataSet* set);
absl::Status ReadCocoResults(const std::filesystem::path& path, DataSet* set);
absl::Status ReadMot(const std::filesystem::path& file, const ReadOptions& options, bool truth, DataSet* set);
absl::Status ReadCsv(const std::filesystem::path& path, const ReadOptions& options, DataSet* set);
// Rows of results, or events, one JSON object a line.
absl::Status ReadJsonLines(const std::filesystem::path& path, const ReadOptions& options, DataSet* set);
absl::Status ReadParquet(const std::filesystem::path& path, const ReadOptions& options, DataSet* set);

}  // namespace sightline::evaluate
