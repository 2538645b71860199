#include "serving/handler_pool.h"

#include <algorithm>

namespace sightline::serving {

HandlerPool::HandlerPool(int threads, size_t waiting_max)
    : waiting_max_(waiting_max), long_max_(std::max(2, threads) - 1) {
  for (int i = 0; i < std::max(2, threads); ++i) threads_.emplace_back([this] { Run(); });
}

bool HandlerPool::Post(Kind kind, std::function<void()> job) {
  absl::MutexLock lock(&mutex_);
  if (closed_ || quick_.size() + long_.size() >= waiting_max_) return false;
  (kind == Kind::kQuick ? quick_ : long_).push_back(std::move(job));
  return true;
}

void HandlerPool::Close() {
  std::deque<std::function<void()>> quick, slow;  // destroyed without the mutex
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    quick.swap(quick_);
    slow.swap(long_);
  }
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

size_t HandlerPool::waiting() const {
  absl::MutexLock lock(&mutex_);
  return quick_.size() + long_.size();
}

bool HandlerPool::HasJobOrClosed() const {
  return closed_ || !quick_.empty() || (!long_.empty() && MayRunLong());
}

void HandlerPool::Run() {
  while (true) {
    std::function<void()> job;
    bool is_long = false;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &HandlerPool::HasJobOrClosed));
      if (closed_) return;
      is_long = quick_.empty();
      auto& queue = is_long ? long_ : quick_;
      job = std::move(queue.front());
      queue.pop_front();
      if (is_long) ++long_running_;
    }
    job();
    job = nullptr;
    if (!is_long) continue;
    absl::MutexLock lock(&mutex_);
    --long_running_;
  }
}

}  // namespace sightline::serving
