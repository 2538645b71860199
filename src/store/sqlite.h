// One connection to an SQLite file, its prepared statements, and SQLite's errors as ours.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sightline::store {

// One run of a prepared statement: bind in order, then Run(), or Next() for each row. The statement is free
// for the next run when this is destroyed. Threads: as its connection.
class Statement {
 public:
  Statement(absl::Status failure, sqlite3* connection, sqlite3_stmt* statement);
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& Bind(int64_t value);
  Statement& Bind(std::string_view text);  // must live until the run is over

  absl::StatusOr<bool> Next();  // false: no more rows
  absl::Status Run();           // to the end; rows are passed over
  int64_t Integer(int column) const;
  std::string Text(int column) const;

 private:
  absl::Status failure_;
  sqlite3* connection_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

// Threads: one at a time. Errors: ResourceExhausted (disk full), DataLoss (damaged), AlreadyExists (a key
// that is there already), Internal.
class SqliteConnection {
 public:
  // The file is made where there is none (readable for its owner alone).
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::filesystem::path& file);
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;
  ~SqliteConnection();

  // `sql` is prepared at its first use and kept; it must be a literal.
  Statement Prepared(const char* sql);
  absl::Status Execute(const std::string& sql);  // several statements, without rows
  absl::StatusOr<int64_t> Integer(const std::string& sql);
  absl::StatusOr<std::string> Text(const std::string& sql);
  int64_t changes() const;      // rows that the last INSERT, UPDATE or DELETE changed
  bool in_transaction() const;  // SQLite rolls back by itself where a disk is full

 private:
  explicit SqliteConnection(sqlite3* connection) : connection_(connection) {}
  sqlite3* connection_;
  std::unordered_map<const char*, sqlite3_stmt*> prepared_;
};

}  // namespace sightline::store
