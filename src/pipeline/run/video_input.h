// A video as the executor reads it: demuxer and decoder together, frames picked by --every or --fps.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/frame.h"
#include "data/limits.h"
#include "stages/decode/video_decoder.h"
#include "stages/ingest/video_demuxer.h"

namespace sightline::pipeline {

// Which frames are analysed. At most one of the two differs from "all".
struct Sampling {
  int64_t every = 1;                        // frames 0, every, 2 * every, ...
  std::optional<double> frames_per_second;  // the first frame at or after each 1/fps of presentation time
};

// Threads: one at a time.
class VideoInput {
 public:
  static absl::StatusOr<std::unique_ptr<VideoInput>> Open(const ingest::Input& input,
                                                          const MediaLimits& limits,
                                                          const Sampling& sampling);

  struct Picked {
    FramePtr frame;
    int64_t index = 0;  // 0-based among all frames of the video
  };
  // The next picked frame; OutOfRange at the end. Corrupt packets are counted and passed over.
  absl::StatusOr<Picked> Next();

  // What was wrong with the video as a whole, once Next() has ended: DataLoss with the number of corrupt
  // packets.
  absl::Status Damage() const;
  const VideoTrack& track() const { return demuxer_->track(); }

 private:
  VideoInput(std::unique_ptr<ingest::VideoDemuxer> demuxer, std::unique_ptr<decode::VideoDecoder> decoder,
             const MediaLimits& limits, const Sampling& sampling);
  absl::Status Feed();  // one packet into the decoder, or the drain
  bool Pick(const Frame& frame, int64_t index);
  void CountDamage(const absl::Status& status);

  std::unique_ptr<ingest::VideoDemuxer> demuxer_;
  std::unique_ptr<decode::VideoDecoder> decoder_;
  MediaLimits limits_;
  Sampling sampling_;
  int64_t frames_ = 0, packets_ = 0, damaged_ = 0;
  absl::Status first_damage_;
  bool drained_ = false;
  int64_t next_slot_ = 0;  // --fps: the first 1/fps slot that has no frame yet
};

}  // namespace sightline::pipeline
