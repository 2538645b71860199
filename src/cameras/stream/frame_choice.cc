#include "cameras/stream/frame_choice.h"

#include <algorithm>

namespace sightline::cameras {
namespace {

constexpr double kLateS = 0.5, kVeryLateS = 1;
constexpr double kPatienceS = 1;  // of stream time: a hiccup is caught up with by decoding faster

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
  if (late_s <= kVeryLateS) late_since_s_.reset();
  if (late_s > kVeryLateS && !late_since_s_) late_since_s_ = time_s;
  const bool hopeless = late_since_s_ && time_s - *late_since_s_ > kPatienceS;
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
  if (hopeless) wait_for_key_ = true;
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
