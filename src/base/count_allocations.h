// For tests only: counts what a thread allocates with operator new. Included by one file of a program, which
// is named allocation_test.cc: those are left out of builds with sanitizers, whose own operator new cannot be
// replaced.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <new>

namespace sightline {

inline thread_local int64_t allocations_of_this_thread = 0;

}  // namespace sightline

__attribute__((noinline)) void* operator new(std::size_t bytes) {
  ++sightline::allocations_of_this_thread;
  void* memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) std::abort();
  return memory;
}
__attribute__((noinline)) void operator delete(void* memory) noexcept { std::free(memory); }
__attribute__((noinline)) void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
