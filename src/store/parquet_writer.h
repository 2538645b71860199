// Result rows to one Parquet file, through DuckDB.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "absl/status/statusor.h"
#include "stages/sinks/result_writer.h"

namespace sightline::store {

struct ParquetOptions {
  int64_t memory_bytes_max = int64_t{256} << 20;  // of the table; the process grows by about a third more
};

// Rows are appended to a DuckDB table, whose pages go to PATH.partial.tmp beyond a memory limit, so that
// memory is bounded whatever the number of rows; Finish() copies the table to PATH.partial (zstd) and renames
// that. The file appears complete or not at all, and what an interrupted run left under those two names is
// replaced.
absl::StatusOr<std::unique_ptr<sinks::ResultWriter>> CreateParquetWriter(const std::filesystem::path& path,
                                                                         const ParquetOptions& options = {});

}  // namespace sightline::store
