// When packets of a recording are due, and how late those of a camera are read. Pure.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>

namespace sightline::cameras {

// Plays stream time on the caller's clock (seconds that never go back).
class Pacer {
 public:
  // When the packet of `stream_s` is due. One that is more than a few seconds late or early begins a new
  // count.
  double Due(double stream_s, double now_s) {
    const double due = now_s_at_0_ + stream_s;
    if (!anchored_ || due < now_s - kLateMax || due > now_s + kEarlyMax) {
      now_s_at_0_ = now_s - stream_s;
      anchored_ = true;
      return now_s;
    }
    return due;
  }
  void Restart() { anchored_ = false; }

 private:
  static constexpr double kLateMax = 5, kEarlyMax = 12;
  bool anchored_ = false;
  double now_s_at_0_ = 0;
};

// How long a live packet has waited in buffers for being read, by its stream time: none whenever the reader
// had to wait for it.
class Backlog {
 public:
  double Late(double stream_s, double now_s, bool waited) {
    const double offset = now_s - stream_s;
    if (waited || !caught_up_) {
      caught_up_ = offset;
      return 0;
    }
    caught_up_ = std::min(*caught_up_, offset);
    return offset - *caught_up_;
  }
  void Restart() { caught_up_.reset(); }

 private:
  std::optional<double> caught_up_;  // now - stream time, when nothing waited
};

}  // namespace sightline::cameras
