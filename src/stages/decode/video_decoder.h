// Video packets to frames.
#pragma once

#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/frame.h"
#include "data/limits.h"
#include "data/packet.h"

namespace sightline::decode {

// Push packets, pull frames: Send one packet (nullptr: drain), then Receive until Unavailable (needs more
// packets) or OutOfRange (drained). Frames are upright (the track's rotation applied), in presentation order,
// planes borrowed from the decoder where the format allows (kYuv420, kYuv422, kYuv444, kNv12, kGray8),
// converted otherwise (10-bit and others); time_s is exact: (pts - start_time) * time base.
//
// Threads: one at a time; frames may be kept and read anywhere. Errors: DataLoss for a corrupt packet (the
// caller counts it and may go on sending), ResourceExhausted for a limit, Unimplemented for a codec that this
// build lacks.
// What may be left out to save time. kNoFilter: no deblocking of frames that no other is predicted from.
// kReferences: frames that no other needs are not decoded. kKeyframes: only those that need no other.
enum class Economy { kNone, kNoFilter, kReferences, kKeyframes };

class VideoDecoder {
 public:
  static absl::StatusOr<std::unique_ptr<VideoDecoder>> Create(const VideoTrack& track,
                                                              const MediaLimits& limits);
  virtual ~VideoDecoder() = default;
  virtual absl::Status Send(const AVPacket* packet) = 0;
  virtual absl::StatusOr<FramePtr> Receive() = 0;
  // As Receive, but a frame whose time is not `wanted` is neither converted nor turned: null.
  virtual absl::StatusOr<FramePtr> ReceiveIf(absl::FunctionRef<bool(double time_s)> wanted) = 0;
  // Forgets frames that were not received and what was decoded, also after draining: the next packet is a
  // keyframe.
  virtual void Flush() = 0;
  // From the next packet on; after kKeyframes frames come again from the next keyframe on. Frames of what was
  // skipped never come.
  virtual void SetEconomy(Economy economy) = 0;
};

}  // namespace sightline::decode
