// From libavcodec's frames to ours: borrowed where the layout is one of ours, converted or turned otherwise.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "data/frame.h"
#include "data/limits.h"

struct AVFrame;
struct SwsContext;

namespace sightline::decode {

// Keeps empty AVFrames, and the control blocks of pointers to them, so that borrowing allocates nothing once
// warm. Threads: safe. What was borrowed may outlive the shelf.
class AvFrameShelf {
 public:
  AvFrameShelf();
  // An AVFrame that takes over what `frame` refers to (`frame` is empty afterwards) until the last pointer
  // goes.
  std::shared_ptr<const AVFrame> Keep(AVFrame* frame);

 private:
  struct Shelf;
  std::shared_ptr<Shelf> shelf_;
};

// Threads: one at a time; the frames that it gives may be read anywhere and outlive it.
class VideoFrameMaker {
 public:
  // `rotation`: clockwise degrees, a multiple of 90.
  VideoFrameMaker(int rotation, const MediaLimits& limits) : rotation_(rotation), limits_(limits) {}
  ~VideoFrameMaker();
  VideoFrameMaker(const VideoFrameMaker&) = delete;
  VideoFrameMaker& operator=(const VideoFrameMaker&) = delete;

  // Takes over what `source` refers to. ResourceExhausted for a frame beyond the limits, DataLoss for one
  // without usable pixels, Unimplemented for a pixel format that can't be converted.
  absl::StatusOr<std::shared_ptr<Frame>> Make(AVFrame* source);

 private:
  absl::StatusOr<std::shared_ptr<Frame>> Convert(const AVFrame& source, PixelFormat format);
  std::shared_ptr<Frame> Turn(const Frame& upright);

  const int rotation_;
  const MediaLimits limits_;
  FramePool frames_;
  AvFrameShelf shelf_;
  SwsContext* scaler_ = nullptr;
};

}  // namespace sightline::decode
