#include "stages/decode/bmp_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/status.h"
#include "stages/decode/picture_limits.h"

namespace sightline::decode {
namespace {

using Span = absl::Span<const uint8_t>;
constexpr size_t kFileHeader = 14;

uint32_t Little(Span bytes, size_t at, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= static_cast<uint32_t>(bytes[at + i]) << (8 * i);
  return value;
}

absl::Status Truncated() { return absl::DataLossError("damaged BMP file: it ends before the picture does"); }

bool IsGray(const Bitmap& bitmap) {
  return bitmap.bits <= 8 && std::all_of(bitmap.palette.begin(), bitmap.palette.end(),
                                         [](const auto& c) { return c[0] == c[1] && c[1] == c[2]; });
}

// A bit field of a pixel, widened to 8 bits so that its largest value becomes 255.
class Field {
 public:
  explicit Field(uint32_t mask)
      : mask_(mask), shift_(mask == 0 ? 0 : std::countr_zero(mask)), top_(mask >> shift_) {}
  uint8_t operator()(uint32_t pixel) const {
    if (mask_ == 0) return 0;
    return static_cast<uint8_t>((static_cast<uint64_t>((pixel & mask_) >> shift_) * 255 + top_ / 2) / top_);
  }

 private:
  uint32_t mask_;
  int shift_;
  uint64_t top_;
};

// The rows of the frame by the file's order, and one pixel in them.
class Canvas {
 public:
  Canvas(const Bitmap& bitmap, Frame* frame) : size_(bitmap.size), bottom_up_(bitmap.bottom_up) {
    frame->Allocate(IsGray(bitmap) ? PixelFormat::kGray8 : PixelFormat::kRgb24, bitmap.size);
    bytes_ = frame->format == PixelFormat::kGray8 ? 1 : 3;
    plane_ = frame->mutable_plane(0);
    stride_ = frame->planes[0].stride;
  }
  uint8_t* Row(int y) {
    return plane_ + static_cast<ptrdiff_t>(stride_) * (bottom_up_ ? size_.height - 1 - y : y);
  }
  void Put(uint8_t* row, int x, const std::array<uint8_t, 3>& color) const {
    std::copy_n(color.begin(), bytes_, row + static_cast<ptrdiff_t>(x) * bytes_);
  }
  void Clear() {
    for (int y = 0; y < size_.height; ++y)
      std::fill_n(Row(y), static_cast<size_t>(size_.width) * bytes_, uint8_t{0});
  }

