#include "pipeline/run/video_input.h"

#include <cmath>

#include "base/status.h"
#include "base/text.h"

namespace sightline::pipeline {

absl::StatusOr<std::unique_ptr<VideoInput>> VideoInput::Open(const ingest::Input& input,
                                                             const MediaLimits& limits,
                                                             const Sampling& sampling) {
  ASSIGN_OR_RETURN(auto demuxer, ingest::VideoDemuxer::Open(input, limits));
  ASSIGN_OR_RETURN(auto decoder, decode::VideoDecoder::Create(demuxer->track(), limits));
  return std::unique_ptr<VideoInput>(
      new VideoInput(std::move(demuxer), std::move(decoder), limits, sampling));
}

VideoInput::VideoInput(std::unique_ptr<ingest::VideoDemuxer> demuxer,
                       std::unique_ptr<decode::VideoDecoder> decoder, const MediaLimits& limits,
                       const Sampling& sampling)
    : demuxer_(std::move(demuxer)), decoder_(std::move(decoder)), limits_(limits), sampling_(sampling) {}

absl::StatusOr<VideoInput::Picked> VideoInput::Next() {
  while (true) {
    absl::StatusOr<FramePtr> frame = decoder_->Receive();
    if (frame.ok()) {
      const int64_t index = frames_++;
      if (index >= limits_.video_frames_max) {
        return absl::ResourceExhaustedError(
            fmt::format("more than the limit of {} frames", limits_.video_frames_max));
      }
      if (Pick(**frame, index)) return Picked{*std::move(frame), index};
      continue;
    }
    if (absl::IsOutOfRange(frame.status())) return frame.status();
    if (absl::IsUnavailable(frame.status())) {
      RETURN_IF_ERROR(Feed());
    } else if (absl::IsDataLoss(frame.status())) {
      CountDamage(frame.status());
    } else {
      return frame.status();
    }
  }
}

absl::Status VideoInput::Feed() {
  if (drained_) return absl::OutOfRangeError("end of the video");
  absl::StatusOr<AVPacket*> packet = demuxer_->Read();
  absl::Status sent;
  if (packet.ok()) {
    ++packets_;
    sent = decoder_->Send(*packet);
  } else {
    // The end, or a container that breaks off: what the decoder still holds is worth having either way.
    if (!absl::IsOutOfRange(packet.status())) CountDamage(packet.status());
    drained_ = true;
    sent = decoder_->Send(nullptr);
  }
  if (absl::IsDataLoss(sent)) {
    CountDamage(sent);
    return absl::OkStatus();
  }
  return sent;
}

bool VideoInput::Pick(const Frame& frame, int64_t index) {
  if (!sampling_.frames_per_second) return index % sampling_.every == 0;
  if (!frame.time_s) return true;  // without times there is nothing to thin out by
  // Half a millisecond of grace, so that rounded container times do not skip a slot.
  const auto slot = static_cast<int64_t>(std::floor((*frame.time_s + 5e-4) * *sampling_.frames_per_second));
  if (slot < next_slot_) return false;
  next_slot_ = slot + 1;
  return true;
}

void VideoInput::CountDamage(const absl::Status& status) {
  if (damaged_++ == 0) first_damage_ = status;
}

absl::Status VideoInput::Damage() const {
  if (damaged_ == 0) return absl::OkStatus();
  return absl::DataLossError(fmt::format("{} damaged place{} in {} packets, {} frames decoded; first: {}",
                                         damaged_, damaged_ == 1 ? "" : "s", packets_, frames_,
                                         MessageOf(first_damage_)));
}

}  // namespace sightline::pipeline
