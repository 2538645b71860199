// Only in programs built with the thread sanitizer: Abseil's mutex and condition variable, anew and in the
// simplest way, because the system's library is not built with the sanitizer, which would therefore see no
// order between two critical sections. These definitions stand in for those of the shared library. Every lock
// is exclusive, waiting is polling, and a condition is only ever evaluated by the thread that waits for it.
#include <unistd.h>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"

namespace absl {
ABSL_NAMESPACE_BEGIN
namespace {

constexpr intptr_t kHeld = 8;  // what Abseil's own assertions take for "held by a writer"
constexpr useconds_t kPauseMicroseconds = 50;

void Pause() { usleep(kPauseMicroseconds); }

}  // namespace

bool Mutex::TryLock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  intptr_t free = 0;
  return mu_.compare_exchange_strong(free, kHeld, std::memory_order_acquire);
}
void Mutex::Lock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  while (!TryLock()) Pause();
}
void Mutex::Unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mu_.store(0, std::memory_order_release); }
void Mutex::ReaderLock() ABSL_NO_THREAD_SAFETY_ANALYSIS { Lock(); }
void Mutex::ReaderUnlock() ABSL_NO_THREAD_SAFETY_ANALYSIS { Unlock(); }

void Mutex::Await(const Condition& condition) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  AwaitWithDeadline(condition, InfiniteFuture());
}
bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  return AwaitWithDeadline(condition, Now() + timeout);
}
bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  while (!condition.Eval()) {
    if (Now() >= deadline) return false;
    Unlock();
    Pause();
    Lock();
  }
  return true;
}

// The library's own notifications come through these.
void Mutex::LockWhen(const Condition& condition) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Lock();
  Await(condition);
}
bool Mutex::LockWhenWithTimeout(const Condition& condition, Duration timeout) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Lock();
  return AwaitWithTimeout(condition, timeout);
}
bool Mutex::LockWhenWithDeadline(const Condition& condition, Time deadline) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Lock();
  return AwaitWithDeadline(condition, deadline);
}

// One short pause counts as a (spurious) wake-up: callers look at their condition again.
void CondVar::Wait(Mutex* mutex) { WaitWithTimeout(mutex, InfiniteDuration()); }
bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  mutex->Unlock();
  Pause();
  mutex->Lock();
  return timeout <= Microseconds(kPauseMicroseconds);
}
bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  return WaitWithTimeout(mutex, deadline - Now());
}
void CondVar::Signal() {}
void CondVar::SignalAll() {}

ABSL_NAMESPACE_END
}  // namespace absl
