// Result rows to one Parquet file, through DuckDB.
#pragma once

#include <filesystem>
#include <memory>

#include "absl/status/statusor.h"
#include "stages/sinks/result_writer.h"

namespace sightline::store {

// Rows are appended to a DuckDB database beside the file (bounded memory, whatever the number of rows) and copied into
// Parquet (zstd) by Finish(); the file appears complete or not at all.
absl::StatusOr<std::unique_ptr<sinks::ResultWriter>> CreateParquetWriter(const std::filesystem::path& path);

}  // namespace sightline::store
