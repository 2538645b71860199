#include "store/duckdb_database.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::store {

std::string SqlQuoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted.push_back('\'');
    quoted.push_back(c);
  }
  quoted.push_back('\'');
  return quoted;
}

absl::Status DuckDbError(const char* message) {
  std::string_view text = message != nullptr ? message : "unknown error of DuckDB";
  const auto says = [text](std::string_view part) { return text.find(part) != std::string_view::npos; };
  if (says("failed to offload")) {
    return absl::ResourceExhaustedError("No space left on device for the rows that do not fit into memory");
  }
  const bool exhausted = says("No space left") || says("Out of Memory") || says("File too large");
  text = text.substr(0, text.find('\n'));  // what follows is advice on DuckDB's own settings
  return absl::Status(exhausted ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kInternal,
                      ToValidUtf8(text));
}

absl::StatusOr<Database> Database::OpenInMemory(const DatabaseOptions& options) {
  duckdb_config config = nullptr;
  const auto destroy_config = absl::MakeCleanup([&] { duckdb_destroy_config(&config); });
  if (duckdb_create_config(&config) == DuckDBError) return DuckDbError("cannot make a DuckDB configuration");
  const std::pair<const char*, std::string> settings[] = {
      {"memory_limit", fmt::format("{}B", options.memory_bytes_max)},
      {"threads", fmt::format("{}", options.threads)},
      {"temp_directory", options.spill_folder.string()},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      {"allow_community_extensions", "false"},
      {"preserve_insertion_order", "true"},
  };
  for (const auto& [name, value] : settings) {
    if (duckdb_set_config(config, name, value.c_str()) == DuckDBError) {
      return DuckDbError(fmt::format("DuckDB refuses the setting {} = {}", name, value).c_str());
    }
  }
  Database database;
  char* message = nullptr;
  const auto free_message = absl::MakeCleanup([&] { duckdb_free(message); });
  if (duckdb_open_ext(":memory:", &database.database_, config, &message) == DuckDBError) {
    return DuckDbError(message);
  }
  if (duckdb_connect(database.database_, &database.connection_) == DuckDBError) {
    return DuckDbError("cannot connect to a DuckDB database just opened");
  }
  return database;
}

Database::Database(Database&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)),
      connection_(std::exchange(other.connection_, nullptr)) {}

Database::~Database() {
  if (connection_ != nullptr) duckdb_disconnect(&connection_);
  if (database_ != nullptr) duckdb_close(&database_);
}

absl::Status Database::Execute(const std::string& sql) {
  duckdb_result result{};
  const auto destroy_result = absl::MakeCleanup([&] { duckdb_destroy_result(&result); });
  if (duckdb_query(connection_, sql.c_str(), &result) == DuckDBError) {
    return DuckDbError(duckdb_result_error(&result));
  }
  return absl::OkStatus();
}

absl::Status Database::CopyToParquet(std::string_view table, const std::filesystem::path& path,
                                     int64_t group_rows) {
  return Execute(
      fmt::format("COPY {} TO {} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {}, USE_TMP_FILE false)",
                  table, SqlQuoted(path.string()), group_rows));
}

}  // namespace sightline::store
