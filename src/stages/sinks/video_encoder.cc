#include "stages/sinks/video_encoder.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

#include "base/status.h"
#include "base/text.h"
#include "stages/sinks/mp4_file.h"

namespace sightline::sinks {
namespace {

constexpr int kTicksPerSecond = Mp4File::kTicksPerSecond;
constexpr int64_t kDefaultStep = kTicksPerSecond / 25;  // for frames without a time
// Between keyframes, as cameras have it: players find any moment, and a reader that is late goes on soon.
constexpr int64_t kKeyInterval = 2 * kTicksPerSecond;
constexpr int kNominalRate = 30;  // for the encoder's choice of level only; frames keep their times
constexpr int kThreads = 2;
constexpr int kSilent =
    100;  // added to the level of each message; the library looks at eight bits of the sum
constexpr const char* kQuality = "20";  // constant rate factor

class Mp4Encoder : public VideoEncoder {
 public:
  explicit Mp4Encoder(const std::filesystem::path& path) : file_(path) {}
  ~Mp4Encoder() override {
    avcodec_free_context(&codec_);
    av_frame_free(&frame_);
    av_packet_free(&packet_);
    sws_freeContext(converter_);
  }

  absl::Status Start(Size size, std::string_view comment) {
    // The muxer tells of its passes otherwise; what fails comes back as a code.
    static const bool quiet = [] {
      if (av_log_get_level() > AV_LOG_WARNING) av_log_set_level(AV_LOG_WARNING);
      return true;
    }();
    (void)quiet;
    const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
    if (codec == nullptr) codec = avcodec_find_encoder(AV_CODEC_ID_H264);
    if (codec == nullptr) return absl::UnimplementedError("this FFmpeg has no H.264 encoder");
    codec_ = avcodec_alloc_context3(codec);
    codec_->width = (size.width + 1) / 2 * 2;
    codec_->height = (size.height + 1) / 2 * 2;
    codec_->pix_fmt = AV_PIX_FMT_YUV420P;
    codec_->time_base = {1, kTicksPerSecond};
    codec_->framerate = {kNominalRate, 1};
    codec_->max_b_frames = 0;  // decoding order is display order: the times need no edit list
    codec_->thread_count = kThreads;
    codec_->log_level_offset =
        kSilent;  // errors come back as codes; the encoder's statistics interest nobody here
    codec_->color_range = AVCOL_RANGE_MPEG;
    codec_->colorspace = AVCOL_SPC_BT709;
    codec_->color_primaries = AVCOL_PRI_BT709;
    codec_->color_trc = AVCOL_TRC_BT709;
    codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set(codec_->priv_data, "preset", "veryfast", 0);
    av_opt_set(codec_->priv_data, "crf", kQuality, 0);
    if (const int code = avcodec_open2(codec_, codec, nullptr); code < 0) {
      return AvError(code, fmt::format("cannot encode H.264 of {}x{}", size.width, size.height));
    }
    RETURN_IF_ERROR(OpenFile(comment));
    frame_ = av_frame_alloc();
    frame_->format = codec_->pix_fmt;
    frame_->width = codec_->width;
    frame_->height = codec_->height;
    packet_ = av_packet_alloc();
    if (const int code = av_frame_get_buffer(frame_, 0); code < 0)
      return AvError(code, "no memory for a video frame");
    return absl::OkStatus();
  }

  absl::Status Write(const Canvas& canvas, std::optional<double> time_s) override {
    if (const int code = av_frame_make_writable(frame_); code < 0)
      return AvError(code, "no memory for a video frame");
    RETURN_IF_ERROR(Convert(canvas));
    return EncodeAt(time_s);
  }

  absl::Status WriteFrame(const Frame& frame) override {
    const bool as_it_is = frame.format == PixelFormat::kYuv420 && frame.matrix == ColorMatrix::kBt709 &&
                          frame.range == ColorRange::kLimited && frame.size.width == codec_->width &&
                          frame.size.height == codec_->height;
    if (!as_it_is) {
      RETURN_IF_ERROR(canvas_.Load(frame));
      return Write(canvas_, frame.time_s);
    }
    if (const int code = av_frame_make_writable(frame_); code < 0)
      return AvError(code, "no memory for a video frame");
    for (int i = 0; i < 3; ++i) {
      const Plane& plane = frame.planes[static_cast<size_t>(i)];
      const Size size = PlaneSize(frame.format, frame.size, i);
      av_image_copy_plane(frame_->data[i], frame_->linesize[i], plane.data, plane.stride, size.width,
                          size.height);
    }
    return EncodeAt(frame.time_s);
  }

  absl::Status Finish() override {
    RETURN_IF_ERROR(Encode(nullptr));
    return file_.Finish();
  }

