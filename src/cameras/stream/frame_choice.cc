#include "cameras/stream/frame_choice.h"

#include <algorithm>

namespace sightline::cameras {
namespace {

constexpr double kLateS = 0.5, kVeryLateS = 1;
// Of stream time: a hiccup is caught up with by decoding faster. So is more where the next keyframe is far,
// as long as it helps: the stream is late by less than so much of what it was.
constexpr double kPatienceS = 1, kNearKeyS = 3, kFarPatienceS = 3;
constexpr double kCaughtUp = 0.8;

}  // namespace

void FrameChoice::SetDemand(decode::Economy economy, double interval_s) {
  if (interval_s != interval_s_) due_s_.reset();
  economy_ = economy;
  interval_s_ = std::max(interval_s, 0.);
}

void FrameChoice::Restart() {
  last_key_s_.reset();
  keys_only_ = wait_for_key_ = false;
  late_since_s_.reset();
  too_late_ = false;
}

bool FrameChoice::StaysLate(double time_s, double late_s) {
  too_late_ = late_s > kVeryLateS;
  if (!too_late_) {
    late_since_s_.reset();
    return false;
  }
  if (!late_since_s_) late_since_s_ = time_s;
  if (*late_since_s_ == time_s || late_s < kCaughtUp * late_then_s_) {
    caught_up_at_s_ = time_s;
    late_then_s_ = late_s;
  }
  const bool near = key_interval_s_ > 0 && last_key_s_ && *last_key_s_ + key_interval_s_ - time_s < kNearKeyS;
  return near ? time_s - *late_since_s_ > kPatienceS : time_s - caught_up_at_s_ > kFarPatienceS;
}

bool FrameChoice::KeysSuffice() const {
  if (economy_ != decode::Economy::kKeyframes) return false;
  return interval_s_ <= 0 || (key_interval_s_ > 0 && key_interval_s_ <= interval_s_ * 1.1);
}

void FrameChoice::Given(double time_s) {
  if (interval_s_ <= 0) return;
  const double next = due_s_.value_or(time_s) + interval_s_;
  // On a fixed beat, so that the rate is kept though frames do not lie on it; a new beat after a gap.
  due_s_ = next > time_s && next <= time_s + 2 * interval_s_ ? next : time_s + interval_s_;
}

PacketUse FrameChoice::Of(bool key, bool intra_only, double time_s, double late_s, double frame_s) {
  slack_s_ = std::min(frame_s / 2, interval_s_ / 4);
  const bool stays_late = StaysLate(time_s, late_s);
  if (intra_only) {
    if (late_s > kLateS) {
      ++left_out_late_;
      return PacketUse::kLeaveOut;
    }
    return IsDue(time_s) ? PacketUse::kDecode : PacketUse::kLeaveOut;
  }
  if (key) {
    if (last_key_s_ && time_s > *last_key_s_) {
      // At once when it gets longer, slowly when it gets shorter.
      const double interval = time_s - *last_key_s_;
      key_interval_s_ = std::max(interval, key_interval_s_ * 0.7);
    }
    last_key_s_ = time_s;
    wait_for_key_ = false;
    keys_only_ = KeysSuffice();
    if (!keys_only_) return PacketUse::kDecode;
    return IsDue(time_s) ? PacketUse::kKeyAlone : PacketUse::kLeaveOut;
  }
  if (keys_only_) return PacketUse::kLeaveOut;
  if (stays_late) wait_for_key_ = true;
  if (wait_for_key_) {
    ++left_out_late_;
    return PacketUse::kLeaveOut;
  }
  if (late_s > kLateS || !IsDue(time_s)) return PacketUse::kOnlyIfReferred;
  const bool may_skip = economy_ == decode::Economy::kReferences || economy_ == decode::Economy::kKeyframes;
  // Reference frames that come too seldom are not waited for.
  const bool can_wait = interval_s_ <= 0 || !due_s_ || time_s + frame_s < *due_s_ + interval_s_ / 2;
  return may_skip && can_wait ? PacketUse::kOnlyIfReferred : PacketUse::kDecode;
}

}  // namespace sightline::cameras
