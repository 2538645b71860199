// Video containers and streams to packets. One attempt: no retry, no reconnect (a supervisor's job).
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/limits.h"
#include "data/packet.h"
#include "stages/ingest/input_list.h"

namespace sightline::ingest {

// Threads: one at a time. Errors: DataLoss for what is no (or a broken) video, PermissionDenied for a playlist that
// points where it may not (protocols other than file for files; http, https, tls, tcp, rtsp for URLs; other hosts'
// link-local and metadata addresses), DeadlineExceeded when the network stalls.
class VideoDemuxer {
 public:
  static absl::StatusOr<std::unique_ptr<VideoDemuxer>> Open(const Input& input, const MediaLimits& limits);
  virtual ~VideoDemuxer() = default;
  virtual const VideoTrack& track() const = 0;
  // The next packet of the video track; OutOfRange at the end. The pointer is valid until the next call.
  virtual absl::StatusOr<AVPacket*> Read() = 0;
};

}  // namespace sightline::ingest
