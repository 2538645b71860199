// Video containers and streams to packets. One attempt: no retry, no reconnect (a supervisor's job).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

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
  // For one packet of a playlist (HLS), whose packets come in bursts of some seconds; 0: as `read`.
  std::chrono::milliseconds playlist_read{0};
};

// How the packets come, and what their timestamps say.
enum class SourceNature {
  kRecorded,  // a file: as fast as it is read
  kSegments,  // HLS: in bursts of some seconds
  kLive,      // as they are made
  kUntimed,   // as they are made, by a format that has no timestamps of its own (MJPEG over HTTP)
};

struct DemuxOptions {
  DemuxTimeouts timeouts;
  bool live = false;      // a camera: as little as possible is read ahead before the first packet is given
  bool rtsp_udp = false;  // only with a server that is trusted: it names the addresses to send to
  std::vector<std::string> allowed_hosts;  // hosts besides its own that a playlist may lead to
  // Asked at least every 100 ms while something is waited for: true ends it (Cancelled). From the caller's
  // thread.
  std::function<bool()> cancelled;
};

// What libav may open is decided here and done by base/net; libav itself opens nothing but RTSP connections.
// Playlists (HLS) are followed only from http(s), and only to the host that they came from and to allowed
// ones. Local cameras (/dev/videoN) are asked by V4L2 itself.
//
// Threads: one at a time. Errors: DataLoss for what is no (or a broken) video, PermissionDenied for a
// playlist that points where it may not (protocols other than file for files; http, https, tls, tcp, rtsp for
// URLs; other hosts' link-local and metadata addresses), DeadlineExceeded when the network stalls.
class VideoDemuxer {
 public:
  static absl::StatusOr<std::unique_ptr<VideoDemuxer>> Open(const Input& input, const MediaLimits& limits,
                                                            const DemuxOptions& options = {});
  // A video that is already in memory; `bytes` must outlive the demuxer.
  static absl::StatusOr<std::unique_ptr<VideoDemuxer>> OpenBytes(absl::Span<const uint8_t> bytes,
                                                                 const MediaLimits& limits);
  virtual ~VideoDemuxer() = default;
  virtual const VideoTrack& track() const = 0;
  virtual SourceNature nature() const { return SourceNature::kRecorded; }
  // The next packet of the video track; OutOfRange at the end. The pointer is valid until the next call. A
  // file that was cut gives its packets and then DataLoss instead of OutOfRange; errors stay.
  virtual absl::StatusOr<AVPacket*> Read() = 0;
};

}  // namespace sightline::ingest
