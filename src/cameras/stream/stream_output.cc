#include "cameras/stream/stream_output.h"

extern "C" {
#include <libavcodec/packet.h>
#include <libavutil/avutil.h>
}

#include <algorithm>

#include "cameras/stream/track_change.h"

namespace sightline::cameras {
namespace {

constexpr double kReadyAskedS = 0.1;

std::shared_ptr<const AVPacket> CloneOf(const AVPacket& packet, const StreamClock::Stamp& stamp,
                                        bool retimed) {
  AVPacket* clone = av_packet_clone(&packet);  // shares the bytes
  if (clone == nullptr) return nullptr;
  clone->pts = stamp.pts.value_or(AV_NOPTS_VALUE);
  clone->dts = stamp.dts.value_or(AV_NOPTS_VALUE);
  if (retimed) clone->duration = 0;
  return std::shared_ptr<const AVPacket>(clone, [](const AVPacket* p) {
    auto* mutable_packet = const_cast<AVPacket*>(p);
    av_packet_free(&mutable_packet);
  });
}

}  // namespace

void StreamOutput::Begin() {
  ++epoch_;
  frames_of_connection_ = 0;
  given_of_connection_ = false;
  live_since_.reset();
  last_key_.reset();
  choice.Restart();
}

const VideoTrack& StreamOutput::SetTrack(const VideoTrack& track, bool retimed) {
  retimed_ = retimed;
  if (track_ == nullptr || !SameTrack(*track_, track)) {
    auto copy = std::make_shared<VideoTrack>(track);
    copy->start_time = 0;
    track_ = std::move(copy);
    control_->Update([&](StreamStatus& status) { status.codec = CodecName(track); });
  }
  return *track_;
}

void StreamOutput::Jumped() {
  ++epoch_;
  control_->Update([](StreamStatus& status) { ++status.clock_jumps; });
}

std::shared_ptr<const AVPacket> StreamOutput::GivePacket(const AVPacket& packet,
                                                         const StreamClock::Reading& reading,
                                                         WallTime captured) {
  auto clone = CloneOf(packet, reading.stamp, retimed_);
  if (clone == nullptr) return clone;
  const bool key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
  if (key) last_key_ = clone;
  control_->observer().OnPacket({clone, track_, epoch_, key, reading.stream_s, captured});
  return clone;
}

void StreamOutput::ChangeSize(Size size) {
  if (size_ != size) {
    if (given_of_connection_) floor_ = ++epoch_;  // else the connection is new anyway
    size_ = size;
    control_->Update([&](StreamStatus& status) { status.size = size; });
  }
  if (track_ != nullptr && SizeOf(*track_) != size) track_ = TrackOfSize(*track_, size, last_key_.get());
}

bool StreamOutput::GiveFrame(const DecodedFrame& decoded, bool patient) {
  while (patient && decoded.frame != nullptr && !control_->observer().IsReady(kReadyAskedS)) {
    if (control_->interrupted()) return false;
  }
  if (decoded.frame != nullptr) ChangeSize(decoded.frame->source_size);
  if (!live_since_) live_since_ = MonotonicClock::now();
  if (frames_of_connection_++ == 0) control_->SetState(StreamState::kLive);
  const int64_t index = index_++;
  control_->Update([](StreamStatus& status) { ++status.frames; });
  if (decoded.frame == nullptr) return true;
  given_of_connection_ = true;
  LiveFrame live;
  live.frame = decoded.frame;
  live.index = index;
  // What the decoder held back when the clock jumped is of before.
  live.epoch = floor_ = std::max(floor_, decoded.arrival.epoch);
  live.stream_s = decoded.arrival.stream_s;
  live.captured = decoded.arrival.captured;
  live.arrived = decoded.arrival.arrived;
  live.patient = patient;
  control_->observer().OnFrame(live);
  return true;
}

}  // namespace sightline::cameras
