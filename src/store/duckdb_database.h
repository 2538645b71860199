// One DuckDB database file, and statements run on it. The only place besides row_chunk and parquet_writer
// that knows DuckDB.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sightline::store {

// 'text' as an SQL literal.
std::string SqlQuoted(std::string_view text);

// A status from a message of DuckDB's: ResourceExhausted for a full disk or used-up memory, else Internal.
absl::Status DuckDbError(const char* message);

struct DatabaseOptions {
  std::filesystem::path spill_folder;  // where tables go beyond the memory limit; made when needed
  int64_t memory_bytes_max = int64_t{256} << 20;
  int threads = 1;
};

// Opened without a network, without extensions other than those built in, and with no settings from outside.
// Threads: one at a time.
class Database {
 public:
  static absl::StatusOr<Database> OpenInMemory(const DatabaseOptions& options);
  Database(Database&& other) noexcept;
  Database& operator=(Database&&) = delete;
  ~Database();

  absl::Status Execute(const std::string& sql);
  // A table to this file (zstd), in row groups of so many rows.
  absl::Status CopyToParquet(std::string_view table, const std::filesystem::path& path, int64_t group_rows);
  duckdb_connection connection() const { return connection_; }

 private:
  Database() = default;
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

}  // namespace sightline::store
