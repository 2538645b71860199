#include "stages/decode/icon_decoder.h"

#include "base/status.h"
#include "stages/decode/bmp_decoder.h"
#include "stages/decode/picture_limits.h"
#include "stages/decode/vips_decoder.h"

namespace sightline::decode {
namespace {

using Span = absl::Span<const uint8_t>;

size_t Little(Span bytes, size_t at, size_t count) {
  size_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= static_cast<size_t>(bytes[at + i]) << (8 * i);
  return value;
}

absl::Status Truncated() { return absl::DataLossError("damaged icon file: it ends before the picture does"); }

// The entry with the most pixels; of equals the one with the most bits. A side of 0 means 256.
absl::StatusOr<Span> LargestPicture(Span bytes) {
  if (bytes.size() < 6) return Truncated();
  const size_t count = Little(bytes, 4, 2);
  if (bytes.size() < 6 + 16 * count) return Truncated();
  size_t best = 0, best_weight = 0;
  for (size_t i = 0; i < count; ++i) {
    const Span entry = bytes.subspan(6 + 16 * i, 16);
    const size_t width = entry[0] == 0 ? 256 : entry[0], height = entry[1] == 0 ? 256 : entry[1];
    const size_t weight = width * height * 65536 + Little(entry, 6, 2) + 1;
    if (weight > best_weight) best = i, best_weight = weight;
  }
  if (best_weight == 0) return absl::DataLossError("icon file without a picture");
  const Span entry = bytes.subspan(6 + 16 * best, 16);
  const size_t size = Little(entry, 8, 4), offset = Little(entry, 12, 4);
  if (offset > bytes.size() || size > bytes.size() - offset) return Truncated();
  return bytes.subspan(offset, size);
}

// Makes black what the one-bit mask after the pixels says is transparent; a missing mask hides nothing.
void ApplyMask(Span mask, Frame* frame) {
  const size_t stride = (static_cast<size_t>(frame->size.width) + 31) / 32 * 4;
  if (mask.size() < stride * frame->size.height) return;
  const int bytes = frame->format == PixelFormat::kGray8 ? 1 : 3;
  for (int y = 0; y < frame->size.height; ++y) {
    const uint8_t* bits = mask.data() + stride * (frame->size.height - 1 - y);
    uint8_t* row = frame->mutable_plane(0) + static_cast<ptrdiff_t>(frame->planes[0].stride) * y;
    for (int x = 0; x < frame->size.width; ++x) {
      if (bits[x / 8] & (0x80 >> (x % 8)))
        std::fill_n(row + static_cast<ptrdiff_t>(x) * bytes, bytes, uint8_t{0});
    }
  }
}

class IconDecoder : public PictureDecoder {
 public:
  explicit IconDecoder(const MediaLimits& limits) : limits_(limits), png_(CreateVipsDecoder(limits)) {}

  absl::StatusOr<PictureHeader> ReadHeader(Span bytes) override {
    ASSIGN_OR_RETURN(const Span picture, LargestPicture(bytes));
    PictureHeader header;
    if (Sniff(picture) == MediaFormat::kPng) {
      ASSIGN_OR_RETURN(header, png_->ReadHeader(picture));
    } else {
      ASSIGN_OR_RETURN(const Bitmap bitmap, Read(picture));
      header.size = bitmap.size;
    }
    header.format = MediaFormat::kOtherPicture;
    return header;
  }

  absl::StatusOr<FramePtr> Decode(Span bytes, const PictureHeader&, const DecodeRequest& request) override {
    RETURN_IF_ERROR(CheckPage(request.page, 1));
    ASSIGN_OR_RETURN(const Span picture, LargestPicture(bytes));
    if (Sniff(picture) == MediaFormat::kPng) {
      ASSIGN_OR_RETURN(const PictureHeader header, png_->ReadHeader(picture));
      return png_->Decode(picture, header, request);
    }
    ASSIGN_OR_RETURN(Bitmap bitmap, Read(picture));
    if (bitmap.header_bytes > picture.size()) return Truncated();
    const Span pixels = picture.subspan(bitmap.header_bytes);
    const size_t color_bytes =
        (static_cast<size_t>(bitmap.size.width) * bitmap.bits + 31) / 32 * 4 * bitmap.size.height;
    const bool has_alpha =
        bitmap.bits == 32 && HasAlpha(pixels.subspan(0, std::min(color_bytes, pixels.size())));
    if (has_alpha) bitmap.masks[3] = 0xFF000000;
    std::shared_ptr<Frame> frame = pool_.Acquire();
    RETURN_IF_ERROR(DecodeBitmap(bitmap, pixels, BitmapAlpha::kComposed, frame.get()));
    if (!has_alpha && pixels.size() > color_bytes) ApplyMask(pixels.subspan(color_bytes), frame.get());
    return frame;
  }

 private:
  // Old icons leave the fourth byte zero everywhere.
  static bool HasAlpha(Span pixels) {
    for (size_t i = 3; i < pixels.size(); i += 4) {
      if (pixels[i] != 0) return true;
    }
    return false;
  }

  absl::StatusOr<Bitmap> Read(Span picture) const {
    ASSIGN_OR_RETURN(Bitmap bitmap, ReadBitmapHeader(picture));
    if (bitmap.coding != Bitmap::Coding::kPlain && bitmap.coding != Bitmap::Coding::kBitFields) {
      return absl::UnimplementedError("icon with a run-length coded bitmap: not supported");
    }
    bitmap.size.height /= 2;  // colours above, mask below
    RETURN_IF_ERROR(CheckPictureSize(bitmap.size.width, bitmap.size.height, limits_));
    return bitmap;
  }

  const MediaLimits limits_;
  std::unique_ptr<PictureDecoder> png_;
  FramePool pool_;
};

}  // namespace

std::unique_ptr<PictureDecoder> CreateIconDecoder(const MediaLimits& limits) {
  return std::make_unique<IconDecoder>(limits);
}

}  // namespace sightline::decode
