// One sink, its thread, and its queue in the store.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cameras/delivery/delay_window.h"
#include "cameras/delivery/delivery.h"
#include "cameras/delivery/retry_pause.h"

namespace sightline::cameras {

// What waits in the outbox is sent oldest first; a message is acknowledged in the store once the sink has
// taken it. Threads: methods from anywhere; none waits for the sink, except the destructor for a step that
// can't be given up.
class SinkWorker {
 public:
  SinkWorker(store::NodeStore* store, NamedSink sink, uint64_t seed);
  ~SinkWorker();
  void Cancel();  // ends what it does; only destruction follows

  const std::string& name() const { return sink_.name; }
  bool Takes(const store::StoredEvent& event) const;
  void Wake();                                                 // something was put into the outbox
  void Offer(sinks::EventMessage message, WallTime captured);  // what the store could not take: from memory
  void SetCameras(const std::vector<std::string>& names);
  void Hurry();  // tries again at once, whatever pause there was
  bool WaitIdle(std::chrono::steady_clock::time_point until);
  SinkCounts counts() const;

 private:
  struct Parcel {
    sinks::EventMessage message;
    WallTime captured;
    int64_t sequence = 0;  // of the outbox; 0: from memory
    int attempts = 0;      // that failed
  };
  // kUnsaved: the sink took all, but the store can't be told.
  enum class Round { kNothingLeft, kMore, kFailed, kUnsaved };

  void Run();
  Round SendWhatWaits();
  absl::StatusOr<std::vector<Parcel>> Take();
  bool SendAll(const std::vector<Parcel>& parcels);  // false: the sink failed
  bool SendTogether(absl::Span<const Parcel> parcels);
  void Settle(const Parcel& parcel, const absl::Status& status);
  bool Acknowledge();
  void Note(const absl::Status& failure);

  static constexpr size_t kMemoryMax = 1000;  // messages, where the store takes none
  static constexpr int kReadMax = 256;
  static constexpr int kPatience = 10;

  store::NodeStore* const store_;
  NamedSink sink_;
  RetryPause pause_;               // the thread's
  std::set<int64_t> done_;         // taken by the sink, not yet acknowledged in the store; the thread's
  MonotonicTime unsaved_since_{};  // the oldest of done_; the thread's
  MonotonicTime quiet_until_{};    // no warning before; the thread's

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false, woken_ = true, hurry_ = false, idle_ = false, tell_cameras_ = false;
  std::vector<std::string> cameras_;
  std::deque<Parcel> memory_;
  SinkCounts counts_;
  DelayWindow delays_;
  std::jthread thread_;
};

}  // namespace sightline::cameras
