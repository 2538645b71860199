// Denormal numbers as zero, for the calling thread, while this lives. ONNX Runtime sets it only on threads of
// its own; with one thread per Run it is ours that computes.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace sightline::infer {

#if defined(__x86_64__)
class DenormalsAsZero {
 public:
  DenormalsAsZero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kFlushToZero | kDenormalsAreZero); }
  ~DenormalsAsZero() { _mm_setcsr(before_); }
  DenormalsAsZero(const DenormalsAsZero&) = delete;
  DenormalsAsZero& operator=(const DenormalsAsZero&) = delete;

 private:
  static constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;
  unsigned before_;
};
#elif defined(__aarch64__)
class DenormalsAsZero {
 public:
  DenormalsAsZero() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" ::"r"(before_ | kFlushToZero));
  }
  ~DenormalsAsZero() { asm volatile("msr fpcr, %0" ::"r"(before_)); }
  DenormalsAsZero(const DenormalsAsZero&) = delete;
  DenormalsAsZero& operator=(const DenormalsAsZero&) = delete;

 private:
  static constexpr uint64_t kFlushToZero = uint64_t{1} << 24;
  uint64_t before_;
};
#else
class DenormalsAsZero {
 public:
  DenormalsAsZero() {}
  ~DenormalsAsZero() {}
};
#endif

}  // namespace sightline::infer
