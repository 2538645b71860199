// CHECK(condition) << "why": our own invariants, always on. Never for what a camera, client or file can
// cause.
#pragma once

#include <sstream>

namespace sightline {

// Prints the collected message and aborts when destroyed.
class CheckFailure {
 public:
  CheckFailure(const char* file, int line, const char* condition);
  [[noreturn]] ~CheckFailure();
  std::ostream& stream() { return stream_; }

 private:
  std::ostringstream stream_;
};

}  // namespace sightline

#define CHECK(condition)                                     \
  switch (0)                                                 \
  case 0:                                                    \
  default:                                                   \
    if (__builtin_expect(static_cast<bool>(condition), 1)) { \
    } else /* NOLINT */                                      \
      ::sightline::CheckFailure(__FILE__, __LINE__, #condition).stream()
