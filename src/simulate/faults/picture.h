// A picture as planes of luma and chroma, whatever format its frame has: inside this folder only.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "data/frame.h"

namespace sightline::simulate {

struct ConstPlane {
  const uint8_t* data = nullptr;
  int stride = 0, width = 0, height = 0;
  const uint8_t* row(int y) const { return data + static_cast<ptrdiff_t>(y) * stride; }
};
struct MutablePlane {
  uint8_t* data = nullptr;
  int stride = 0, width = 0, height = 0;
  uint8_t* row(int y) const { return data + static_cast<ptrdiff_t>(y) * stride; }
  operator ConstPlane() const { return {data, stride, width, height}; }  // NOLINT: a view of a view
};

// Plane 0 is luma, 1 and 2 are U and V; grey pictures have one plane. Black and white are levels of luma: 0
// and 255, or 16 and 235 where the range is limited.
template <typename PlaneType>
struct PictureOf {
  Size size;
  int count = 0;
  std::array<PlaneType, 3> planes;
  int shift_x = 0, shift_y = 0;  // chroma samples lie under x >> shift_x, y >> shift_y
  int black = 0, white = 255;
};
using Picture = PictureOf<ConstPlane>;
using MutablePicture = PictureOf<MutablePlane>;

// kRgb24 and kNv12 are not planar in this sense.
bool IsPlanar(PixelFormat format);
PixelFormat PlanarFormat(PixelFormat format);  // kRgb24: kYuv444; kNv12: kYuv420; others: themselves

Picture View(const Frame& frame);          // a planar frame
MutablePicture MutableView(Frame& frame);  // a planar frame that nobody else has yet

// A frame as another one is, but for its samples.
void AllocateLike(const Frame& model, PixelFormat format, Frame* frame);

// kRgb24 or kNv12 to planar, and back. Of the way back, samples that are the same in `before` and `after` are
// those of `original`, bit for bit.
void ToPlanar(const Frame& frame, Frame* planar);
void FromPlanar(const Frame& original, const Frame& before, const Frame& after, Frame* frame);

// The same pixels, under their own time: no sample is copied.
FramePtr SamePixels(const FramePtr& pixels, std::optional<double> time_s, FramePool& pool);

// A region of a picture with soft edges that lie within it; edges on the picture's own are hard.
class SoftRegion {
 public:
  explicit SoftRegion(const Box& region) : region_(region) {}
  bool whole() const { return region_.x1 <= 0 && region_.y1 <= 0 && region_.x2 >= 1 && region_.y2 >= 1; }
  // Outside, `out` becomes `in`.
  void Restrict(const Picture& in, MutablePicture& out);

 private:
  Box region_;
  std::vector<uint16_t> columns_;  // weights of 0..256
};

}  // namespace sightline::simulate
