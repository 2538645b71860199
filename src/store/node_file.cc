#include "store/node_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>

#include "base/status.h"
#include "base/text.h"

namespace sightline::store {
namespace {

constexpr int64_t kVersion = 1;               // PRAGMA user_version
constexpr int64_t kApplication = 0x534C4E44;  // "SLND"
constexpr std::string_view kMagic = "SQLite format 3";

// Sequences are never used twice (AUTOINCREMENT): a late acknowledgement can't hit another item. The sums in
// `sinks` and `counts` are kept in the same transaction as the rows they count.
constexpr const char* kTables = R"sql(
CREATE TABLE cameras(name TEXT PRIMARY KEY, config TEXT NOT NULL, paused INTEGER NOT NULL,
  revision INTEGER NOT NULL) STRICT;
CREATE TABLE events(id TEXT NOT NULL UNIQUE, camera TEXT NOT NULL, kind TEXT NOT NULL, rule TEXT NOT NULL,
  phase TEXT NOT NULL, captured_us INTEGER NOT NULL, json TEXT NOT NULL) STRICT;
CREATE INDEX events_camera ON events(camera, id);
CREATE INDEX events_kind ON events(kind, id);
CREATE TABLE sinks(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, items INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE outbox(sequence INTEGER PRIMARY KEY AUTOINCREMENT, sink INTEGER NOT NULL, id TEXT NOT NULL,
  camera TEXT NOT NULL, kind TEXT NOT NULL, captured_us INTEGER NOT NULL, payload TEXT NOT NULL,
  bytes INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, added_us INTEGER NOT NULL) STRICT;
CREATE INDEX outbox_sink ON outbox(sink, sequence);
CREATE TABLE counts(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT INTO counts VALUES('events', 0);
)sql";

absl::Status Damaged(const std::filesystem::path& file, std::string_view why) {
  return absl::DataLossError(
      fmt::format("{} is damaged ({}); it was left as it is: restore it from a copy, or move it and its -wal "
                  "and -shm away to "
                  "begin with no cameras and no events",
                  file.string(), why));
}

absl::Status CheckMagic(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return absl::OkStatus();
  if (std::filesystem::is_directory(file, error))
    return absl::FailedPreconditionError(fmt::format("{} is a folder", file.string()));
  std::ifstream stream(file, std::ios::binary);
  std::string head(kMagic.size(), '\0');
  stream.read(head.data(), static_cast<std::streamsize>(head.size()));
  if (stream.gcount() == 0) return absl::OkStatus();  // a start that ended before the first commit
  if (head == kMagic) return absl::OkStatus();
  return Damaged(file, "it is no SQLite file");
}

absl::Status CheckTables(const std::filesystem::path& file, SqliteConnection* connection) {
  // Only what can't be had again is read whole: events and outbox may be gigabytes.
  for (const char* table : {"cameras", "sinks", "counts"}) {
    ASSIGN_OR_RETURN(const std::string verdict,
                     connection->Text(fmt::format("PRAGMA quick_check('{}')", table)));
    if (verdict != "ok") return Damaged(file, verdict);
  }
  return connection->Integer("SELECT count(*) FROM (SELECT 1 FROM events LIMIT 1)").status();
}

absl::Status MakeTables(SqliteConnection* connection) {
  return connection->Execute(
      fmt::format("BEGIN IMMEDIATE; PRAGMA application_id={}; PRAGMA user_version={}; {} COMMIT",
                  kApplication, kVersion, kTables));
}

absl::Status Prepare(const std::filesystem::path& file, SqliteConnection* connection) {
  ASSIGN_OR_RETURN(const int64_t version, connection->Integer("PRAGMA user_version"));
  ASSIGN_OR_RETURN(const int64_t application, connection->Integer("PRAGMA application_id"));
  ASSIGN_OR_RETURN(const int64_t tables, connection->Integer("SELECT count(*) FROM sqlite_schema"));
  if (tables > 0 && application != kApplication) {
    return absl::FailedPreconditionError(
        fmt::format("{} is an SQLite file of another program; name another data_dir", file.string()));
  }
  if (version > kVersion) {
    return absl::FailedPreconditionError(
        fmt::format("{} was made by a newer version of Sightline (format {}, this one knows {})",
                    file.string(), version, kVersion));
  }
  ASSIGN_OR_RETURN(const std::string mode, connection->Text("PRAGMA journal_mode=WAL"));
  if (mode != "wal") {
    return absl::FailedPreconditionError(fmt::format(
        "{}: its file system has no shared memory (a network drive?); data_dir must be on a local one",
        file.string()));
  }
  RETURN_IF_ERROR(connection->Execute("PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864;"));
  return tables == 0 ? MakeTables(connection) : CheckTables(file, connection);
}

}  // namespace

absl::StatusOr<FileLock> FileLock::Take(const std::filesystem::path& file) {
  std::filesystem::path path = file;
  path += ".lock";
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return ErrnoStatus(errno, fmt::format("cannot open {}", path.string()));
  FileLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return ErrnoStatus(errno, fmt::format("cannot lock {}", path.string()));
  return absl::FailedPreconditionError(
      fmt::format("{} is in use by another process: a node runs on this data_dir already", file.string()));
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenNodeFile(const std::filesystem::path& file) {
  RETURN_IF_ERROR(CheckMagic(file));
  ASSIGN_OR_RETURN(auto connection, SqliteConnection::Open(file));
  const absl::Status status = Prepare(file, connection.get());
  if (absl::IsDataLoss(status) && status.message().find("is damaged") == std::string_view::npos)
    return Damaged(file, MessageOf(status));
  if (!status.ok()) return status;
  return connection;
}

}  // namespace sightline::store
