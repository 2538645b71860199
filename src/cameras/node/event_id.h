// Ids of events: unique over nodes and restarts, and sorted by time.
#pragma once

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"

namespace sightline::cameras {

// 26 characters as of a ULID: 48 bits of milliseconds, then 80 bits that are random at first and count up
// within a millisecond. Threads: safe.
class EventIds {
 public:
  EventIds();
  std::string Next(WallTime now);

 private:
  absl::Mutex mutex_;
  uint64_t last_ms_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t low_ ABSL_GUARDED_BY(mutex_) = 0;
  uint16_t high_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sightline::cameras
