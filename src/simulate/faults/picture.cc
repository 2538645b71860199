#include "simulate/faults/picture.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"

namespace sightline::simulate {
namespace {

template <typename P>
P Layout(const Frame& frame) {
  P picture;
  picture.size = frame.size;
  picture.count = PlaneCount(frame.format);
  picture.shift_x = frame.format == PixelFormat::kYuv420 || frame.format == PixelFormat::kYuv422 ? 1 : 0;
  picture.shift_y = frame.format == PixelFormat::kYuv420 ? 1 : 0;
  if (frame.range == ColorRange::kLimited && frame.format != PixelFormat::kRgb24) {
    picture.black = 16;
    picture.white = 235;
  }
  return picture;
}

struct Yuv {
  uint8_t y, u, v;
};

// Full range BT.601, whatever the frame's: the way there and back is what counts.
Yuv ToYuv(int r, int g, int b) {
  const auto part = [](int value) { return static_cast<uint8_t>(std::clamp(value >> 16, 0, 255)); };
  return {part(19595 * r + 38470 * g + 7471 * b + 32768),
          part(-11059 * r - 21709 * g + 32768 * b + (128 << 16) + 32768),
          part(32768 * r - 27439 * g - 5329 * b + (128 << 16) + 32768)};
}

void RowToRgb(const uint8_t* y, const uint8_t* u, const uint8_t* v, int x, uint8_t* rgb) {
  const auto part = [](int value) { return static_cast<uint8_t>(std::clamp(value >> 16, 0, 255)); };
  const int luma = (y[x] << 16) + 32768, cb = u[x] - 128, cr = v[x] - 128;
  rgb[3 * x] = part(luma + 91881 * cr);
  rgb[3 * x + 1] = part(luma - 22554 * cb - 46802 * cr);
  rgb[3 * x + 2] = part(luma + 116130 * cb);
}

// How much of each sample a region takes along one axis: 0..256. `length` samples span the picture.
uint16_t Weight(double from, double to, double edge, int length, int i) {
  const double low = from * length, high = to * length, centre = i + 0.5;
  if (i < low - 1e-4 || i + 1 > high + 1e-4) return 0;
  double weight = 1;
  if (from > 0) weight = std::min(weight, (centre - low) / edge);
  if (to < 1) weight = std::min(weight, (high - centre) / edge);
  return static_cast<uint16_t>(std::lround(256 * std::clamp(weight, 0.0, 1.0)));
}

}  // namespace

bool IsPlanar(PixelFormat format) { return PlanarFormat(format) == format; }

PixelFormat PlanarFormat(PixelFormat format) {
  if (format == PixelFormat::kRgb24) return PixelFormat::kYuv444;
  if (format == PixelFormat::kNv12) return PixelFormat::kYuv420;
  return format;
}

Picture View(const Frame& frame) {
  CHECK(IsPlanar(frame.format));
  auto picture = Layout<Picture>(frame);
  for (int i = 0; i < picture.count; ++i) {
    const Size size = PlaneSize(frame.format, frame.size, i);
    picture.planes[i] = {frame.planes[i].data, frame.planes[i].stride, size.width, size.height};
  }
  return picture;
}

MutablePicture MutableView(Frame& frame) {
  CHECK(IsPlanar(frame.format));
  auto picture = Layout<MutablePicture>(frame);
  for (int i = 0; i < picture.count; ++i) {
    const Size size = PlaneSize(frame.format, frame.size, i);
    picture.planes[i] = {frame.mutable_plane(i), frame.planes[i].stride, size.width, size.height};
  }
  return picture;
}

void AllocateLike(const Frame& model, PixelFormat format, Frame* frame) {
  frame->Allocate(format, model.size);
  frame->source_size = model.source_size;
  frame->matrix = model.matrix;
  frame->range = model.format == PixelFormat::kRgb24 ? ColorRange::kFull : model.range;
  if (format == model.format) frame->range = model.range;
  frame->time_s = model.time_s;
}

void ToPlanar(const Frame& frame, Frame* planar) {
  AllocateLike(frame, PlanarFormat(frame.format), planar);
  const MutablePicture out = MutableView(*planar);
  if (frame.format == PixelFormat::kNv12) {
    for (int y = 0; y < frame.size.height; ++y) {
      std::memcpy(out.planes[0].row(y),
                  frame.planes[0].data + static_cast<ptrdiff_t>(y) * frame.planes[0].stride,
                  static_cast<size_t>(frame.size.width));
    }
    for (int y = 0; y < out.planes[1].height; ++y) {
      const uint8_t* from = frame.planes[1].data + static_cast<ptrdiff_t>(y) * frame.planes[1].stride;
      uint8_t *u = out.planes[1].row(y), *v = out.planes[2].row(y);
      for (int x = 0; x < out.planes[1].width; ++x) {
        u[x] = from[2 * x];
        v[x] = from[2 * x + 1];
      }
    }
    return;
  }
  for (int y = 0; y < frame.size.height; ++y) {
    const uint8_t* rgb = frame.planes[0].data + static_cast<ptrdiff_t>(y) * frame.planes[0].stride;
    uint8_t *luma = out.planes[0].row(y), *u = out.planes[1].row(y), *v = out.planes[2].row(y);
    for (int x = 0; x < frame.size.width; ++x) {
      const Yuv yuv = ToYuv(rgb[3 * x], rgb[3 * x + 1], rgb[3 * x + 2]);
      luma[x] = yuv.y;
      u[x] = yuv.u;
      v[x] = yuv.v;
    }
  }
}

void FromPlanar(const Frame& original, const Frame& before, const Frame& after, Frame* frame) {
  AllocateLike(original, original.format, frame);
  const Picture from = View(before), to = View(after);
  if (original.format == PixelFormat::kNv12) {
    for (int y = 0; y < frame->size.height; ++y) {
      std::memcpy(frame->mutable_plane(0) + static_cast<ptrdiff_t>(y) * frame->planes[0].stride,
                  to.planes[0].row(y), static_cast<size_t>(frame->size.width));
    }
    for (int y = 0; y < to.planes[1].height; ++y) {
      uint8_t* row = frame->mutable_plane(1) + static_cast<ptrdiff_t>(y) * frame->planes[1].stride;
      const uint8_t *u = to.planes[1].row(y), *v = to.planes[2].row(y);
      for (int x = 0; x < to.planes[1].width; ++x) {
        row[2 * x] = u[x];
        row[2 * x + 1] = v[x];
      }
    }
    return;
  }
  for (int y = 0; y < frame->size.height; ++y) {
    uint8_t* rgb = frame->mutable_plane(0) + static_cast<ptrdiff_t>(y) * frame->planes[0].stride;
    const uint8_t* old = original.planes[0].data + static_cast<ptrdiff_t>(y) * original.planes[0].stride;
    const uint8_t *y0 = from.planes[0].row(y), *u0 = from.planes[1].row(y), *v0 = from.planes[2].row(y);
    const uint8_t *y1 = to.planes[0].row(y), *u1 = to.planes[1].row(y), *v1 = to.planes[2].row(y);
    for (int x = 0; x < frame->size.width; ++x) {
      if (y0[x] == y1[x] && u0[x] == u1[x] && v0[x] == v1[x]) {
        std::memcpy(rgb + 3 * x, old + 3 * x, 3);
      } else {
        RowToRgb(y1, u1, v1, x, rgb);
      }
    }
  }
}

FramePtr SamePixels(const FramePtr& pixels, std::optional<double> time_s, FramePool& pool) {
  std::shared_ptr<Frame> frame = pool.Acquire();
  frame->size = pixels->size;
  frame->source_size = pixels->source_size;
  frame->format = pixels->format;
  frame->matrix = pixels->matrix;
  frame->range = pixels->range;
  frame->planes = pixels->planes;
  frame->time_s = time_s;
  frame->owner = pixels;
  return frame;
}

void SoftRegion::Restrict(const Picture& in, MutablePicture& out) {
  if (whole()) return;
  const double edge_luma = std::max(1.0, 0.04 * std::min(in.size.width, in.size.height));
  for (int i = 0; i < in.count; ++i) {
    const ConstPlane& from = in.planes[i];
    const MutablePlane& to = out.planes[i];
    const double edge_x = std::max(1.0, edge_luma * from.width / in.size.width);
    const double edge_y = std::max(1.0, edge_luma * from.height / in.size.height);
    columns_.resize(static_cast<size_t>(from.width));
    for (int x = 0; x < from.width; ++x) columns_[x] = Weight(region_.x1, region_.x2, edge_x, from.width, x);
    for (int y = 0; y < from.height; ++y) {
      const uint8_t* a = from.row(y);
      uint8_t* b = to.row(y);
      const int row = Weight(region_.y1, region_.y2, edge_y, from.height, y);
      if (row == 0) {
        std::memcpy(b, a, static_cast<size_t>(from.width));
        continue;
      }
      const uint16_t* columns = columns_.data();
      for (int x = 0; x < from.width; ++x) {
        b[x] = static_cast<uint8_t>(a[x] + (((b[x] - a[x]) * ((row * columns[x]) >> 8) + 128) >> 8));
      }
    }
  }
}

}  // namespace sightline::simulate
