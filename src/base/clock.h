// Three kinds of time that do not mix. Whatever decides something takes a Clock, so that tests can set the
// time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

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

// RFC 3339, UTC, with so many decimals of a second (3 or 6).
std::string TimeText(WallTime time, int decimals = 3);

// Since 1970.
inline int64_t Microseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

// CPU seconds that the calling thread has used.
double ThreadCpuSeconds();

}  // namespace sightline
