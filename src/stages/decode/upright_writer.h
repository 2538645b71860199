// Writes decoded rows into a frame, turned and mirrored as an EXIF orientation asks.
#pragma once

#include <cstdint>

#include "data/frame.h"

namespace sightline::decode {

// The size as displayed of a picture stored with `size`. Orientations other than 2..8 mean 1 (upright).
Size DisplayedSize(Size size, int orientation);

// Threads: one at a time. Lifetime: borrows the frame.
class UprightWriter {
 public:
  // Allocates `frame` for kGray8 or kRgb24 and a picture that is stored with `size`.
  UprightWriter(Frame* frame, PixelFormat format, Size size, int orientation);

  // Where to write the samples of stored row `y` (kGray8: width bytes, kRgb24: 3 * width). Finish(y) puts it
  // in its place.
  uint8_t* Row(int y);
  void Finish(int y);

 private:
  uint8_t* plane_;
  int stride_;
  int bytes_;  // of a pixel
  Size size_;
  int orientation_;
  std::vector<uint8_t> row_;  // only when the row can't be written in place
};

}  // namespace sightline::decode
