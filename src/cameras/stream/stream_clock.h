// One clock for the whole life of a stream, from timestamps that wrap, jump, repeat, go back or are missing.
#pragma once

#include <cstdint>
#include <optional>

namespace sightline::cameras {

enum class Timing {
  kTimestamps,  // a recording: only timestamps count
  kLive,        // timestamps, checked against when packets came
  kArrival,     // the source has no timestamps worth the name: when packets came
};

// Maps each packet's timestamps to stream time, which begins at 0 and rises; reconnects go on by the time
// that went by. A wrap of 32 or 33 bits is no jump. A jump (back by more than 0.1 s, or ahead by more than 3
// s of the time that went by; in a recording by more than 10 s) begins a new count: stream time goes on by
// what went by. Pure: no clock of its own. Threads: one at a time.
class StreamClock {
 public:
  // A packet's timestamps in units of the track; nothing where it has none.
  struct Stamp {
    std::optional<int64_t> pts, dts;
  };
  struct Reading {
    Stamp stamp;          // rewritten: pts * time base = stream_s; dts rises
    double stream_s = 0;  // of the presentation
    bool jumped = false;
  };

  // A new connection, or the recording from its begin: the next packet goes on where the last ended.
  // `time_base` as num/den; nonsense counts as milliseconds. `frame_s`: nominal; 0: not known.
  void Begin(Timing timing, int64_t time_base_num, int64_t time_base_den, double frame_s);

  // `arrived_s`: any clock that never goes back.
  Reading Read(const Stamp& stamp, double arrived_s);

  double frame_s() const { return frame_s_; }  // as it came last, between frames

 private:
  double Went(double arrived_s) const;
  void Anchor(__int128 raw, double stream_s);
  Reading Without(double arrived_s);

  Timing timing_ = Timing::kTimestamps;
  double unit_s_ = 1e-3;
  double frame_s_ = 0.04;
  bool started_ = false;   // ever
  bool anchored_ = false;  // since Begin
  __int128 shift_ = 0;     // stream units = raw + shift
  __int128 last_ = 0;      // stream units of the last packet
  double last_s_ = 0;      // the same in seconds
  double end_s_ = 0;       // the latest presentation
  double last_arrived_s_ = 0;
};

}  // namespace sightline::cameras
