#include "stages/preprocess/placement.h"

#include <algorithm>
#include <cmath>

namespace sightline::preprocess {
namespace {

constexpr int kStoredShiftMax = 3;  // decoders scale by 1/2, 1/4, 1/8

struct Side {
  double start, length;
};

Side SafeSide(float low, float high, int extent) {
  if (std::isnan(low) || std::isnan(high)) return {0, static_cast<double>(extent)};
  const double limit = extent;
  const double a = std::clamp<double>(low, -limit, 2 * limit),
               b = std::clamp<double>(high, -limit, 2 * limit);
  if (b - a >= 1) return {a, b - a};
  return {(a + b) / 2 - 0.5, 1};
}

int Round(double value, int low, int high) {
  return static_cast<int>(
      std::clamp(std::floor(value + 0.5), static_cast<double>(low), static_cast<double>(high)));
}

// Forgives what dividing and multiplying back loses: 500 * (416.0 / 500) is 416.
int Floor(double value, int low, int high) {
  return static_cast<int>(
      std::clamp(std::floor(value + 1e-6), static_cast<double>(low), static_cast<double>(high)));
}

}  // namespace

Placement Place(const InputCard& card, const Box& region, Size source, Size input) {
  const Side x = SafeSide(region.x1, region.x2, std::max(source.width, 1));
  const Side y = SafeSide(region.y1, region.y2, std::max(source.height, 1));
  Placement place{
      x.start, y.start, x.length, y.length, 0, 0, std::max(input.width, 1), std::max(input.height, 1)};
  const double fit_x = place.width / x.length, fit_y = place.height / y.length;
  switch (card.resize) {
    case ResizeMode::kStretch:
      break;
    case ResizeMode::kLetterbox: {
      const double scale = std::min(fit_x, fit_y);
      const auto whole = card.anchor == LetterboxAnchor::kTopLeft ? Floor : Round;
      const Size size{whole(x.length * scale, 1, place.width), whole(y.length * scale, 1, place.height)};
      if (card.anchor == LetterboxAnchor::kCenter) {
        place.x = (place.width - size.width) / 2;
        place.y = (place.height - size.height) / 2;
      }
      place.width = size.width;
      place.height = size.height;
      break;
    }
    case ResizeMode::kCenterCrop: {
      const double scale = std::max(fit_x, fit_y);
      const Size size{Round(x.length * scale, place.width, 1 << 30),
                      Round(y.length * scale, place.height, 1 << 30)};
      place.x = -((size.width - place.width) / 2);
      place.y = -((size.height - place.height) / 2);
      place.width = size.width;
      place.height = size.height;
      break;
    }
  }
  return place;
}

InputTransform ToTransform(const Placement& place, Size source, Size input) {
  const double scale_x = place.width / place.region_width, scale_y = place.height / place.region_height;
  InputTransform transform;
  transform.scale_x = static_cast<float>(scale_x);
  transform.scale_y = static_cast<float>(scale_y);
  transform.offset_x = static_cast<float>(place.x - place.region_x * scale_x);
  transform.offset_y = static_cast<float>(place.y - place.region_y * scale_y);
  transform.input = input;
  transform.source = source;
  return transform;
}

int ShiftFor(float scale_x, float scale_y) {
  const float scale = std::max(scale_x, scale_y);
  int shift = 0;
  while (shift < kShiftMax && scale <= std::ldexp(1.f, -(shift + 1))) ++shift;
  return shift;
}

StoredScale ScaleOf(const Frame& frame) {
  const Size stored = frame.size, source = frame.source_size;
  if (source.empty()) return {};
  for (int k = 0; k <= kStoredShiftMax; ++k) {
    const int round_up = (1 << k) - 1;
    if (stored == Size{(source.width + round_up) >> k, (source.height + round_up) >> k}) {
      return {std::ldexp(1.0, -k), std::ldexp(1.0, -k), k};
    }
  }
  return {static_cast<double>(stored.width) / source.width,
          static_cast<double>(stored.height) / source.height, 0};
}

int ChromaShiftX(PixelFormat format, int plane) {
  const bool halved =
      format == PixelFormat::kYuv420 || format == PixelFormat::kYuv422 || format == PixelFormat::kNv12;
  return plane > 0 && halved ? 1 : 0;
}

int ChromaShiftY(PixelFormat format, int plane) {
  return plane > 0 && (format == PixelFormat::kYuv420 || format == PixelFormat::kNv12) ? 1 : 0;
}

bool NeedsLumaOnly(const Frame& frame, ColorOrder color) {
  if (frame.format == PixelFormat::kGray8) return true;
  return color == ColorOrder::kGray && frame.format != PixelFormat::kRgb24 &&
         frame.matrix == ColorMatrix::kBt601;
}

}  // namespace sightline::preprocess
