// The threads on which handlers run.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace sightline::serving {

// Two queues: what may take long never holds all threads, so that what is quick (health, status, pictures)
// goes on. Threads: methods from anywhere.
class HandlerPool {
 public:
  enum class Kind { kQuick, kLong };
  HandlerPool(int threads, size_t waiting_max);
  ~HandlerPool() { Close(); }
  // False: too many wait, or it is closed.
  bool Post(Kind kind, std::function<void()> job);
  void Close();  // what waits is dropped; what runs is waited for
  size_t waiting() const;

 private:
  void Run();
  bool HasJobOrClosed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayRunLong() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return long_running_ < long_max_; }

  const size_t waiting_max_;
  const int long_max_;
  mutable absl::Mutex mutex_;
  std::deque<std::function<void()>> quick_ ABSL_GUARDED_BY(mutex_), long_ ABSL_GUARDED_BY(mutex_);
  int long_running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace sightline::serving