 private:
  // Encodes frame_ under the time that is asked for, or the next possible.
  absl::Status EncodeAt(std::optional<double> time_s) {
    constexpr double kSecondsMax = 1e9;
    int64_t time = last_time_ + (last_time_ >= 0 ? kDefaultStep : 1);
    if (time_s && *time_s >= 0 && *time_s < kSecondsMax) time = std::llround(*time_s * kTicksPerSecond);
    if (time <= last_time_) time = last_time_ + 1;
    if (last_time_ >= 0) step_ = time - last_time_;
    last_time_ = time;
    frame_->pts = time;
    const bool is_key = !last_key_ || time >= *last_key_ + kKeyInterval;
    if (is_key) last_key_ = time;
    frame_->pict_type = is_key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    return Encode(frame_);
  }

  absl::Status OpenFile(std::string_view comment) {
    RETURN_IF_ERROR(file_.Begin());
    if (const int code = avcodec_parameters_from_context(file_.stream()->codecpar, codec_); code < 0)
      return file_.Failed(code);
    return file_.Open(comment);
  }

  absl::Status Convert(const Canvas& canvas) {
    const Size size = canvas.size();
    // The same size, but for an odd side, is copied and its last column or row repeated; another size is
    // scaled.
    const bool fits =
        (size.width + 1) / 2 * 2 == codec_->width && (size.height + 1) / 2 * 2 == codec_->height;
    const uint8_t* pixels[4] = {canvas.pixels()};
    int strides[4] = {canvas.stride()};
    Size input = size;
    if (fits && (size.width != codec_->width || size.height != codec_->height)) {
      Pad(canvas);
      pixels[0] = padded_.data();
      strides[0] = codec_->width * 4;
      input = {codec_->width, codec_->height};
    }
    converter_ = sws_getCachedContext(converter_, input.width, input.height, AV_PIX_FMT_BGR0, codec_->width,
                                      codec_->height, AV_PIX_FMT_YUV420P, SWS_BILINEAR | SWS_ACCURATE_RND,
                                      nullptr, nullptr, nullptr);
    if (converter_ == nullptr) return absl::InternalError("cannot convert a canvas for encoding");
    constexpr int kUnchanged = 1 << 16;
    sws_setColorspaceDetails(converter_, sws_getCoefficients(SWS_CS_DEFAULT), 1,
                             sws_getCoefficients(SWS_CS_ITU709), 0, 0, kUnchanged, kUnchanged);
    sws_scale(converter_, pixels, strides, 0, input.height, frame_->data, frame_->linesize);
    return absl::OkStatus();
  }

  void Pad(const Canvas& canvas) {
    const size_t row_bytes = static_cast<size_t>(codec_->width) * 4;
    padded_.resize(row_bytes * static_cast<size_t>(codec_->height) + Frame::kPadding);
    for (int y = 0; y < codec_->height; ++y) {
      const uint8_t* from =
          canvas.pixels() + static_cast<ptrdiff_t>(std::min(y, canvas.size().height - 1)) * canvas.stride();
      uint8_t* to = padded_.data() + static_cast<size_t>(y) * row_bytes;
      const size_t bytes = static_cast<size_t>(canvas.size().width) * 4;
      std::memcpy(to, from, bytes);
      if (bytes < row_bytes) std::memcpy(to + bytes, from + bytes - 4, 4);
    }
  }

  absl::Status Encode(const AVFrame* frame) {
    if (const int code = avcodec_send_frame(codec_, frame); code < 0) return file_.Failed(code);
    while (true) {
      const int code = avcodec_receive_packet(codec_, packet_);
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return absl::OkStatus();
      if (code < 0) return file_.Failed(code);
      packet_->stream_index = 0;
      packet_->duration = step_;  // the muxer uses it for the last frame only
      av_packet_rescale_ts(packet_, codec_->time_base, file_.stream()->time_base);
      if (const int written = av_interleaved_write_frame(file_.format(), packet_); written < 0)
        return file_.Failed(written);
    }
  }

  Mp4File file_;
  AVCodecContext* codec_ = nullptr;
  AVFrame* frame_ = nullptr;
  AVPacket* packet_ = nullptr;
  SwsContext* converter_ = nullptr;
  Canvas canvas_;  // for frames that must be converted
  std::vector<uint8_t> padded_;
  std::optional<int64_t> last_key_;
  int64_t last_time_ = -1;
  int64_t step_ = kDefaultStep;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VideoEncoder>> VideoEncoder::Create(const std::filesystem::path& path,
                                                                   Size size, std::string_view comment) {
  auto encoder = std::make_unique<Mp4Encoder>(path);
  RETURN_IF_ERROR(encoder->Start(size, comment));
  return encoder;
}

}  // namespace sightline::sinks
