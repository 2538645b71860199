#include "stages/decode/video_decoder.h"

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <array>
#include <deque>

#include "base/check.h"
#include "base/text.h"
#include "stages/decode/video_decoder_frame.h"

namespace sightline::decode {
namespace {

// Frames that had to be taken out to make room for a packet, because the caller did not: a codec holds no
// more back.
constexpr size_t kWaitingMax = 64;

std::string ErrorText(int error) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(error, text.data(), text.size());
  return text.data();
}

absl::Status DecodeFailure(int error) {
  if (error == AVERROR(ENOMEM))
    return absl::ResourceExhaustedError("a packet asks for more memory than a video may");
  if (error == AVERROR_PATCHWELCOME)
    return absl::UnimplementedError("the video uses a feature that can't be decoded");
  return absl::DataLossError(fmt::format("a damaged packet: {}", ErrorText(error)));
}

class LibavDecoder final : public VideoDecoder {
 public:
  LibavDecoder(const VideoTrack& track, const MediaLimits& limits)
      : maker_(track.rotation, limits),
        frames_max_(limits.video_frames_max),
        seconds_per_unit_num_(track.time_base_num),
        seconds_per_unit_den_(track.time_base_den > 0 ? track.time_base_den : 1),
        start_(track.start_time),
        frame_seconds_(1 / std::max(track.frames_per_second.value_or(25), 1e-3)) {}
  ~LibavDecoder() override {
    avcodec_free_context(&context_);
    av_frame_free(&frame_);
  }

  absl::Status Open(const VideoTrack& track, const MediaLimits& limits) {
    const AVCodecParameters& parameters = *track.parameters;
    const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
    if (codec == nullptr) {
      return absl::UnimplementedError(
          fmt::format("no decoder for {} video", avcodec_get_name(parameters.codec_id)));
    }
    context_ = avcodec_alloc_context3(codec);
    frame_ = av_frame_alloc();
    CHECK(context_ != nullptr && frame_ != nullptr) << "out of memory";
    if (const int error = avcodec_parameters_to_context(context_, &parameters); error < 0)
      return DecodeFailure(error);
    // One stream, one thread: the machine is filled by many streams.
    context_->thread_count = 1;
    context_->thread_type = 0;
    context_->max_pixels = limits.pixels_max;
    context_->pkt_timebase = {static_cast<int>(track.time_base_num), static_cast<int>(track.time_base_den)};
    if (const int error = avcodec_open2(context_, codec, nullptr); error < 0) {
      return absl::DataLossError(fmt::format("the {} track can't be decoded: {}",
                                             avcodec_get_name(parameters.codec_id), ErrorText(error)));
    }
    return absl::OkStatus();
  }

  absl::Status Send(const AVPacket* packet) override {
    int error = avcodec_send_packet(context_, packet);
    while (error == AVERROR(EAGAIN) && waiting_.size() < kWaitingMax) {
      auto frame = Take([](double) { return true; });
      if (absl::IsUnavailable(frame.status()) || absl::IsOutOfRange(frame.status())) break;
      waiting_.push_back(std::move(frame));
      error = avcodec_send_packet(context_, packet);
    }
    if (error == AVERROR_EOF) return absl::FailedPreconditionError("the decoder was drained already");
    if (error == AVERROR(EAGAIN)) return absl::FailedPreconditionError("frames wait to be received");
    return error < 0 ? DecodeFailure(error) : absl::OkStatus();
  }

  absl::StatusOr<FramePtr> Receive() override {
    return ReceiveIf([](double) { return true; });
  }

  absl::StatusOr<FramePtr> ReceiveIf(absl::FunctionRef<bool(double)> wanted) override {
    if (waiting_.empty()) return Take(wanted);
    auto frame = std::move(waiting_.front());
    waiting_.pop_front();
    if (frame.ok() && !wanted((*frame)->time_s.value_or(0))) return FramePtr();
    return frame;
  }

