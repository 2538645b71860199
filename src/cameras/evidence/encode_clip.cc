#include "cameras/evidence/encode_clip.h"

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <cmath>

#include "absl/cleanup/cleanup.h"
#include "base/check.h"
#include "base/status.h"
#include "base/text.h"
#include "cameras/evidence/packet_ring.h"
#include "cameras/evidence/redact.h"
#include "stages/decode/video_decoder.h"
#include "stages/sinks/video_encoder.h"

namespace sightline::cameras {
namespace {

constexpr int kTicksPerSecond = 90'000;
constexpr int kDamagedMax = 64;  // in a row, that a decoder gives back without taking more packets

class ClipEncoder {
 public:
  ClipEncoder(const ClipCut& cut, const Redaction& redaction, const SeenHistory& seen,
              const std::filesystem::path& path, absl::FunctionRef<bool()> go_on)
      : cut_(cut), redaction_(redaction), seen_(seen), path_(path), go_on_(go_on) {}

  absl::Status Run(absl::Span<const LivePacket> packets) {
    VideoTrack track = *packets.front().track;
    track.time_base_num = 1;
    track.time_base_den = kTicksPerSecond;
    track.start_time = 0;
    ASSIGN_OR_RETURN(decoder_, decode::VideoDecoder::Create(track, MediaLimits()));
    for (const LivePacket& packet : packets) {
      Send(packet);
      RETURN_IF_ERROR(Receive());
      if (!go_on_()) return absl::CancelledError("given up");
    }
    if (decoder_->Send(nullptr).ok()) RETURN_IF_ERROR(Receive());
    if (encoder_ == nullptr) return absl::DataLossError("no frame of the clip can be decoded");
    return encoder_->Finish();
  }

 private:
  // Under stream time, so that the frames that come out carry it.
  void Send(const LivePacket& packet) {
    AVPacket* copy = av_packet_clone(packet.packet.get());
    CHECK(copy != nullptr) << "out of memory";
    const auto free_copy = absl::MakeCleanup([&] { av_packet_free(&copy); });
    copy->pts = std::llround(packet.stream_s * kTicksPerSecond);
    copy->dts = std::llround(OrderOf(packet) * kTicksPerSecond);
    (void)decoder_->Send(copy);  // what is damaged is left out
  }

  absl::Status Receive() {
    for (int damaged = 0; damaged < kDamagedMax;) {
      auto frame = decoder_->ReceiveIf([&](double at_s) { return at_s >= cut_.from_s && at_s <= cut_.to_s; });
      if (absl::IsUnavailable(frame.status()) || absl::IsOutOfRange(frame.status())) break;
      if (!frame.ok()) {
        ++damaged;
        continue;
      }
      damaged = 0;
      if (*frame != nullptr) RETURN_IF_ERROR(Write(**frame));
    }
    return absl::OkStatus();
  }

  absl::Status Write(const Frame& frame) {
    const double at_s = frame.time_s.value_or(cut_.from_s);
    // The decoder may look at its own pixels again.
    const std::shared_ptr<Frame> copy = CopyOf(frame);
    if (!redaction_.none()) {
      if (const auto boxes = seen_.At(at_s)) {
        Redact(redaction_, *boxes, copy.get());
      } else {
        HideWhole(copy.get());
      }
    }
    if (encoder_ == nullptr) {
      ASSIGN_OR_RETURN(encoder_, sinks::VideoEncoder::Create(path_, copy->size, "sightline"));
      begin_s_ = at_s;
    }
    copy->time_s = at_s - begin_s_;
    return encoder_->WriteFrame(*copy);
  }

  const ClipCut cut_;
  const Redaction& redaction_;
  const SeenHistory& seen_;
  const std::filesystem::path& path_;
  const absl::FunctionRef<bool()> go_on_;
  std::unique_ptr<decode::VideoDecoder> decoder_;
  std::unique_ptr<sinks::VideoEncoder> encoder_;
  double begin_s_ = 0;
};

}  // namespace

absl::Status EncodeClip(absl::Span<const LivePacket> packets, const ClipCut& cut, const Redaction& redaction,
                        const SeenHistory& seen, const std::filesystem::path& path,
                        absl::FunctionRef<bool()> go_on) {
  if (packets.empty()) return absl::InvalidArgumentError("a clip without packets");
  return ClipEncoder(cut, redaction, seen, path, go_on).Run(packets);
}

}  // namespace sightline::cameras
