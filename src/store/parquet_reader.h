// Reads our own results back from Parquet, through DuckDB.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "data/result.h"

namespace sightline::store {

// A row as far as evaluations need it. Borrowed for the call.
struct StoredRow {
  std::string_view source, step, kind, label, error;
  int64_t frame = 0;
  std::optional<double> time_s;
  std::optional<float> score;
  std::optional<Box> box;
  std::optional<int64_t> track_id;
  struct Property {
    std::string_view name, value;  // a number as text
    std::optional<double> score;
  };
  std::vector<Property> attributes;
};

// Calls `row` for each row in order; a status that it returns ends the reading. Errors name the file;
// InvalidArgument for a Parquet file that is not of our results.
absl::Status ReadResults(const std::filesystem::path& path,
                         const std::function<absl::Status(const StoredRow&)>& row);

}  // namespace sightline::store
