#include "store/track_log.h"

#include <atomic>
#include <cerrno>
#include <ctime>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"
#include "store/duckdb_database.h"

namespace sightline::store {
namespace {

constexpr int64_t kMemoryBytesMax = int64_t{128} << 20;
constexpr int64_t kFlushRows = 50'000;   // what the appender, which the memory limit does not cover, holds
constexpr int64_t kGroupRows = 100'000;  // of the file
constexpr int kSequencesMax = 10'000;

constexpr const char* kColumns =
    "time_us BIGINT, camera VARCHAR, track BIGINT, label VARCHAR, score FLOAT, x1 FLOAT, y1 FLOAT, x2 FLOAT, "
    "y2 FLOAT, x_m DOUBLE, y_m DOUBLE";

std::filesystem::path Spill(std::filesystem::path path) { return path += ".partial.tmp"; }

// The rows of one file to be: a table in memory, which goes to PATH.partial and then by its name.
class TrackFile {
 public:
  static absl::StatusOr<std::unique_ptr<TrackFile>> Begin(const std::filesystem::path& path) {
    std::unique_ptr<TrackFile> file(new TrackFile(path));
    ASSIGN_OR_RETURN(Database database,
                     Database::OpenInMemory({Spill(path), kMemoryBytesMax, /*threads=*/1}));
    file->database_.emplace(std::move(database));
    RETURN_IF_ERROR(file->database_->Execute(fmt::format("CREATE TABLE tracks ({})", kColumns)));
    if (duckdb_appender_create(file->database_->connection(), nullptr, "tracks", &file->appender_) ==
        DuckDBError)
      return DuckDbError(file->appender_ != nullptr ? duckdb_appender_error(file->appender_) : nullptr);
    return file;
  }
  ~TrackFile() {
    if (appender_ != nullptr) duckdb_appender_destroy(&appender_);
    database_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(Spill(path_), ignored);
  }
  TrackFile(const TrackFile&) = delete;
  TrackFile& operator=(const TrackFile&) = delete;

  absl::Status Append(const TrackPoint& point) {
    duckdb_append_int64(appender_, point.time_us);
    AppendText(point.camera);
    duckdb_append_int64(appender_, point.track);
    AppendText(point.label);
    for (const float value : {point.score, point.box.x1, point.box.y1, point.box.x2, point.box.y2})
      duckdb_append_float(appender_, value);
    for (const auto& metres : {point.x_m, point.y_m}) {
      if (metres) {
        duckdb_append_double(appender_, *metres);
      } else {
        duckdb_append_null(appender_);
      }
    }
    if (duckdb_appender_end_row(appender_) == DuckDBError)
      return DuckDbError(duckdb_appender_error(appender_));
    if (++rows_ % kFlushRows != 0) return absl::OkStatus();
    if (duckdb_appender_flush(appender_) == DuckDBError) return DuckDbError(duckdb_appender_error(appender_));
    return absl::OkStatus();
  }

  absl::Status Publish() {
    if (duckdb_appender_close(appender_) == DuckDBError) return DuckDbError(duckdb_appender_error(appender_));
    ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::CreateSeekable(path_));
    RETURN_IF_ERROR(database_->CopyToParquet("tracks", file.partial_path(), kGroupRows));
    RETURN_IF_ERROR(file.Commit());
    return SyncToDisk(path_.parent_path());
  }

  int64_t rows() const { return rows_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TrackFile(std::filesystem::path path) : path_(std::move(path)) {}

  void AppendText(std::string_view text) {
    const std::string valid = IsValidUtf8(text) ? "" : ToValidUtf8(text);
    if (!valid.empty()) text = valid;
    duckdb_append_varchar_length(appender_, text.data() != nullptr ? text.data() : "", text.size());
  }

  const std::filesystem::path path_;
  std::optional<Database> database_;
  duckdb_appender appender_ = nullptr;
  int64_t rows_ = 0;
};

class ParquetTrackLog final : public TrackLog {
 public:
  explicit ParquetTrackLog(TrackLogOptions options) : options_(std::move(options)) {}
  ~ParquetTrackLog() override {
    if (const absl::Status status = Finish(); !status.ok()) spdlog::error("tracks: {}", MessageOf(status));
  }

  absl::Status Open() {
    std::error_code error;
    std::filesystem::create_directories(options_.folder, error);
    if (error) return ErrnoStatus(error.value(), fmt::format("cannot make {}", options_.folder.string()));
    RemoveUnfinished();
    return absl::OkStatus();
  }

