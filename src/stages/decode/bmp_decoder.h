// BMP: Windows and OS/2 headers, 1 to 32 bits a pixel, run lengths, bit fields. (libvips has no BMP reader of
// its own.)
#pragma once

#include <array>
#include <memory>

#include "stages/decode/picture_decoder.h"

namespace sightline::decode {

// Same contract as PictureDecoder. Pictures are kGray8 when their palette is grey, kRgb24 otherwise. Not
// supported (Unimplemented): JPEG or PNG inside BMP, OS/2 Huffman coding.
std::unique_ptr<PictureDecoder> CreateBmpDecoder(const MediaLimits& limits);

// A device-independent bitmap: what a BMP file holds after its 14-byte file header, and an icon as it is.
struct Bitmap {
  enum class Coding { kPlain, kRunLength8, kRunLength4, kRunLength24, kBitFields };
  Size size;  // height as in the header: of an icon, twice the picture's
  bool bottom_up = true;
  int bits = 0;  // a pixel
  Coding coding = Coding::kPlain;
  std::array<uint32_t, 4> masks = {};           // red, green, blue, alpha; 16 and 32 bits
  std::vector<std::array<uint8_t, 3>> palette;  // red, green, blue
  size_t header_bytes =
      0;  // header, masks and palette: where the pixels are, unless a file header says otherwise
  bool counts_colors = false;  // the header says how long the palette is
};
absl::StatusOr<Bitmap> ReadBitmapHeader(absl::Span<const uint8_t> bytes);

enum class BitmapAlpha { kNone, kComposed };
// Decodes `pixels`, the rows of `bitmap`, into `frame`. DataLoss when rows are missing.
absl::Status DecodeBitmap(const Bitmap& bitmap, absl::Span<const uint8_t> pixels, BitmapAlpha alpha,
                          Frame* frame);

}  // namespace sightline::decode
