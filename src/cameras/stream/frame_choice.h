// What of a stream is decoded, and which frames are given out: by what is wanted, what may be left out, and
// how late the stream is. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "stages/decode/video_decoder.h"

namespace sightline::cameras {

// What to do with a packet.
enum class PacketUse {
  kDecode,
  kOnlyIfReferred,  // decoded where other frames need it
  kKeyAlone,        // a keyframe by itself: its frame comes out at once, the next packet is a keyframe too
  kLeaveOut,
};

// Interval 0: economy is taken at its word. Else economy is the most that may be left out: so much is that a
// frame still comes each interval. Frames that are not due are never decoded for their own sake.
//
// A stream that is more than half a second late is decoded without frames that no other needs, and while it
// is more than a second late no frame of it is given out. One that stays so goes on at its next keyframe
// where that is near or where decoding on does not catch up: the newest frame wins.
class FrameChoice {
 public:
  void SetDemand(decode::Economy economy, double interval_s);
  // A new connection. Keyframes are taken to come as before.
  void Restart();

  // `time_s`: presentation; `late_s`: how long the packet has waited; `frame_s`: between frames.
  PacketUse Of(bool key, bool intra_only, double time_s, double late_s, double frame_s);
  // What the decoder may do by itself for packets to decode.
  decode::Economy filter() const {
    return economy_ == decode::Economy::kNone ? decode::Economy::kNone : decode::Economy::kNoFilter;
  }
  // Whether a decoded frame is to be given out; if so the next is due an interval later.
  bool IsDue(double time_s) const {
    return !too_late_ && (interval_s_ <= 0 || !due_s_ || time_s >= *due_s_ - slack_s_);
  }
  void Given(double time_s);

  uint64_t left_out_late() const { return left_out_late_; }
  double key_interval_s() const { return key_interval_s_; }  // 0: not known

 private:
  bool KeysSuffice() const;
  // Notes how late the stream is; whether it should go on at its next keyframe.
  bool StaysLate(double time_s, double late_s);

  decode::Economy economy_ = decode::Economy::kNone;
  double interval_s_ = 0;
  std::optional<double> due_s_;
  double slack_s_ = 0;
  std::optional<double> last_key_s_;
  double key_interval_s_ = 0;  // the longest of late
  bool keys_only_ = false;
  bool wait_for_key_ = false;
  bool too_late_ = false;
  // Stream time since which the stream is too late; when decoding on last caught up by a good part, and how
  // late the stream was then.
  std::optional<double> late_since_s_;
  double caught_up_at_s_ = 0, late_then_s_ = 0;
  uint64_t left_out_late_ = 0;
};

}  // namespace sightline::cameras
