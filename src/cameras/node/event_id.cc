#include "cameras/node/event_id.h"

#include <sys/random.h>

#include "base/check.h"

namespace sightline::cameras {

EventIds::EventIds() {
  CHECK(getrandom(&low_, sizeof low_, 0) == sizeof low_) << "no random numbers";
  CHECK(getrandom(&high_, sizeof high_, 0) == sizeof high_) << "no random numbers";
  low_ >>= 1;  // room to count up
}

std::string EventIds::Next(WallTime now) {
  constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  absl::MutexLock lock(&mutex_);
  const auto ms = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  last_ms_ = std::max(last_ms_, ms & ((uint64_t{1} << 48) - 1));  // a clock set back must not turn the order
  if (++low_ == 0) ++high_;
  std::string id(26, '0');
  unsigned __int128 value =
      static_cast<unsigned __int128>(last_ms_) << 80 | static_cast<unsigned __int128>(high_) << 64 | low_;
  for (size_t i = id.size(); i-- > 0;) {
    id[i] = kDigits[static_cast<size_t>(value & 31)];
    value >>= 5;
  }
  return id;
}

}  // namespace sightline::cameras