  absl::Status Append(const TrackPoint& point) override {
    if (file_ != nullptr && IsDone(point)) {
      absl::Status finished = Finish();
      if (!finished.ok()) {
        ++lost_;  // the point itself: the next one begins anew
        return finished;
      }
    }
    if (file_ == nullptr) {
      if (absl::Status status = Begin(point); !status.ok()) {
        ++lost_;
        return status;
      }
    }
    absl::Status status = Guarded([&] { return file_->Append(point); });
    if (status.ok()) return status;
    lost_ += std::max<int64_t>(file_->rows(), 1);
    file_.reset();
    return Annotate(status, "tracks are lost");
  }

  absl::Status Finish() override {
    if (file_ == nullptr) return absl::OkStatus();
    absl::Status status = Guarded([&] { return file_->Publish(); });
    if (!status.ok()) {
      lost_ += file_->rows();
      status = Annotate(status, fmt::format("{} rows of tracks are lost", file_->rows()));
    }
    file_.reset();
    KeepBudget();
    return status;
  }

  int64_t lost() const override { return lost_; }

 private:
  template <typename Work>
  static absl::Status Guarded(Work work) {
    try {
      return work();
    } catch (const std::exception& error) {  // DuckDB's, when memory is used up
      return DuckDbError(error.what());
    }
  }

  bool IsDone(const TrackPoint& point) const {
    const double seconds = static_cast<double>(point.time_us - first_us_) * 1e-6;
    const double waited = std::chrono::duration<double>(MonotonicClock::now() - begun_).count();
    return file_->rows() >= options_.rows_max || seconds >= options_.seconds_max ||
           waited >= options_.seconds_max;
  }

  absl::Status Begin(const TrackPoint& point) {
    ASSIGN_OR_RETURN(const std::filesystem::path path, NewPath(point.time_us));
    first_us_ = point.time_us;
    begun_ = MonotonicClock::now();
    ASSIGN_OR_RETURN(file_, TrackFile::Begin(path));
    return absl::OkStatus();
  }

  absl::StatusOr<std::filesystem::path> NewPath(int64_t time_us) const {
    const time_t seconds = time_us / 1'000'000;
    tm utc{};
    gmtime_r(&seconds, &utc);
    const std::filesystem::path day =
        options_.folder / fmt::format("{:04}-{:02}-{:02}", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
    std::error_code error;
    std::filesystem::create_directories(day, error);
    if (error) return ErrnoStatus(error.value(), fmt::format("cannot make {}", day.string()));
    for (int sequence = 0; sequence < kSequencesMax; ++sequence) {
      auto path =
          day / fmt::format("{:02}{:02}{:02}-{:04}.parquet", utc.tm_hour, utc.tm_min, utc.tm_sec, sequence);
      if (!std::filesystem::exists(path, error)) return path;
    }
    return absl::ResourceExhaustedError(fmt::format("too many files of one second in {}", day.string()));
  }

  template <typename Visit>
  void ForEachFile(Visit visit) const {
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator at(options_.folder, error), end; !error && at != end;
         at.increment(error)) {
      if (at.depth() == 1) visit(at->path());
    }
  }

  void RemoveUnfinished() const {
    std::vector<std::filesystem::path> unfinished;
    ForEachFile([&](const std::filesystem::path& path) {
      if (path.filename().string().find(".parquet.partial") != std::string::npos) unfinished.push_back(path);
    });
    std::error_code ignored;
    for (const auto& path : unfinished) std::filesystem::remove_all(path, ignored);
  }

  // Names sort by time.
  void KeepBudget() const {
    std::vector<std::pair<std::filesystem::path, uint64_t>> files;
    uint64_t total = 0;
    ForEachFile([&](const std::filesystem::path& path) {
      std::error_code error;
      if (path.extension() != ".parquet") return;
      const uint64_t size = std::filesystem::file_size(path, error);
      if (error) return;
      files.emplace_back(path, size);
      total += size;
    });
    std::sort(files.begin(), files.end());
    for (const auto& [path, size] : files) {
      if (total <= options_.folder_bytes_max) break;
      std::error_code ignored;
      if (!std::filesystem::remove(path, ignored)) continue;
      total -= size;
      std::filesystem::remove(path.parent_path(), ignored);  // a day that is empty now
    }
  }

  const TrackLogOptions options_;
  std::unique_ptr<TrackFile> file_;
  int64_t first_us_ = 0;
  MonotonicTime begun_;
  std::atomic<int64_t> lost_{0};  // metrics read it
};

}  // namespace

absl::StatusOr<std::unique_ptr<TrackLog>> TrackLog::Create(const TrackLogOptions& options) {
  TrackLogOptions absolute = options;
  std::error_code error;
  absolute.folder = std::filesystem::absolute(options.folder, error);
  if (error) return ErrnoStatus(error.value(), options.folder.string());
  auto log = std::make_unique<ParquetTrackLog>(absolute);
  RETURN_IF_ERROR(log->Open());
  return log;
}

}  // namespace sightline::store