 private:
  Size size_;
  bool bottom_up_;
  int bytes_ = 3;
  uint8_t* plane_ = nullptr;
  int stride_ = 0;
};

void PalettePixels(const Bitmap& bitmap, const uint8_t* from, uint8_t* row, const Canvas& canvas) {
  const int bits = bitmap.bits, per_byte = 8 / bits;
  const uint32_t mask = (1u << bits) - 1;
  for (int x = 0; x < bitmap.size.width; ++x) {
    const uint32_t index = (from[x / per_byte] >> (8 - bits - (x % per_byte) * bits)) & mask;
    canvas.Put(row, x, bitmap.palette[index]);
  }
}

void FieldPixels(const Bitmap& bitmap, BitmapAlpha alpha, const uint8_t* from, uint8_t* row) {
  const Field fields[3] = {Field(bitmap.masks[0]), Field(bitmap.masks[1]), Field(bitmap.masks[2])};
  const Field opacity(bitmap.masks[3]);
  const bool compose = alpha == BitmapAlpha::kComposed && bitmap.masks[3] != 0;
  const int bytes = bitmap.bits / 8;
  for (int x = 0; x < bitmap.size.width; ++x, from += bytes) {
    uint32_t pixel = 0;
    for (int i = 0; i < bytes; ++i) pixel |= static_cast<uint32_t>(from[i]) << (8 * i);
    const uint32_t weight = compose ? opacity(pixel) : 255;
    for (const Field& field : fields) *row++ = static_cast<uint8_t>((field(pixel) * weight + 127) / 255);
  }
}

absl::Status DecodePlain(const Bitmap& bitmap, Span pixels, BitmapAlpha alpha, Canvas& canvas) {
  const size_t used = (static_cast<size_t>(bitmap.size.width) * bitmap.bits + 7) / 8;
  const size_t stride = (used + 3) / 4 * 4;
  // The padding of the last row may be missing.
  if (pixels.size() < stride * (bitmap.size.height - 1) + used) return Truncated();
  for (int y = 0; y < bitmap.size.height; ++y) {
    const uint8_t* from = pixels.data() + stride * y;
    uint8_t* row = canvas.Row(y);
    if (bitmap.bits <= 8) {
      PalettePixels(bitmap, from, row, canvas);
    } else if (bitmap.bits == 24) {
      for (int x = 0; x < bitmap.size.width; ++x) {
        for (int c = 0; c < 3; ++c) row[3 * x + c] = from[3 * x + 2 - c];
      }
    } else {
      FieldPixels(bitmap, alpha, from, row);
    }
  }
  return absl::OkStatus();
}

// Commands of two bytes: (n, color) a run; (0, 0) end of row; (0, 1) end of picture; (0, 2) dx dy skip; (0,
// n) n pixels as they are, padded to an even number of bytes. Pixels that nothing writes keep the first
// palette colour.
absl::Status DecodeRuns(const Bitmap& bitmap, Span pixels, Canvas& canvas) {
  const int width = bitmap.size.width, height = bitmap.size.height;
  const size_t color_bytes = bitmap.coding == Bitmap::Coding::kRunLength24 ? 3 : 1;
  const bool nibbles = bitmap.coding == Bitmap::Coding::kRunLength4;
  canvas.Clear();
  const auto color_at = [&](size_t at, int i) -> std::array<uint8_t, 3> {
    if (color_bytes == 3) return {pixels[at + 2], pixels[at + 1], pixels[at]};
    if (nibbles) return bitmap.palette[i % 2 == 0 ? pixels[at] >> 4 : pixels[at] & 15];
    return bitmap.palette[pixels[at]];
  };
  size_t at = 0;
  int x = 0, y = 0;
  while (y < height) {
    if (at + 2 > pixels.size()) return y == height - 1 && x >= width ? absl::OkStatus() : Truncated();
    const int count = pixels[at], command = pixels[at + 1];
    if (count > 0) {
      ++at;
      if (at + color_bytes > pixels.size()) return Truncated();
      for (int i = 0; i < count && x < width; ++i, ++x) canvas.Put(canvas.Row(y), x, color_at(at, i));
      at += color_bytes;
    } else if (command == 0) {
      at += 2, x = 0, ++y;
    } else if (command == 1) {
      return absl::OkStatus();
    } else if (command == 2) {
      if (at + 4 > pixels.size()) return Truncated();
      x = std::min(width, x + pixels[at + 2]), y += pixels[at + 3];
      at += 4;
    } else {
      at += 2;
      const size_t bytes = nibbles ? (command + 1) / 2 : command * color_bytes;
      if (at + bytes > pixels.size()) return Truncated();
      for (int i = 0; i < command && x < width; ++i, ++x) {
        canvas.Put(canvas.Row(y), x, color_at(at + (nibbles ? i / 2 : i * color_bytes), i));
      }
      at += (bytes + 1) / 2 * 2;
    }
  }
  return absl::OkStatus();
}

absl::Status Bad(std::string_view what) {
  return absl::DataLossError(fmt::format("damaged BMP file: {}", what));
}

absl::Status ReadCoding(uint32_t compression, uint32_t header_size, Bitmap* bitmap) {
  using Coding = Bitmap::Coding;
  const int bits = bitmap->bits;
  const bool os2 = header_size == 64 || header_size == 16;
  if (compression == 0)
    bitmap->coding = Coding::kPlain;
  else if (compression == 1 && bits == 8)
    bitmap->coding = Coding::kRunLength8;
  else if (compression == 2 && bits == 4)
    bitmap->coding = Coding::kRunLength4;
  else if (compression == 4 && bits == 24)
    bitmap->coding = Coding::kRunLength24;
  else if ((compression == 3 || compression == 6) && !os2 && (bits == 16 || bits == 32))
    bitmap->coding = Coding::kBitFields;
  else if (compression == 3 && os2)
    return absl::UnimplementedError("BMP with Huffman coding: not supported");
  else if (compression == 4 || compression == 5)
    return absl::UnimplementedError("JPEG or PNG inside BMP: not supported");
  else
    return Bad(fmt::format("compression {} with {} bits a pixel", compression, bits));
  if (bitmap->coding == Coding::kPlain) {
    constexpr std::array<int, 7> kDepths = {1, 2, 4, 8, 16, 24, 32};
    if (std::find(kDepths.begin(), kDepths.end(), bits) == kDepths.end())
      return Bad(fmt::format("{} bits a pixel", bits));
    if (bits == 16) bitmap->masks = {0x7C00, 0x03E0, 0x001F, 0};
    if (bits == 32) bitmap->masks = {0xFF0000, 0xFF00, 0xFF, 0};
  }
  return absl::OkStatus();
}

void ReadPalette(Span bytes, size_t at, size_t entry_bytes, size_t colors, Bitmap* bitmap) {
  const size_t most = size_t{1} << bitmap->bits;
  for (size_t i = 0; i < std::min(colors, most) && at + entry_bytes <= bytes.size(); ++i, at += entry_bytes) {
    bitmap->palette.push_back({bytes[at + 2], bytes[at + 1], bytes[at]});
  }
  bitmap->palette.resize(most);  // indices beyond the palette are black
}

class BmpDecoder : public PictureDecoder {
 public:
  explicit BmpDecoder(const MediaLimits& limits) : limits_(limits) {}

