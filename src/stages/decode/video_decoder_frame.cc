#include "stages/decode/video_decoder_frame.h"

extern "C" {
#include <libavutil/frame.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <cstring>
#include <optional>

#include "base/check.h"
#include "base/text.h"
#include "stages/decode/video_decoder_turn.h"

namespace sightline::decode {
namespace {

constexpr size_t kShelfFramesMax = 64;

// Layouts that are ours as they are.
std::optional<PixelFormat> OwnFormat(int format) {
  switch (format) {
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVA420P:
      return PixelFormat::kYuv420;  // transparency is not looked at
    case AV_PIX_FMT_YUV422P:
    case AV_PIX_FMT_YUVJ422P:
      return PixelFormat::kYuv422;
    case AV_PIX_FMT_YUV444P:
    case AV_PIX_FMT_YUVJ444P:
      return PixelFormat::kYuv444;
    case AV_PIX_FMT_NV12:
      return PixelFormat::kNv12;
    case AV_PIX_FMT_GRAY8:
      return PixelFormat::kGray8;
    case AV_PIX_FMT_RGB24:
      return PixelFormat::kRgb24;
    default:
      return std::nullopt;
  }
}

// The nearest of our layouts that loses no chroma samples; nullopt for what has no pixels in memory.
std::optional<PixelFormat> NearestFormat(int format) {
  const AVPixFmtDescriptor* layout = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(format));
  if (layout == nullptr || (layout->flags & AV_PIX_FMT_FLAG_HWACCEL) != 0) return std::nullopt;
  if ((layout->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0) return PixelFormat::kRgb24;
  if (layout->nb_components < 3) return PixelFormat::kGray8;
  if (layout->log2_chroma_w == 1 && layout->log2_chroma_h == 1) return PixelFormat::kYuv420;
  return layout->log2_chroma_w == 1 && layout->log2_chroma_h == 0 ? PixelFormat::kYuv422
                                                                  : PixelFormat::kYuv444;
}

AVPixelFormat LibavFormat(PixelFormat format) {
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

// Containers may put any number into libav's enums, and reading one that is none of the names is undefined.
template <typename Enum>
int NumberOf(const Enum& value) {
  int number = 0;
  static_assert(sizeof value == sizeof number);
  std::memcpy(&number, &value, sizeof number);
  return number;
}

bool IsFullRange(const AVFrame& frame) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const bool named_full = format == AV_PIX_FMT_YUVJ420P || format == AV_PIX_FMT_YUVJ422P ||
                          format == AV_PIX_FMT_YUVJ444P || format == AV_PIX_FMT_YUVJ440P ||
                          format == AV_PIX_FMT_YUVJ411P;
  if (named_full || NumberOf(frame.color_range) == AVCOL_RANGE_JPEG) return true;
  // Grey without a word is taken as it is.
  const AVPixFmtDescriptor* layout = av_pix_fmt_desc_get(format);
  const bool grey = layout != nullptr && layout->nb_components < 3;
  return grey && NumberOf(frame.color_range) == AVCOL_RANGE_UNSPECIFIED;
}

ColorMatrix MatrixOf(const AVFrame& frame) {
  switch (NumberOf(frame.colorspace)) {
    case AVCOL_SPC_BT709:
      return ColorMatrix::kBt709;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return ColorMatrix::kBt2020;
    case AVCOL_SPC_UNSPECIFIED:
      break;
    default:
      return ColorMatrix::kBt601;
  }
  // Unsaid: JPEG means 601; in video, high definition means 709.
  return frame.height >= 720 && !IsFullRange(frame) ? ColorMatrix::kBt709 : ColorMatrix::kBt601;
}

}  // namespace

struct AvFrameShelf::Shelf {
  absl::Mutex mutex;
  std::vector<AVFrame*> frames ABSL_GUARDED_BY(mutex);
  std::vector<void*> blocks ABSL_GUARDED_BY(mutex);
  size_t block_bytes ABSL_GUARDED_BY(mutex) = 0;

  ~Shelf() {
    for (AVFrame* frame : frames) av_frame_free(&frame);
    for (void* block : blocks) ::operator delete(block);
  }
};

namespace {

// Control blocks of shared pointers, from a shelf that they keep alive.
template <typename T, typename Shelf>
struct BlockAllocator {
  using value_type = T;
  template <typename U>
  struct rebind {
    using other = BlockAllocator<U, Shelf>;
  };
  std::shared_ptr<Shelf> shelf;
  explicit BlockAllocator(std::shared_ptr<Shelf> s) : shelf(std::move(s)) {}
  template <typename U>
  BlockAllocator(const BlockAllocator<U, Shelf>& other) : shelf(other.shelf) {}  // NOLINT: allocators convert
  T* allocate(size_t n) {
    absl::MutexLock lock(&shelf->mutex);
    if (shelf->blocks.empty() || shelf->block_bytes != n * sizeof(T))
      return static_cast<T*>(::operator new(n * sizeof(T)));
    void* block = shelf->blocks.back();
    shelf->blocks.pop_back();
    return static_cast<T*>(block);
  }
  void deallocate(T* p, size_t n) {
    absl::MutexLock lock(&shelf->mutex);
    if (shelf->blocks.empty()) shelf->block_bytes = n * sizeof(T);
    if (shelf->block_bytes == n * sizeof(T) && shelf->blocks.size() < kShelfFramesMax) {
      shelf->blocks.push_back(p);
    } else {
      ::operator delete(p);
    }
  }
  template <typename U>
  bool operator==(const BlockAllocator<U, Shelf>& other) const {
    return shelf == other.shelf;
  }
};

}  // namespace

AvFrameShelf::AvFrameShelf() : shelf_(std::make_shared<Shelf>()) {
  absl::MutexLock lock(&shelf_->mutex);
  shelf_->frames.reserve(kShelfFramesMax);
  shelf_->blocks.reserve(kShelfFramesMax);
}

std::shared_ptr<const AVFrame> AvFrameShelf::Keep(AVFrame* frame) {
  AVFrame* kept = nullptr;
  {
    absl::MutexLock lock(&shelf_->mutex);
    if (!shelf_->frames.empty()) {
      kept = shelf_->frames.back();
      shelf_->frames.pop_back();
    }
  }
  if (kept == nullptr) kept = av_frame_alloc();
  CHECK(kept != nullptr) << "out of memory";
  av_frame_move_ref(kept, frame);
  auto put_back = [shelf = shelf_](AVFrame* returned) {
    av_frame_unref(returned);
    absl::MutexLock lock(&shelf->mutex);
    if (shelf->frames.size() < kShelfFramesMax) {
      shelf->frames.push_back(returned);
    } else {
      av_frame_free(&returned);
    }
  };
  return std::shared_ptr<AVFrame>(kept, std::move(put_back), BlockAllocator<AVFrame, Shelf>(shelf_));
}

VideoFrameMaker::~VideoFrameMaker() { sws_freeContext(scaler_); }

absl::StatusOr<std::shared_ptr<Frame>> VideoFrameMaker::Make(AVFrame* source) {
  const Size size{source->width, source->height};
  if (size.empty() || source->data[0] == nullptr) return absl::DataLossError("a frame without pixels");
  if (int64_t{size.width} * size.height > limits_.pixels_max || size.width > limits_.side_max ||
      size.height > limits_.side_max) {
    return absl::ResourceExhaustedError(
        fmt::format("a frame of {}x{} is over the limit of {} pixels, {} a side", size.width, size.height,
                    limits_.pixels_max, limits_.side_max));
  }
  const ColorRange range = IsFullRange(*source) ? ColorRange::kFull : ColorRange::kLimited;
  const ColorMatrix matrix = MatrixOf(*source);
  const bool sideways = rotation_ == 90 || rotation_ == 270;

  std::shared_ptr<Frame> frame;
  auto format = OwnFormat(source->format);
  // A quarter turn of 4:2:2 halves chroma the other way, which is none of our layouts.
  const bool turns_badly = sideways && format == PixelFormat::kYuv422;
  const bool borrowed = format && !turns_badly && source->linesize[0] > 0;
  if (borrowed) {
    frame = frames_.Acquire();
    frame->size = frame->source_size = size;
    frame->format = *format;
    for (int i = 0; i < 3; ++i) {
      frame->planes[i] = i < PlaneCount(*format) ? Plane{source->data[i], source->linesize[i]} : Plane{};
    }
    frame->owner = shelf_.Keep(source);
  } else {
    format = NearestFormat(source->format);
    if (!format)
      return absl::UnimplementedError(fmt::format("pixel format {} can't be read", source->format));
    if (sideways && *format == PixelFormat::kYuv422) format = PixelFormat::kYuv444;
    auto converted = Convert(*source, *format);
    if (!converted.ok()) return converted;
    frame = *std::move(converted);
  }
  frame->range = frame->format == PixelFormat::kRgb24 ? ColorRange::kFull : range;
  frame->matrix = matrix;
  return rotation_ == 0 ? frame : Turn(*frame);
}

absl::StatusOr<std::shared_ptr<Frame>> VideoFrameMaker::Convert(const AVFrame& source, PixelFormat format) {
  const auto from = static_cast<AVPixelFormat>(source.format);
  // The cached context is made anew when size or format change.
  scaler_ = sws_getCachedContext(scaler_, source.width, source.height, from, source.width, source.height,
                                 LibavFormat(format), SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP,
                                 nullptr, nullptr, nullptr);
  if (scaler_ == nullptr) {
    return absl::UnimplementedError(
        fmt::format("pixel format {} can't be converted", av_get_pix_fmt_name(from)));
  }
  // Range and matrix stay as they are: the frame says which.
  const int* coefficients = sws_getCoefficients(SWS_CS_ITU601);
  const int range = IsFullRange(source) ? 1 : 0;
  sws_setColorspaceDetails(scaler_, coefficients, range, coefficients,
                           format == PixelFormat::kRgb24 ? 1 : range, 0, 1 << 16, 1 << 16);
  auto frame = frames_.Acquire();
  frame->Allocate(format, {source.width, source.height});
  std::array<uint8_t*, 4> planes{};
  std::array<int, 4> strides{};
  for (int i = 0; i < PlaneCount(format); ++i) {
    planes[static_cast<size_t>(i)] = frame->mutable_plane(i);
    strides[static_cast<size_t>(i)] = frame->planes[static_cast<size_t>(i)].stride;
  }
  const int rows =
      sws_scale(scaler_, source.data, source.linesize, 0, source.height, planes.data(), strides.data());
  if (rows != source.height) {
    return absl::UnimplementedError(
        fmt::format("pixel format {} can't be converted", av_get_pix_fmt_name(from)));
  }
  return frame;
}

std::shared_ptr<Frame> VideoFrameMaker::Turn(const Frame& upright) {
  auto frame = frames_.Acquire();
  const Size size = upright.size;
  frame->Allocate(upright.format, rotation_ == 180 ? size : Size{size.height, size.width});
  frame->range = upright.range;
  frame->matrix = upright.matrix;
  for (int i = 0; i < PlaneCount(upright.format); ++i) {
    const int bytes = upright.format == PixelFormat::kRgb24            ? 3
                      : upright.format == PixelFormat::kNv12 && i == 1 ? 2
                                                                       : 1;
    Size samples = PlaneSize(upright.format, size, i);
    samples.width /= bytes;
    const auto plane = static_cast<size_t>(i);
    TurnPlane(upright.planes[plane], samples, bytes, rotation_, frame->mutable_plane(i),
              frame->planes[plane].stride);
  }
  return frame;
}

}  // namespace sightline::decode
