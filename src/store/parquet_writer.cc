#include "store/parquet_writer.h"

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "store/duckdb_database.h"
#include "store/row_chunk.h"

namespace sightline::store {
namespace {

// What the appender, which the memory limit does not cover, may hold before it goes to the table; and the
// size of a row group of the file, which has to fit into memory as a whole.
constexpr int64_t kRowsMax = 122'880;
constexpr int64_t kGroupRowsMin = 2'048;
constexpr int64_t kMemoryShare = 8;

class ParquetWriter : public sinks::ResultWriter {
 public:
  ParquetWriter(std::filesystem::path path, const ParquetOptions& options)
      : options_(options),
        part_bytes_(options.memory_bytes_max / kMemoryShare),
        path_(std::move(path)),
        spill_folder_(std::filesystem::path(path_) += ".partial.tmp") {}

  ~ParquetWriter() override {
    CloseDatabase();
    RemoveScratch();
  }

  absl::Status Start() {
    ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::CreateSeekable(path_));
    file_.emplace(std::move(file));
    RemoveScratch();  // of a run that ended in the middle
    return Explained(OpenTable());
  }

  absl::Status Write(const ResultRow& row) override {
    if (!failure_.ok()) return failure_;
    try {
      chunk_->Add(row);
      if (chunk_->full()) failure_ = Explained(HandOn());
    } catch (const std::exception& error) {  // DuckDB's, when memory is used up
      failure_ = Explained(DuckDbError(error.what()));
    }
    return failure_;
  }

  absl::Status Finish() override {
    if (failure_.ok()) failure_ = Explained(Export());
    CloseDatabase();
    if (failure_.ok()) failure_ = file_->Commit();
    file_.reset();
    RemoveScratch();
    return failure_;
  }

 private:
  absl::Status OpenTable() {
    ASSIGN_OR_RETURN(Database database,
                     Database::OpenInMemory(DatabaseOptions{.spill_folder = spill_folder_,
                                                            .memory_bytes_max = options_.memory_bytes_max}));
    database_ = std::make_unique<Database>(std::move(database));
    RETURN_IF_ERROR(database_->Execute(fmt::format("CREATE TABLE results ({})", ResultColumnsSql())));
    if (duckdb_appender_create(database_->connection(), nullptr, "results", &appender_) == DuckDBError) {
      return DuckDbError(appender_ != nullptr ? duckdb_appender_error(appender_) : nullptr);
    }
    chunk_ = std::make_unique<RowChunk>(appender_);
    return absl::OkStatus();
  }

  absl::Status HandOn() {
    rows_ += chunk_->rows();
    bytes_ += chunk_->bytes();
    unflushed_rows_ += chunk_->rows();
    unflushed_bytes_ += chunk_->bytes();
    RETURN_IF_ERROR(chunk_->AppendTo(appender_));
    if (unflushed_rows_ < kRowsMax && unflushed_bytes_ < part_bytes_) return absl::OkStatus();
    unflushed_rows_ = unflushed_bytes_ = 0;
    if (duckdb_appender_flush(appender_) == DuckDBError) return DuckDbError(duckdb_appender_error(appender_));
    return absl::OkStatus();
  }

  absl::Status Export() {
    RETURN_IF_ERROR(HandOn());
    if (duckdb_appender_close(appender_) == DuckDBError) return DuckDbError(duckdb_appender_error(appender_));
    const int64_t row_bytes = std::max<int64_t>(1, bytes_ / std::max<int64_t>(1, rows_));
    const int64_t group_rows = std::clamp(part_bytes_ / row_bytes, kGroupRowsMin, kRowsMax);
    return database_->CopyToParquet("results", file_->partial_path(), group_rows);
  }

  absl::Status Explained(const absl::Status& status) const {
    return Annotate(status, fmt::format("cannot write {}", path_.string()));
  }

  void CloseDatabase() {
    chunk_.reset();
    if (appender_ != nullptr) duckdb_appender_destroy(&appender_);
    database_.reset();
  }

  void RemoveScratch() {
    std::error_code ignored;
    std::filesystem::remove_all(spill_folder_, ignored);
  }

  const ParquetOptions options_;
  const int64_t part_bytes_;
  const std::filesystem::path path_, spill_folder_;
  std::optional<AtomicFile> file_;
  std::unique_ptr<Database> database_;
  duckdb_appender appender_ = nullptr;
  std::unique_ptr<RowChunk> chunk_;
  int64_t rows_ = 0, bytes_ = 0;                      // so far
  int64_t unflushed_rows_ = 0, unflushed_bytes_ = 0;  // held by the appender
  absl::Status failure_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<sinks::ResultWriter>> CreateParquetWriter(const std::filesystem::path& path,
                                                                         const ParquetOptions& options) {
  // Absolute, so that no name can mean anything but a file to DuckDB (a home folder, a URL, a catalog).
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) return ErrnoStatus(error.value(), fmt::format("cannot write {}", path.string()));
  auto writer = std::make_unique<ParquetWriter>(absolute, options);
  RETURN_IF_ERROR(writer->Start());
  return writer;
}

}  // namespace sightline::store
