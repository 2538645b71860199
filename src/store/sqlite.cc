#include "store/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/status.h"
#include "base/text.h"

namespace sightline::store {
namespace {

absl::StatusCode CodeOf(sqlite3* connection) {
  const int extended = sqlite3_extended_errcode(connection);
  switch (extended & 0xFF) {
    case SQLITE_FULL:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_IOERR: {
      const int number = sqlite3_system_errno(connection);
      const bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
      return full ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kInternal;
    }
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_CONSTRAINT:
      return absl::StatusCode::kAlreadyExists;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_BUSY:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status FailureOf(sqlite3* connection) {
  const char* file = sqlite3_db_filename(connection, "main");
  return absl::Status(CodeOf(connection),
                      fmt::format("{}: {}", file != nullptr ? file : "database", sqlite3_errmsg(connection)));
}

}  // namespace

Statement::Statement(absl::Status failure, sqlite3* connection, sqlite3_stmt* statement)
    : failure_(std::move(failure)), connection_(connection), statement_(statement) {}

Statement::Statement(Statement&& other) noexcept
    : failure_(std::move(other.failure_)),
      connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      bound_(other.bound_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::Bind(int64_t value) {
  if (!failure_.ok()) return *this;
  if (sqlite3_bind_int64(statement_, ++bound_, value) != SQLITE_OK) failure_ = FailureOf(connection_);
  return *this;
}

Statement& Statement::Bind(std::string_view text) {
  if (!failure_.ok()) return *this;
  const char* data = text.data() != nullptr ? text.data() : "";
  if (sqlite3_bind_text64(statement_, ++bound_, data, text.size(), SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK)
    failure_ = FailureOf(connection_);
  return *this;
}

absl::StatusOr<bool> Statement::Next() {
  if (!failure_.ok()) return failure_;
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  failure_ = FailureOf(connection_);
  return failure_;
}

absl::Status Statement::Run() {
  while (true) {
    ASSIGN_OR_RETURN(const bool row, Next());
    if (!row) return absl::OkStatus();
  }
}

int64_t Statement::Integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return "";
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::filesystem::path& file) {
  // Cameras' addresses hold passwords: SQLite would make the file readable for everybody. Only a new file is
  // opened here: closing one takes away the locks that SQLite holds on it in this process, and the next
  // program to look into it would remove the log that this one writes to.
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0 && errno != EEXIST)
    return ErrnoStatus(errno, fmt::format("cannot open {}", file.string()));
  if (descriptor >= 0) close(descriptor);
  sqlite3* handle = nullptr;
  const int result =
      sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(handle));
  if (result != SQLITE_OK) {
    return absl::FailedPreconditionError(
        fmt::format("cannot open {}: {}", file.string(), sqlite3_errstr(result)));
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, 10'000);
  return connection;
}

SqliteConnection::~SqliteConnection() {
  for (const auto& [sql, statement] : prepared_) sqlite3_finalize(statement);
  sqlite3_close(connection_);
}

Statement SqliteConnection::Prepared(const char* sql) {
  sqlite3_stmt*& statement = prepared_[sql];
  if (statement == nullptr &&
      sqlite3_prepare_v3(connection_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return {FailureOf(connection_), connection_, nullptr};
  }
  return {absl::OkStatus(), connection_, statement};
}

absl::Status SqliteConnection::Execute(const std::string& sql) {
  if (sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return FailureOf(connection_);
  return absl::OkStatus();
}

absl::StatusOr<std::string> SqliteConnection::Text(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(connection_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    return FailureOf(connection_);
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> owner(statement, &sqlite3_finalize);
  const int result = sqlite3_step(statement);
  if (result == SQLITE_DONE) return std::string();
  if (result != SQLITE_ROW) return FailureOf(connection_);
  const unsigned char* text = sqlite3_column_text(statement, 0);
  return text != nullptr ? std::string(reinterpret_cast<const char*>(text)) : std::string();
}

absl::StatusOr<int64_t> SqliteConnection::Integer(const std::string& sql) {
  ASSIGN_OR_RETURN(const std::string text, Text(sql));
  return ParseInteger(text).value_or(0);
}

int64_t SqliteConnection::changes() const { return sqlite3_changes64(connection_); }
bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(connection_) == 0; }

}  // namespace sightline::store
