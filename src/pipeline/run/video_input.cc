#include "pipeline/run/video_input.h"

#include <cmath>

#include "base/status.h"
#include "base/text.h"

namespace sightline::pipeline {

absl::StatusOr<SourceFrame> VideoInput::Next() {
  while (true) {
    ASSIGN_OR_RETURN(SourceFrame next, source_->Next());
    if (next.index >= limits_.video_frames_max) {
      return absl::ResourceExhaustedError(
          fmt::format("more than the limit of {} frames", limits_.video_frames_max));
    }
    if (Pick(next)) return next;
  }
}

bool VideoInput::Pick(const SourceFrame& next) {
  if (!sampling_.frames_per_second) return next.index % sampling_.every == 0;
  if (!next.frame->time_s) return true;  // without times there is nothing to thin out by
  // Half a millisecond of grace, so that rounded container times do not skip a slot.
  const auto slot =
      static_cast<int64_t>(std::floor((*next.frame->time_s + 5e-4) * *sampling_.frames_per_second));
  if (slot < next_slot_) return false;
  next_slot_ = slot + 1;
  return true;
}

}  // namespace sightline::pipeline
