// Three kinds of time that do not mix. Whatever decides something takes a Clock, so that tests can set the
// time.
#pragma once

#include <chrono>

namespace sightline {

using MonotonicClock = std::chrono::steady_clock;
using MonotonicTime = MonotonicClock::time_point;        // durations, deadlines
using WallTime = std::chrono::system_clock::time_point;  // what people read; may jump

// Threads: safe. Lifetime: the real clock lives for ever; a test's clock outlives what it was given to.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime Now() const = 0;
  virtual WallTime Wall() const = 0;
  static const Clock& Real();
};

// CPU seconds that the calling thread has used.
double ThreadCpuSeconds();

}  // namespace sightline
