#include "pipeline/run/picture_input.h"

#include "base/status.h"

namespace sightline::pipeline {

absl::Status PictureInput::Decode(Size need) {
  StageTimer timer(time_);
  frame_.reset();  // its memory serves the next decode
  ASSIGN_OR_RETURN(frame_, decoder_->Decode(bytes_, header_, {page_, need}));
  if (alter_) frame_ = alter_(std::move(frame_));
  return absl::OkStatus();
}

absl::StatusOr<FramePtr> PictureInput::AtLeast(Size need) {
  const bool enough = (frame_->size.width >= need.width && frame_->size.height >= need.height) ||
                      frame_->size == frame_->source_size;
  if (!enough) RETURN_IF_ERROR(Decode(need));
  return frame_;
}

}  // namespace sightline::pipeline
