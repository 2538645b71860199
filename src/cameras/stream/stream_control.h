// What the outside and a stream's thread say to each other: stop, pause, demand; state and counts.
#pragma once

#include <atomic>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "cameras/stream/camera_stream.h"
#include "cameras/stream/rate_meter.h"

namespace sightline::cameras {

double SecondsOf(MonotonicTime time);

// Threads: Stop, SetPaused, SetDemand and status from anywhere, the others from the stream's thread.
class StreamControl {
 public:
  explicit StreamControl(StreamObserver* observer) : observer_(observer) { status_.since = Wall(); }

  void Stop();
  void SetPaused(bool paused);
  void SetDemand(decode::Economy economy, double interval_s);
  StreamStatus status() const;

  bool stopped() const { return stopped_; }
  bool paused() const { return paused_; }
  // The attempt that runs is to end.
  bool interrupted() const { return stopped_ || paused_; }
  // False when it was interrupted before.
  bool WaitUntil(MonotonicTime time);
  void WaitWhilePaused();
  void WaitForChange();  // of stop or pause
  struct Demand {
    decode::Economy economy = decode::Economy::kNone;
    double interval_s = 0;
  };
  Demand demand() const;

  // Tells the observer, unless it is the state already.
  void SetState(StreamState state, const absl::Status& error = absl::OkStatus());
  void Update(absl::FunctionRef<void(StreamStatus&)> change);
  // `came`: where it counts for the rate.
  void CountPacket(std::optional<MonotonicTime> came, uint64_t bytes);
  void RestartRate();

  StreamObserver& observer() { return *observer_; }
  static WallTime Wall() { return Clock::Real().Wall(); }

 private:
  bool is_interrupted() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return interrupted(); }

  StreamObserver* const observer_;
  std::atomic<bool> stopped_ = false, paused_ = false;
  mutable absl::Mutex mutex_;
  bool told_ ABSL_GUARDED_BY(mutex_) = false;  // the observer, of the first state
  StreamStatus status_ ABSL_GUARDED_BY(mutex_);
  RateMeter rate_ ABSL_GUARDED_BY(mutex_);
  Demand demand_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sightline::cameras
