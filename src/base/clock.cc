#include "base/clock.h"

#include <fmt/format.h>

#include <ctime>

namespace sightline {
namespace {

class RealClock final : public Clock {
 public:
  MonotonicTime Now() const override { return MonotonicClock::now(); }
  WallTime Wall() const override { return std::chrono::system_clock::now(); }
};

}  // namespace

const Clock& Clock::Real() {
  static const RealClock clock;
  return clock;
}

std::string TimeText(WallTime time, int decimals) {
  const int64_t unit = decimals == 6 ? 1'000'000 : 1'000, count = Microseconds(time) / (1'000'000 / unit);
  int64_t seconds = count / unit, rest = count % unit;
  if (rest < 0) {
    rest += unit;
    --seconds;
  }
  const time_t whole = seconds;
  tm utc{};
  gmtime_r(&whole, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:0{}}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, rest, decimals);
}

double ThreadCpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace sightline
