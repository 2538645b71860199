#include "pipeline/run/video_file.h"

#include "base/status.h"
#include "base/text.h"

namespace sightline::pipeline {

absl::StatusOr<std::unique_ptr<VideoFile>> VideoFile::Open(const ingest::Input& input,
                                                           const MediaLimits& limits) {
  ASSIGN_OR_RETURN(auto demuxer, ingest::VideoDemuxer::Open(input, limits));
  ASSIGN_OR_RETURN(auto decoder, decode::VideoDecoder::Create(demuxer->track(), limits));
  return std::unique_ptr<VideoFile>(new VideoFile(std::move(demuxer), std::move(decoder)));
}

VideoFile::VideoFile(std::unique_ptr<ingest::VideoDemuxer> demuxer,
                     std::unique_ptr<decode::VideoDecoder> decoder)
    : demuxer_(std::move(demuxer)), decoder_(std::move(decoder)) {
  const VideoTrack& track = demuxer_->track();
  format_ = {Size{}, track.frames_per_second.value_or(0), track.frames_estimate};
}

absl::StatusOr<SourceFrame> VideoFile::Next() {
  while (true) {
    absl::StatusOr<FramePtr> frame = decoder_->Receive();
    if (frame.ok()) return SourceFrame{*std::move(frame), frames_++};
    if (absl::IsUnavailable(frame.status())) {
      RETURN_IF_ERROR(Feed());
    } else if (absl::IsDataLoss(frame.status())) {
      CountDamage(frame.status());
    } else {
      return frame.status();
    }
  }
}

absl::Status VideoFile::Feed() {
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

void VideoFile::CountDamage(const absl::Status& status) {
  if (damaged_++ == 0) first_damage_ = status;
}

absl::Status VideoFile::Damage() const {
  if (damaged_ == 0) return absl::OkStatus();
  return absl::DataLossError(fmt::format("{} damaged place{} in {} packets, {} frames decoded; first: {}",
                                         damaged_, damaged_ == 1 ? "" : "s", packets_, frames_,
                                         MessageOf(first_damage_)));
}

}  // namespace sightline::pipeline
