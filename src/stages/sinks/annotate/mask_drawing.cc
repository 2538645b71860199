#include "stages/sinks/annotate/mask_drawing.h"

#include <numeric>

namespace sightline::sinks {
namespace {

constexpr int64_t kMaskPixelsMax = 400'000'000;

struct Bitmap {
  int left = 0, top = 0, width = 0, height = 0;  // source pixels
  std::vector<uint8_t> samples;
  bool at(int x, int y) const {
    return x >= left && y >= top && x < left + width && y < top + height &&
           samples[static_cast<size_t>(y - top) * static_cast<size_t>(width) +
                   static_cast<size_t>(x - left)] != 0;
  }
};

bool Unpack(const Mask& mask, Bitmap* bitmap) {
  constexpr float kFar = 1e6f;
  const Box& area = mask.area;
  if (!(area.x1 > -kFar && area.y1 > -kFar && area.x2 < kFar && area.y2 < kFar)) return false;
  bitmap->left = static_cast<int>(area.x1);
  bitmap->top = static_cast<int>(area.y1);
  bitmap->width = static_cast<int>(area.width());
  bitmap->height = static_cast<int>(area.height());
  if (bitmap->width <= 0 || bitmap->height <= 0) return false;
  const int64_t pixels = static_cast<int64_t>(bitmap->width) * bitmap->height;
  if (pixels > kMaskPixelsMax) return false;
  if (std::accumulate(mask.runs.begin(), mask.runs.end(), int64_t{0}) != pixels) return false;
  bitmap->samples.clear();
  bitmap->samples.reserve(static_cast<size_t>(pixels));
  uint8_t value = 0;
  for (const uint32_t run : mask.runs) {
    bitmap->samples.insert(bitmap->samples.end(), run, value);
    value ^= 1;
  }
  return true;
}

}  // namespace

void DrawMask(const Mask& mask, const Color& color, double line, Canvas* canvas) {
  constexpr double kFill = 0.38, kOutline = 0.95;
  Bitmap bitmap;
  if (!Unpack(mask, &bitmap)) return;
  const auto source_x = [&](int x) {
    return static_cast<int>((static_cast<float>(x) + 0.5f) / canvas->scale_x());
  };
  const auto source_y = [&](int y) {
    return static_cast<int>((static_cast<float>(y) + 0.5f) / canvas->scale_y());
  };
  const int reach = std::max(1, static_cast<int>(std::lround(line * 0.6)));
  const int left = std::max(0, static_cast<int>(static_cast<float>(bitmap.left) * canvas->scale_x()));
  const int top = std::max(0, static_cast<int>(static_cast<float>(bitmap.top) * canvas->scale_y()));
  const int right = std::min(
      canvas->size().width,
      static_cast<int>(std::ceil(static_cast<float>(bitmap.left + bitmap.width) * canvas->scale_x())));
  const int bottom = std::min(
      canvas->size().height,
      static_cast<int>(std::ceil(static_cast<float>(bitmap.top + bitmap.height) * canvas->scale_y())));
  const double paint[3] = {color.blue * 255, color.green * 255, color.red * 255};
  for (int y = top; y < bottom; ++y) {
    uint8_t* row = canvas->pixels() + static_cast<ptrdiff_t>(y) * canvas->stride();
    for (int x = left; x < right; ++x) {
      if (!bitmap.at(source_x(x), source_y(y))) continue;
      const bool edge =
          !bitmap.at(source_x(x - reach), source_y(y)) || !bitmap.at(source_x(x + reach), source_y(y)) ||
          !bitmap.at(source_x(x), source_y(y - reach)) || !bitmap.at(source_x(x), source_y(y + reach));
      const double alpha = edge ? kOutline : kFill;
      for (int c = 0; c < 3; ++c) {
        uint8_t& sample = row[4 * x + c];
        sample = static_cast<uint8_t>(std::lround(sample + (paint[c] - sample) * alpha));
      }
    }
  }
}

}  // namespace sightline::sinks
