// One camera's stream: connects, decodes, finds out when it stalls, and begins again, on a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "data/frame.h"
#include "data/frame_source.h"
#include "data/limits.h"
#include "data/packet.h"
#include "stages/decode/video_decoder.h"
#include "stages/ingest/input_list.h"

namespace sightline::cameras {

enum class RtspTransport { kTcp, kUdp };

struct SourceOptions {
  // rtsp(s)://, http(s):// (MJPEG or HLS), /dev/videoN, a file, or sim:...; with credentials.
  std::string address;
  RtspTransport transport = RtspTransport::kTcp;
  bool real_time = true;  // files, sim: as they would come from a camera; false: as fast as they are taken
                          // (no frame is dropped)
  bool loop = false;      // files: from the begin again at the end, stream time going on
  std::vector<std::string> allowed_hosts;  // HLS: hosts besides the playlist's own that it may lead to
  MediaLimits limits;
  double stall_s = 2;          // nothing came for so long: the connection is given up
  double back_off_max_s = 30;  // between attempts, jittered, doubling from 0.5 s
};

enum class StreamState { kConnecting, kLive, kBackOff, kPaused, kEnded };
std::string_view Name(StreamState state);

struct StreamStatus {
  StreamState state = StreamState::kConnecting;
  absl::Status last_error;  // without credentials
  WallTime since;           // of the state
  Size size;
  std::string codec;
  double frames_per_second = 0;  // as it came over the last seconds
  uint64_t frames = 0, packets = 0, damaged = 0, connects = 0, stalls = 0, clock_jumps = 0, bytes = 0;
  uint64_t left_out_late = 0;  // packets that were not decoded because the stream was late
  double decode_cpu_s = 0;
};

// A frame as it lives. `epoch` rises with each new connection, size or jump of the stream's clock: what goes
// on over frames (tracks, motion) begins anew.
struct LiveFrame {
  FramePtr frame;
  int64_t index = 0;  // decoded frames since the stream was made
  uint32_t epoch = 0;
  double stream_s = 0;    // rises over the whole life of the stream, reconnects included
  WallTime captured;      // sender's clock where the stream tells it, else when it came
  MonotonicTime arrived;  // when the packet with it came: what freshness is counted from
  bool patient = false;   // of a recording played as fast as it is taken: no age, and none is left out
};

// A packet as it came, for evidence without decoding.
struct LivePacket {
  std::shared_ptr<const AVPacket> packet;
  std::shared_ptr<const VideoTrack>
      track;  // the same pointer while the codec and its parameters are the same
  uint32_t epoch = 0;
  bool key = false;
  double stream_s = 0;
  WallTime captured;
};

// Called on the stream's thread; must not block, but for IsReady. Outlives the stream.
class StreamObserver {
 public:
  virtual ~StreamObserver() = default;
  // Asked before each patient frame, until it is true: waits at most so long for what was given to be taken.
  virtual bool IsReady(double /*seconds*/) { return true; }
  virtual void OnFrame(const LiveFrame& frame) = 0;
  virtual void OnPacket(const LivePacket&) {}
  virtual void OnState(const StreamStatus&) {}
};

// Lets so many threads decode at a time, shared by all streams: with more streams than cores, the system's
// scheduler is not asked to be fair. A turn is one packet long.
class DecodeGate {
 public:
  static std::shared_ptr<DecodeGate> Create(int turns);
  virtual ~DecodeGate() = default;
  // False when `given_up` said so first, asked every 100 ms: no turn was taken.
  virtual bool Enter(absl::FunctionRef<bool()> given_up) = 0;
  virtual void Leave() = 0;
};

struct StreamContext {
  std::shared_ptr<DecodeGate> gate;  // may be null
  // Opens `sim:` addresses; without it they fail.
  std::function<absl::StatusOr<std::unique_ptr<FrameSource>>(const ingest::Input&)> open_simulated;
  uint64_t seed = 0;  // of the jitter
};

// Threads: methods from anywhere. The destructor ends the thread within half a second, whatever the network
// does.
class CameraStream {
 public:
  // InvalidArgument for an address that cannot be. Does not wait for a connection.
  static absl::StatusOr<std::unique_ptr<CameraStream>> Create(SourceOptions options, StreamContext context,
                                                              StreamObserver* observer);
  virtual ~CameraStream() = default;
  virtual void SetPaused(bool paused) = 0;
  // What may be left out, and how often a frame is wanted (seconds; 0: each). Frames between are decoded only
  // as far as later ones need them and are not given to the observer.
  virtual void SetDemand(decode::Economy economy, double interval_s) = 0;
  virtual StreamStatus status() const = 0;
};

// Connects once, decodes for up to `seconds`, and says what came: `camera test`.
struct StreamProbe {
  StreamStatus status;
  double connect_s = 0;  // until the first frame
  FramePtr picture;      // the last
};
absl::StatusOr<StreamProbe> ProbeStream(const SourceOptions& options, const StreamContext& context,
                                        double seconds);

}  // namespace sightline::cameras