  void Flush() override {
    waiting_.clear();
    avcodec_flush_buffers(context_);
  }

  void SetEconomy(Economy economy) override {
    context_->skip_loop_filter = economy == Economy::kNone ? AVDISCARD_DEFAULT : AVDISCARD_NONREF;
    context_->skip_frame = economy == Economy::kKeyframes    ? AVDISCARD_NONKEY
                           : economy == Economy::kReferences ? AVDISCARD_NONREF
                                                             : AVDISCARD_DEFAULT;
  }

 private:
  absl::StatusOr<FramePtr> Take(absl::FunctionRef<bool(double)> wanted) {
    const int error = avcodec_receive_frame(context_, frame_);
    if (error == AVERROR(EAGAIN)) return absl::UnavailableError("more packets are needed");
    if (error == AVERROR_EOF) return absl::OutOfRangeError("the end of the video");
    if (error < 0) return DecodeFailure(error);
    const double time_s = TimeOf(*frame_);
    if (++frames_ > frames_max_) {
      av_frame_unref(frame_);
      return absl::ResourceExhaustedError(fmt::format("more than {} frames", frames_max_));
    }
    if (frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0) {
      av_frame_unref(frame_);
      return absl::DataLossError(fmt::format("the frame at {:.3f} s is damaged", time_s));
    }
    if (!wanted(time_s)) {
      av_frame_unref(frame_);
      return FramePtr();
    }
    auto made = maker_.Make(frame_);
    av_frame_unref(frame_);
    if (!made.ok()) return made.status();
    (*made)->time_s = time_s;
    return FramePtr(*std::move(made));
  }

  // Seconds since the start; where a stream has no timestamps, frames follow each other at its rate.
  double TimeOf(const AVFrame& frame) {
    if (frame.best_effort_timestamp == AV_NOPTS_VALUE) {
      last_time_s_ = last_time_s_ ? *last_time_s_ + frame_seconds_ : 0;
      return *last_time_s_;
    }
    // In 128 bits: neither difference nor product can overflow. Cameras may begin with frames without a
    // timestamp; the first one that has one follows these.
    const __int128 timestamp = frame.best_effort_timestamp;
    if (!has_timestamps_ && (!start_ || last_time_s_)) start_ = timestamp - UnitsSoFar();
    has_timestamps_ = true;
    last_time_s_ = static_cast<double>((timestamp - *start_) * seconds_per_unit_num_) /
                   static_cast<double>(seconds_per_unit_den_);
    return *last_time_s_;
  }

  // How long the frames before the first timestamp take.
  int64_t UnitsSoFar() const {
    if (!last_time_s_) return 0;
    const double units = (*last_time_s_ + frame_seconds_) * static_cast<double>(seconds_per_unit_den_) /
                         static_cast<double>(std::max<int64_t>(seconds_per_unit_num_, 1));
    return units < 1e15 ? std::llround(units) : 0;
  }

  VideoFrameMaker maker_;
  const int64_t frames_max_;
  const int64_t seconds_per_unit_num_, seconds_per_unit_den_;
  std::optional<__int128> start_;
  bool has_timestamps_ = false;
  const double frame_seconds_;
  std::optional<double> last_time_s_;
  AVCodecContext* context_ = nullptr;
  AVFrame* frame_ = nullptr;
  int64_t frames_ = 0;
  std::deque<absl::StatusOr<FramePtr>> waiting_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VideoDecoder>> VideoDecoder::Create(const VideoTrack& track,
                                                                   const MediaLimits& limits) {
  CHECK(track.parameters != nullptr) << "a track without parameters";
  CHECK(track.rotation % 90 == 0 && track.rotation >= 0 && track.rotation < 360) << track.rotation;
  auto decoder = std::make_unique<LibavDecoder>(track, limits);
  if (absl::Status status = decoder->Open(track, limits); !status.ok()) return status;
  return decoder;
}

}  // namespace sightline::decode
