// A bounded queue between threads: every queue has a capacity, a policy for when it is full, and a drop
// counter.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/check.h"

namespace sightline {

enum class WhenFull { kBlock, kDropOldest, kDropNewest };

// Threads: any number of producers and consumers. Close() wakes all; what is queued can still be taken.
template <typename T>
class BoundedQueue {
 public:
  BoundedQueue(size_t capacity, WhenFull when_full) : capacity_(capacity), when_full_(when_full) {
    CHECK(capacity > 0) << "a queue that holds nothing";
  }

  // False when the queue is closed, or the item was the one dropped.
  bool Push(T item) {
    absl::MutexLock lock(&mutex_);
    if (when_full_ == WhenFull::kBlock) {
      mutex_.Await(absl::Condition(this, &BoundedQueue::HasRoomOrClosed));
    }
    if (closed_) return false;
    if (items_.size() == capacity_) {
      ++dropped_;
      if (when_full_ == WhenFull::kDropNewest) return false;
      items_.pop_front();
    }
    items_.push_back(std::move(item));
    return true;
  }

  // Waits for an item; nullopt once the queue is closed and empty.
  std::optional<T> Pop() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &BoundedQueue::HasItemOrClosed));
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }

  // The same for all that are there, `most` at most; none once the queue is closed and empty.
  std::vector<T> PopSome(size_t most) {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &BoundedQueue::HasItemOrClosed));
    std::vector<T> some;
    for (; !items_.empty() && some.size() < most; items_.pop_front())
      some.push_back(std::move(items_.front()));
    return some;
  }

  void Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }

  uint64_t dropped() const {
    absl::MutexLock lock(&mutex_);
    return dropped_;
  }
  size_t size() const {
    absl::MutexLock lock(&mutex_);
    return items_.size();
  }

 private:
  bool HasRoomOrClosed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return closed_ || items_.size() < capacity_;
  }
  bool HasItemOrClosed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closed_ || !items_.empty(); }

  const size_t capacity_;
  const WhenFull when_full_;
  mutable absl::Mutex mutex_;
  std::deque<T> items_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sightline
