// Many threads' changes in one transaction: while one is being synced to the disk the next ones gather, and
// go together. A disk that syncs 100 times a second then takes thousands of changes.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "store/sqlite.h"

namespace sightline::store {

// Threads: safe.
class GroupCommit {
 public:
  explicit GroupCommit(std::unique_ptr<SqliteConnection> connection) : connection_(std::move(connection)) {}

  // `change` runs on some caller's thread, at least once; where it returns an error nothing of it remains.
  // OK: the change is durable.
  using Change = absl::FunctionRef<absl::Status(SqliteConnection&)>;
  absl::Status Write(Change change) { return WriteEach({&change, 1}).front(); }
  // As many calls of Write() at once: a status each, and one sync for all of them.
  std::vector<absl::Status> WriteEach(absl::Span<const Change> changes);

 private:
  struct Waiting {
    Change change;
    absl::Status status;
    bool done = false;
  };
  static constexpr size_t kTogetherMax = 256;

  absl::Status RunAlone(Change change);
  bool RunTogether(const std::vector<Waiting*>& group);  // false: nothing of it was done

  std::unique_ptr<SqliteConnection> connection_;  // of whoever set busy_
  absl::Mutex mutex_;
  std::deque<Waiting*> queue_ ABSL_GUARDED_BY(mutex_);
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sightline::store
