// A picture file (one page of it) as the steps read it: decoded when asked, no larger than asked.
#pragma once

#include <functional>

#include "pipeline/run/stage_times.h"
#include "pipeline/run/step_runner.h"
#include "stages/decode/picture_decoder.h"

namespace sightline::pipeline {

// Everything is borrowed and outlives it. Threads: one at a time.
class PictureInput final : public PixelSource {
 public:
  PictureInput(decode::PictureDecoder* decoder, absl::Span<const uint8_t> bytes,
               const decode::PictureHeader& header, int64_t page, StageTime* time,
               const std::function<FramePtr(FramePtr)>& alter)
      : decoder_(decoder), bytes_(bytes), header_(header), page_(page), time_(time), alter_(alter) {}

  // Call once before the rest: a page's size is known only when it is decoded (pages may differ). `need` is
  // what is known to be needed before any step ran; empty: full size.
  absl::Status Decode(Size need);
  Size source_size() const override { return frame_->source_size; }
  absl::StatusOr<FramePtr> AtLeast(Size need) override;

 private:
  decode::PictureDecoder* decoder_;
  absl::Span<const uint8_t> bytes_;
  const decode::PictureHeader& header_;
  int64_t page_;
  StageTime* time_;
  const std::function<FramePtr(FramePtr)>& alter_;  // done to what was decoded; may be empty
  FramePtr frame_;
};

}  // namespace sightline::pipeline