  absl::StatusOr<PictureHeader> ReadHeader(Span bytes) override {
    ASSIGN_OR_RETURN(const Bitmap bitmap, Read(bytes));
    return PictureHeader{MediaFormat::kBmp, bitmap.size, 1, 1};
  }

  absl::StatusOr<FramePtr> Decode(Span bytes, const PictureHeader&, const DecodeRequest& request) override {
    RETURN_IF_ERROR(CheckPage(request.page, 1));
    ASSIGN_OR_RETURN(const Bitmap bitmap, Read(bytes));
    // The pixels follow the palette, or lie where the file header says. An offset into the header is a
    // mistake; one into the palette too, unless the palette's length is only assumed.
    const size_t said = Little(bytes, 10, 4), after = kFileHeader + bitmap.header_bytes;
    const size_t least = bitmap.counts_colors ? after : kFileHeader + 12;
    const size_t start = said >= least ? said : after;
    if (start > bytes.size()) return Truncated();
    std::shared_ptr<Frame> frame = pool_.Acquire();
    RETURN_IF_ERROR(DecodeBitmap(bitmap, bytes.subspan(start), BitmapAlpha::kComposed, frame.get()));
    return frame;
  }

 private:
  absl::StatusOr<Bitmap> Read(Span bytes) const {
    if (bytes.size() < kFileHeader) return Truncated();
    ASSIGN_OR_RETURN(Bitmap bitmap, ReadBitmapHeader(bytes.subspan(kFileHeader)));
    RETURN_IF_ERROR(CheckPictureSize(bitmap.size.width, bitmap.size.height, limits_));
    return bitmap;
  }

