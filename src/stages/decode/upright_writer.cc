#include "stages/decode/upright_writer.h"

namespace sightline::decode {

Size DisplayedSize(Size size, int orientation) {
  return orientation >= 5 && orientation <= 8 ? Size{size.height, size.width} : size;
}

UprightWriter::UprightWriter(Frame* frame, PixelFormat format, Size size, int orientation)
    : size_(size), orientation_(orientation >= 2 && orientation <= 8 ? orientation : 1) {
  frame->Allocate(format, DisplayedSize(size, orientation_));
  plane_ = frame->mutable_plane(0);
  stride_ = frame->planes[0].stride;
  bytes_ = format == PixelFormat::kRgb24 ? 3 : 1;
  if (orientation_ != 1 && orientation_ != 4) row_.resize(static_cast<size_t>(size.width) * bytes_);
}

uint8_t* UprightWriter::Row(int y) {
  if (orientation_ == 1) return plane_ + static_cast<ptrdiff_t>(stride_) * y;
  if (orientation_ == 4) return plane_ + static_cast<ptrdiff_t>(stride_) * (size_.height - 1 - y);
  return row_.data();
}

void UprightWriter::Finish(int y) {
  if (row_.empty()) return;
  // Where the row's first pixel goes, and the step from there to the next one.
  const ptrdiff_t right = bytes_, down = stride_;
  const ptrdiff_t last_x = size_.width - 1, last_y = size_.height - 1;
  ptrdiff_t start = 0, step = 0;
  switch (orientation_) {
    case 2:
      start = last_x * right + y * down, step = -right;
      break;
    case 3:
      start = last_x * right + (last_y - y) * down, step = -right;
      break;
    case 5:
      start = y * right, step = down;
      break;
    case 6:
      start = (last_y - y) * right, step = down;
      break;
    case 7:
      start = (last_y - y) * right + last_x * down, step = -down;
      break;
    default:
      start = y * right + last_x * down, step = -down;
      break;  // 8
  }
  uint8_t* to = plane_ + start;
  const uint8_t* from = row_.data();
  for (int x = 0; x < size_.width; ++x, to += step, from += bytes_) {
    to[0] = from[0];
    if (bytes_ == 3) to[1] = from[1], to[2] = from[2];
  }
}

}  // namespace sightline::decode
