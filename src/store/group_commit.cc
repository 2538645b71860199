#include "store/group_commit.h"

#include "base/status.h"

namespace sightline::store {

std::vector<absl::Status> GroupCommit::WriteEach(absl::Span<const Change> changes) {
  if (changes.empty()) return {};
  std::vector<Waiting> mine;
  for (const Change& change : changes) mine.push_back({change, absl::OkStatus()});
  std::vector<Waiting*> group;
  {
    absl::MutexLock lock(&mutex_);
    for (Waiting& one : mine) queue_.push_back(&one);
  }
  const bool& all_done = mine.back().done;  // they are done in order
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      const auto my_turn = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return all_done || !busy_; };
      mutex_.Await(absl::Condition(&my_turn));
      if (all_done) break;
      busy_ = true;
      group.clear();
      for (; !queue_.empty() && group.size() < kTogetherMax; queue_.pop_front())
        group.push_back(queue_.front());
    }
    if (group.size() == 1 || !RunTogether(group)) {
      for (Waiting* one : group) one->status = RunAlone(one->change);
    }
    absl::MutexLock lock(&mutex_);
    for (Waiting* one : group) one->done = true;
    busy_ = false;
  }
  std::vector<absl::Status> statuses;
  for (Waiting& one : mine) statuses.push_back(std::move(one.status));
  return statuses;
}

absl::Status GroupCommit::RunAlone(Change change) {
  RETURN_IF_ERROR(connection_->Execute("BEGIN IMMEDIATE"));
  absl::Status status = change(*connection_);
  if (status.ok()) status = connection_->Execute("COMMIT");
  if (!status.ok() && connection_->in_transaction()) connection_->Execute("ROLLBACK").IgnoreError();
  return status;
}

bool GroupCommit::RunTogether(const std::vector<Waiting*>& group) {
  if (!connection_->Execute("BEGIN IMMEDIATE").ok()) return false;
  for (Waiting* one : group) {
    if (!connection_->Execute("SAVEPOINT one").ok()) break;
    one->status = one->change(*connection_);
    if (!connection_->in_transaction()) return false;  // rolled back as a whole: the disk is full
    if (!one->status.ok()) connection_->Execute("ROLLBACK TO one").IgnoreError();
    if (!connection_->Execute("RELEASE one").ok()) break;
    if (one == group.back() && connection_->Execute("COMMIT").ok()) return true;
  }
  if (connection_->in_transaction()) connection_->Execute("ROLLBACK").IgnoreError();
  return false;
}

}  // namespace sightline::store
