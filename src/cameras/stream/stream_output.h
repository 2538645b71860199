// What a stream gives to its observer, numbered and timed over all its connections.
#pragma once

#include <memory>

#include "cameras/stream/camera_stream.h"
#include "cameras/stream/frame_choice.h"
#include "cameras/stream/stream_clock.h"
#include "cameras/stream/stream_control.h"
#include "cameras/stream/stream_decoder.h"

namespace sightline::cameras {

// Threads: the stream's own. Outlives connections.
class StreamOutput {
 public:
  explicit StreamOutput(StreamControl* control) : control_(control) {}

  StreamClock clock;
  FrameChoice choice;

  // A new attempt at a connection, or the recording from its begin.
  void Begin();
  // The track of the connection; the one of before where it is the same. Its time counts from 0.
  // `retimed`: its time base is not the source's, so that durations of packets mean nothing.
  const VideoTrack& SetTrack(const VideoTrack& track, bool retimed);
  void Jumped();
  uint32_t epoch() const { return epoch_; }

  // Takes over the timestamps of `reading`. Null where memory is short.
  std::shared_ptr<const AVPacket> GivePacket(const AVPacket& packet, const StreamClock::Reading& reading,
                                             WallTime captured);
  // Whether a frame is given is decided: null frames are only counted. `patient`: once the observer is ready
  // for it. False: interrupted before.
  bool GiveFrame(const DecodedFrame& decoded, bool patient);
  // Of this connection: decoded, given or not.
  int64_t frames_of_connection() const { return frames_of_connection_; }
  std::optional<MonotonicTime> live_since() const { return live_since_; }

 private:
  void ChangeSize(Size size);

  StreamControl* const control_;
  uint32_t epoch_ = 0;
  uint32_t floor_ = 0;  // of the epochs of frames, which come later than those of their packets
  int64_t index_ = 0;
  Size size_;
  std::shared_ptr<const VideoTrack> track_;
  bool retimed_ = false;
  std::shared_ptr<const AVPacket> last_key_;
  int64_t frames_of_connection_ = 0;
  bool given_of_connection_ = false;
  std::optional<MonotonicTime> live_since_;
};

}  // namespace sightline::cameras
