#include "stages/sinks/annotate/canvas.h"

extern "C" {
#include <libavutil/pixfmt.h>
#include <libswscale/swscale.h>
}

#include "base/text.h"

namespace sightline::sinks {
namespace {

constexpr int kSideMax = 32'000;    // Cairo's coordinates end at 32767
constexpr int kReadableSide = 320;  // below, labels would cover what they name
constexpr int kEnlargeMax = 8;
constexpr int64_t kPixelsMax = 100'000'000;  // 400 MB

AVPixelFormat LibraryFormat(PixelFormat format) {
  switch (format) {
    case PixelFormat::kGray8:
      return AV_PIX_FMT_GRAY8;
    case PixelFormat::kRgb24:
      return AV_PIX_FMT_RGB24;
    case PixelFormat::kYuv420:
      return AV_PIX_FMT_YUV420P;
    case PixelFormat::kYuv422:
      return AV_PIX_FMT_YUV422P;
    case PixelFormat::kYuv444:
      return AV_PIX_FMT_YUV444P;
    case PixelFormat::kNv12:
      return AV_PIX_FMT_NV12;
  }
  return AV_PIX_FMT_NONE;
}

const int* Coefficients(ColorMatrix matrix) {
  switch (matrix) {
    case ColorMatrix::kBt601:
      return sws_getCoefficients(SWS_CS_ITU601);
    case ColorMatrix::kBt709:
      return sws_getCoefficients(SWS_CS_ITU709);
    case ColorMatrix::kBt2020:
      return sws_getCoefficients(SWS_CS_BT2020);
  }
  return sws_getCoefficients(SWS_CS_DEFAULT);
}

Size CanvasSize(Size frame) {
  const int longest = std::max(frame.width, frame.height);
  const int enlarge = std::min(kEnlargeMax, (kReadableSide + longest - 1) / longest);
  if (enlarge > 1) return {frame.width * enlarge, frame.height * enlarge};
  const double pixels = static_cast<double>(frame.width) * frame.height;
  double scale = std::min(1.0, static_cast<double>(kSideMax) / longest);
  if (pixels * scale * scale > kPixelsMax) scale = std::sqrt(kPixelsMax / pixels);
  return {std::max(1, static_cast<int>(frame.width * scale)),
          std::max(1, static_cast<int>(frame.height * scale))};
}

// Black 16 to 0, white 235 to 255.
void StretchRange(std::vector<uint8_t>* pixels) {
  std::array<uint8_t, 256> stretched{};
  for (int i = 0; i < 256; ++i) {
    stretched[static_cast<size_t>(i)] = static_cast<uint8_t>(std::clamp((i - 16) * 255 / 219, 0, 255));
  }
  for (uint8_t& sample : *pixels) sample = stretched[sample];
}

}  // namespace

Canvas::Canvas() = default;
Canvas::~Canvas() { sws_freeContext(converter_); }

absl::Status Canvas::Load(const Frame& frame) {
  size_ = CanvasSize(frame.size);
  stride_ = size_.width * 4;
  // The converter's vector code may write a little past the last row.
  pixels_.resize(static_cast<size_t>(stride_) * static_cast<size_t>(size_.height) + Frame::kPadding);
  const Size source = frame.source_size.empty() ? frame.size : frame.source_size;
  scale_x_ = static_cast<float>(size_.width) / static_cast<float>(source.width);
  scale_y_ = static_cast<float>(size_.height) / static_cast<float>(source.height);
  const int flags = SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT;
  converter_ =
      sws_getCachedContext(converter_, frame.size.width, frame.size.height, LibraryFormat(frame.format),
                           size_.width, size_.height, AV_PIX_FMT_BGR0, flags, nullptr, nullptr, nullptr);
  if (converter_ == nullptr) {
    return absl::InternalError(fmt::format("cannot convert {} pixels of {}x{} for drawing",
                                           Name(frame.format), frame.size.width, frame.size.height));
  }
  const int full_range = frame.range == ColorRange::kFull || frame.format == PixelFormat::kRgb24 ? 1 : 0;
  constexpr int kUnchanged = 1 << 16;
  sws_setColorspaceDetails(converter_, Coefficients(frame.matrix), full_range,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, kUnchanged, kUnchanged);
  const uint8_t* planes[4] = {};
  int strides[4] = {};
  for (int i = 0; i < PlaneCount(frame.format); ++i) {
    planes[i] = frame.planes[i].data;
    strides[i] = frame.planes[i].stride;
  }
  uint8_t* out[4] = {pixels_.data()};
  const int out_strides[4] = {stride_};
  if (sws_scale(converter_, planes, strides, 0, frame.size.height, out, out_strides) != size_.height) {
    return absl::InternalError("cannot convert a frame for drawing");
  }
  // The converter takes grey for full range whatever it is told.
  if (frame.format == PixelFormat::kGray8 && frame.range == ColorRange::kLimited) StretchRange(&pixels_);
  return absl::OkStatus();
}

}  // namespace sightline::sinks
