#include "cameras/stream/stream_decoder.h"

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <cmath>
#include <limits>

#include "base/status.h"

namespace sightline::cameras {
namespace {

constexpr size_t kArrivalsMax = 64;   // a codec holds fewer frames back
constexpr int kFramesAtOnceMax = 64;  // from one packet

}  // namespace

absl::StatusOr<std::unique_ptr<StreamDecoder>> StreamDecoder::Create(const VideoTrack& track,
                                                                     const MediaLimits& limits) {
  MediaLimits endless = limits;
  endless.video_frames_max = std::numeric_limits<int64_t>::max();
  auto decoder = decode::VideoDecoder::Create(track, endless);
  if (!decoder.ok()) return decoder.status();
  auto made = std::unique_ptr<StreamDecoder>(new StreamDecoder);
  made->decoder_ = *std::move(decoder);
  const AVCodecDescriptor* codec = avcodec_descriptor_get(track.parameters->codec_id);
  made->intra_only_ = codec != nullptr && (codec->props & AV_CODEC_PROP_INTRA_ONLY) != 0;
  made->is_jpeg_ = track.parameters->codec_id == AV_CODEC_ID_MJPEG;
  return made;
}

// libav paints what is missing of a JPEG grey, and says nothing.
bool StreamDecoder::IsCut(const AVPacket& packet) {
  constexpr int kPaddingMax = 64;
  const uint8_t* data = packet.data;
  int end = packet.size;
  while (end > 2 && end > packet.size - kPaddingMax && (data[end - 1] != 0xD9 || data[end - 2] != 0xFF))
    --end;
  const bool ends = end >= 2 && data[end - 1] == 0xD9 && data[end - 2] == 0xFF;
  jpegs_end_ |= ends;
  return jpegs_end_ && !ends;
}

absl::Status StreamDecoder::Decode(const AVPacket& packet, const Arrival& arrival, PacketUse use,
                                   FrameChoice* choice, std::vector<DecodedFrame>* frames) {
  if (use == PacketUse::kLeaveOut) return absl::OkStatus();
  if (is_jpeg_ && IsCut(packet)) {
    ++damaged_;
    return absl::OkStatus();
  }
  arrivals_.push_back(arrival);
  if (arrivals_.size() > kArrivalsMax) arrivals_.pop_front();
  decoder_->SetEconomy(use == PacketUse::kOnlyIfReferred ? decode::Economy::kReferences : choice->filter());
  if (absl::Status status = decoder_->Send(&packet); !status.ok()) {
    if (!absl::IsDataLoss(status)) return status;
    ++damaged_;
  }
  if (use != PacketUse::kKeyAlone) return Receive(choice, frames);
  // A decoder that reorders would hold the frame back until the next keyframe.
  absl::Status status = Drain(choice, frames);
  decoder_->Flush();
  return status;
}

absl::Status StreamDecoder::Drain(FrameChoice* choice, std::vector<DecodedFrame>* frames) {
  if (absl::Status status = decoder_->Send(nullptr); !status.ok() && !absl::IsDataLoss(status)) return status;
  return Receive(choice, frames);
}

absl::Status StreamDecoder::Receive(FrameChoice* choice, std::vector<DecodedFrame>* frames) {
  for (int i = 0; i < kFramesAtOnceMax; ++i) {
    double time_s = 0;
    auto frame = decoder_->ReceiveIf([&](double frame_time_s) {
      time_s = frame_time_s;
      return choice->IsDue(frame_time_s);
    });
    if (absl::IsUnavailable(frame.status()) || absl::IsOutOfRange(frame.status())) break;
    if (absl::IsDataLoss(frame.status())) {
      ++damaged_;
      continue;
    }
    if (!frame.ok()) return frame.status();
    if (*frame != nullptr) choice->Given(time_s);
    frames->push_back({*std::move(frame), ArrivalOf(time_s)});
  }
  return absl::OkStatus();
}

// Of the packet with the frame's time; a frame whose time the codec made up has come with the last packet.
Arrival StreamDecoder::ArrivalOf(double time_s) const {
  Arrival best = arrivals_.empty() ? Arrival() : arrivals_.back();
  double least = 1e-3;
  for (const Arrival& arrival : arrivals_) {
    const double off = std::fabs(arrival.stream_s - time_s);
    if (off < least) {
      least = off;
      best = arrival;
    }
  }
  best.stream_s = time_s;
  return best;
}

}  // namespace sightline::cameras
