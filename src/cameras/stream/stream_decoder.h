// A connection's packets to frames, as far as they are wanted.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "cameras/stream/frame_choice.h"
#include "data/packet.h"
#include "stages/decode/video_decoder.h"

namespace sightline::cameras {

// What a frame inherits from the packet that it came in.
struct Arrival {
  double stream_s = 0;
  uint32_t epoch = 0;
  WallTime captured;
  MonotonicTime arrived;
};

struct DecodedFrame {
  FramePtr frame;  // null: not due
  Arrival arrival;
};

// Threads: one at a time. `track` has timestamps in stream time (start_time 0).
class StreamDecoder {
 public:
  static absl::StatusOr<std::unique_ptr<StreamDecoder>> Create(const VideoTrack& track,
                                                               const MediaLimits& limits);

  bool intra_only() const { return intra_only_; }
  // Appends what came out, in order of presentation; those given are marked in `choice`. Packets that are
  // damaged are counted and passed over; an error ends the connection.
  absl::Status Decode(const AVPacket& packet, const Arrival& arrival, PacketUse use, FrameChoice* choice,
                      std::vector<DecodedFrame>* frames);
  absl::Status Drain(FrameChoice* choice, std::vector<DecodedFrame>* frames);
  uint64_t damaged() const { return damaged_; }

 private:
  StreamDecoder() = default;
  bool IsCut(const AVPacket& packet);
  absl::Status Receive(FrameChoice* choice, std::vector<DecodedFrame>* frames);
  Arrival ArrivalOf(double time_s) const;

  std::unique_ptr<decode::VideoDecoder> decoder_;
  bool intra_only_ = false;
  bool is_jpeg_ = false;
  bool jpegs_end_ = false;        // as they should: not every camera's do
  std::deque<Arrival> arrivals_;  // of the last packets
  uint64_t damaged_ = 0;
};

}  // namespace sightline::cameras
