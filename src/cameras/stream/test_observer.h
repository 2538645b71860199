// For tests only: what a stream gave, and waiting for it.
#pragma once

#include <cstdlib>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/check.h"
#include "base/text.h"
#include "cameras/stream/camera_stream.h"

namespace sightline::cameras {

// Threads: safe.
class TestObserver : public StreamObserver {
 public:
  struct Seen {
    std::vector<LiveFrame> frames;  // without pixels but for the last
    std::vector<LivePacket> packets;
    std::vector<StreamStatus> states;
  };

  void OnFrame(const LiveFrame& frame) override {
    absl::MutexLock lock(&mutex_);
    if (!seen_.frames.empty()) seen_.frames.back().frame.reset();
    sizes_.push_back(frame.frame->source_size);
    seen_.frames.push_back(frame);
  }
  void OnPacket(const LivePacket& packet) override {
    absl::MutexLock lock(&mutex_);
    seen_.packets.push_back(packet);
  }
  void OnState(const StreamStatus& status) override {
    absl::MutexLock lock(&mutex_);
    seen_.states.push_back(status);
  }

  // Whether it came true within `seconds`.
  bool WaitFor(const std::function<bool(const Seen&)>& fact, double seconds = 15) {
    absl::MutexLock lock(&mutex_);
    const auto holds = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return fact(seen_); };
    return mutex_.AwaitWithTimeout(absl::Condition(&holds), absl::Seconds(seconds));
  }
  bool WaitForFrames(size_t count, double seconds = 15) {
    return WaitFor([count](const Seen& seen) { return seen.frames.size() >= count; }, seconds);
  }
  bool WaitForState(StreamState state, double seconds = 15) {
    return WaitFor(
        [state](const Seen& seen) { return !seen.states.empty() && seen.states.back().state == state; },
        seconds);
  }
  Seen seen() const {
    absl::MutexLock lock(&mutex_);
    return seen_;
  }
  std::vector<Size> sizes() const {
    absl::MutexLock lock(&mutex_);
    return sizes_;
  }
  void Forget() {
    absl::MutexLock lock(&mutex_);
    seen_ = {};
    sizes_.clear();
  }

 private:
  mutable absl::Mutex mutex_;
  Seen seen_ ABSL_GUARDED_BY(mutex_);
  std::vector<Size> sizes_ ABSL_GUARDED_BY(mutex_);
};

inline void Shell(const std::string& command) { CHECK(std::system(command.c_str()) == 0) << command; }

inline double SecondsSince(MonotonicTime begin) {
  return std::chrono::duration<double>(MonotonicClock::now() - begin).count();
}

}  // namespace sightline::cameras
