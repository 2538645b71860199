// A video file, stream or camera as a source of frames: demuxer and decoder together.
#pragma once

#include <memory>

#include "data/frame_source.h"
#include "data/limits.h"
#include "stages/decode/video_decoder.h"
#include "stages/ingest/video_demuxer.h"

namespace sightline::pipeline {

// Corrupt packets are counted and passed over; Damage() says how many there were.
class VideoFile final : public FrameSource {
 public:
  static absl::StatusOr<std::unique_ptr<VideoFile>> Open(const ingest::Input& input,
                                                         const MediaLimits& limits);
  const SourceFormat& format() const override { return format_; }
  absl::StatusOr<SourceFrame> Next() override;
  absl::Status Damage() const override;

 private:
  VideoFile(std::unique_ptr<ingest::VideoDemuxer> demuxer, std::unique_ptr<decode::VideoDecoder> decoder);
  absl::Status Feed();  // one packet into the decoder, or the drain
  void CountDamage(const absl::Status& status);

  std::unique_ptr<ingest::VideoDemuxer> demuxer_;
  std::unique_ptr<decode::VideoDecoder> decoder_;
  SourceFormat format_;
  int64_t frames_ = 0, packets_ = 0, damaged_ = 0;
  absl::Status first_damage_;
  bool drained_ = false;
};

}  // namespace sightline::pipeline
