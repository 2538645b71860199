// What becomes of an event: evidence and an id are given on the analysing thread, which goes on at once; a
// thread of its own keeps it, hands it to the sinks and tells the listeners.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/queue.h"
#include "cameras/delivery/delivery.h"
#include "data/event.h"
#include "store/node_store.h"

namespace sightline::cameras {

// Threads: methods from anywhere. Lifetime: `delivery` outlives it.
class EventDesk {
 public:
  EventDesk(Delivery* delivery, std::string node);
  ~EventDesk();  // what was put is finished

  void Put(Event event);  // never blocks: beyond kWaitingMax the oldest that waits is lost, and counted
  using Listener = std::function<void(const store::StoredEvent&)>;
  std::shared_ptr<void> Subscribe(Listener listener);
  void Drain();

  uint64_t kept() const { return kept_; }
  uint64_t failed() const { return failed_; }  // could not be stored
  uint64_t lost() const { return queue_.dropped(); }
  size_t waiting() const { return queue_.size(); }

 private:
  void Run();
  void Tell(const store::StoredEvent& event);

  static constexpr size_t kWaitingMax = 10'000, kTogetherMax = 100;
  Delivery* const delivery_;
  const std::string node_;
  BoundedQueue<Event> queue_{kWaitingMax, WhenFull::kDropOldest};
  std::atomic<uint64_t> put_{0}, done_{0}, kept_{0}, failed_{0};
  absl::Mutex mutex_;
  std::vector<std::weak_ptr<Listener>> listeners_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace sightline::cameras
