// Video containers and streams to packets. One attempt: no retry, no reconnect (a supervisor's job).
#pragma once

#include <chrono>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/limits.h"
#include "data/packet.h"
#include "stages/ingest/input_list.h"

namespace sightline::ingest {

// How long to wait for the network; files are not timed.
struct DemuxTimeouts {
  std::chrono::milliseconds open{30'000};  // until the first packet can be read
  std::chrono::milliseconds read{20'000};  // for one packet
};

// What libav may open is decided here and done by base/net; libav itself opens nothing but RTSP connections.
// Playlists (HLS) are followed only from http(s), and only to the host that they came from.
//
// Threads: one at a time. Errors: DataLoss for what is no (or a broken) video, PermissionDenied for a
// playlist that points where it may not (protocols other than file for files; http, https, tls, tcp, rtsp for
// URLs; other hosts' link-local and metadata addresses), DeadlineExceeded when the network stalls.
class VideoDemuxer {
 public:
  static absl::StatusOr<std::unique_ptr<VideoDemuxer>> Open(const Input& input, const MediaLimits& limits,
                                                            const DemuxTimeouts& timeouts = {});
  // A video that is already in memory; `bytes` must outlive the demuxer.
  static absl::StatusOr<std::unique_ptr<VideoDemuxer>> OpenBytes(absl::Span<const uint8_t> bytes,
                                                                 const MediaLimits& limits);
  virtual ~VideoDemuxer() = default;
  virtual const VideoTrack& track() const = 0;
  // The next packet of the video track; OutOfRange at the end. The pointer is valid until the next call. A
  // file that was cut gives its packets and then DataLoss instead of OutOfRange; errors stay.
  virtual absl::StatusOr<AVPacket*> Read() = 0;
};

}  // namespace sightline::ingest