  const MediaLimits limits_;
  FramePool pool_;
};

}  // namespace

absl::StatusOr<Bitmap> ReadBitmapHeader(Span bytes) {
  if (bytes.size() < 12) return Truncated();
  const uint32_t header_size = Little(bytes, 0, 4);
  if (header_size > 256 || header_size < 12) return Bad(fmt::format("a header of {} bytes", header_size));
  if (header_size > bytes.size()) return Truncated();
  Bitmap bitmap;
  bitmap.header_bytes = header_size;
  if (header_size == 12) {
    bitmap.size = {static_cast<int>(Little(bytes, 4, 2)), static_cast<int>(Little(bytes, 6, 2))};
    bitmap.bits = static_cast<int>(Little(bytes, 10, 2));
    RETURN_IF_ERROR(ReadCoding(0, header_size, &bitmap));
    if (bitmap.bits <= 8) {
      ReadPalette(bytes, 12, 3, 256, &bitmap);
      bitmap.header_bytes += 3 * bitmap.palette.size();
    }
    return bitmap;
  }
  if (header_size < 16) return Bad(fmt::format("a header of {} bytes", header_size));
  const int64_t width = static_cast<int32_t>(Little(bytes, 4, 4)),
                height = static_cast<int32_t>(Little(bytes, 8, 4));
  // Whoever asks for more than this is refused by any limit; so the sizes below stay within an int.
  constexpr int64_t kSideMax = 1 << 30;
  if (width <= 0 || height == 0) return Bad(fmt::format("picture of {} x {} pixels", width, height));
  bitmap.bottom_up = height > 0;
  bitmap.size = {static_cast<int>(std::min(width, kSideMax)),
                 static_cast<int>(std::min(std::abs(height), kSideMax))};
  bitmap.bits = static_cast<int>(Little(bytes, 14, 2));
  const uint32_t compression = header_size >= 20 ? Little(bytes, 16, 4) : 0;
  RETURN_IF_ERROR(ReadCoding(compression, header_size, &bitmap));
  if (bitmap.coding == Bitmap::Coding::kBitFields) {
    // The masks follow a 40-byte header and are inside the longer ones.
    const size_t masks = header_size >= 56 || compression == 6 ? 4 : 3;
    if (40 + 4 * masks > bytes.size()) return Truncated();
    for (size_t i = 0; i < masks; ++i) bitmap.masks[i] = Little(bytes, 40 + 4 * i, 4);
    if (header_size == 40) bitmap.header_bytes += 4 * masks;
  }
  if (bitmap.bits <= 8) {
    const uint32_t said = header_size >= 36 ? Little(bytes, 32, 4) : 0;
    const size_t most = size_t{1} << bitmap.bits, colors = said == 0 ? most : std::min<size_t>(said, most);
    ReadPalette(bytes, bitmap.header_bytes, 4, colors, &bitmap);
    bitmap.header_bytes += 4 * colors;
    bitmap.counts_colors = said > 0;
  }
  return bitmap;
}

absl::Status DecodeBitmap(const Bitmap& bitmap, Span pixels, BitmapAlpha alpha, Frame* frame) {
  const bool runs = bitmap.coding != Bitmap::Coding::kPlain && bitmap.coding != Bitmap::Coding::kBitFields;
  // Before allocating, so that a short file can't ask for a large picture: no run or skip is longer than
  // kPixelsPerByte, but for a small picture that is mostly left out.
  constexpr int64_t kPixelsPerByte = 4096, kSmall = 1 << 20;
  const int64_t area = static_cast<int64_t>(bitmap.size.width) * bitmap.size.height;
  const auto available = static_cast<int64_t>(pixels.size());
  if (runs ? area > kSmall + available * kPixelsPerByte : area * bitmap.bits / 8 > available)
    return Truncated();
  Canvas canvas(bitmap, frame);
  return runs ? DecodeRuns(bitmap, pixels, canvas) : DecodePlain(bitmap, pixels, alpha, canvas);
}

std::unique_ptr<PictureDecoder> CreateBmpDecoder(const MediaLimits& limits) {
  return std::make_unique<BmpDecoder>(limits);
}

}  // namespace sightline::decode
