// Progress on standard error: a bar with rate and remaining time on a terminal, plain lines now and then
// elsewhere.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"

namespace sightline::app {

enum class ProgressStyle { kAuto, kBar, kLines, kNone };

// Threads: counters from anywhere; one thread of its own draws.
class Progress {
 public:
  explicit Progress(ProgressStyle style);
  ~Progress();  // draws the last state

  void SetInputsTotal(std::optional<int64_t> total);
  void BeginInput(const std::string& name,
                  std::optional<int64_t> frames_estimate);  // a video or other long input
  void CountFrame();
  void CountInput();
  void CountFailure();
  // Prints a line of its own without tearing the bar.
  void Message(const std::string& text);
  void Stop();

 private:
  void Loop(const std::stop_token& stop);
  void Draw(bool last) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of the whole run, from 0 to 1; negative where it is not known.
  double Share() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string Describe(bool last) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ProgressStyle style_;
  const MonotonicTime begin_;
  std::atomic<int64_t> frames_{0}, inputs_{0}, failures_{0}, total_{-1}, input_frames_{0};
  mutable absl::Mutex mutex_;
  std::string name_ ABSL_GUARDED_BY(mutex_);
  std::optional<int64_t> name_frames_ ABSL_GUARDED_BY(mutex_);
  bool drawn_ ABSL_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace sightline::app
