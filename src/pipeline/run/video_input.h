// A source of frames as the executor reads it: frames picked by --every or --fps, and no more than the limit.
#pragma once

#include <memory>
#include <optional>

#include "data/frame_source.h"
#include "data/limits.h"

namespace sightline::pipeline {

// Which frames are analysed. At most one of the two differs from "all".
struct Sampling {
  int64_t every = 1;                        // frames 0, every, 2 * every, ...
  std::optional<double> frames_per_second;  // the first frame at or after each 1/fps of presentation time
};

// Threads: one at a time.
class VideoInput {
 public:
  VideoInput(std::unique_ptr<FrameSource> source, const MediaLimits& limits, const Sampling& sampling)
      : source_(std::move(source)), limits_(limits), sampling_(sampling) {}

  absl::StatusOr<SourceFrame> Next();  // the next picked frame; OutOfRange at the end
  const FrameSource& source() const { return *source_; }

 private:
  bool Pick(const SourceFrame& next);

  std::unique_ptr<FrameSource> source_;
  MediaLimits limits_;
  Sampling sampling_;
  int64_t next_slot_ = 0;  // --fps: the first 1/fps slot that has no frame yet
};

}  // namespace sightline::pipeline
