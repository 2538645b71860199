#include "stages/rules/motion/lamp.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "stages/rules/motion/shape.h"

namespace sightline::rules {
namespace {

constexpr int kSteps = 48;  // samples a side
constexpr double kSaturationMin = 0.4, kValueMin = 0.35;
constexpr double kShareMin = 0.004;  // of the samples that must glow
constexpr double kLead = 1.6;        // how much stronger than the next

struct Color {
  double r = 0, g = 0, b = 0;  // 0..1
};

double Sample(const Frame& frame, size_t plane, int x, int y, int channels, int channel) {
  const Plane& p = frame.planes[plane];
  return p.data[static_cast<ptrdiff_t>(y) * p.stride + static_cast<ptrdiff_t>(x) * channels + channel];
}

// Rough: the matrices differ by less than what lamps do.
Color ColorAt(const Frame& frame, int x, int y) {
  if (frame.format == PixelFormat::kRgb24) {
    return {Sample(frame, 0, x, y, 3, 0) / 255, Sample(frame, 0, x, y, 3, 1) / 255,
            Sample(frame, 0, x, y, 3, 2) / 255};
  }
  if (frame.format == PixelFormat::kGray8) return {};
  const bool half_x = frame.format != PixelFormat::kYuv444;
  const bool half_y = frame.format == PixelFormat::kYuv420 || frame.format == PixelFormat::kNv12;
  const int cx = half_x ? x / 2 : x, cy = half_y ? y / 2 : y;
  const bool paired = frame.format == PixelFormat::kNv12;
  const double u = Sample(frame, 1, cx, cy, paired ? 2 : 1, 0) - 128,
               v = Sample(frame, paired ? 1 : 2, cx, cy, paired ? 2 : 1, paired ? 1 : 0) - 128;
  const bool limited = frame.range == ColorRange::kLimited;
  const double luma =
      limited ? (Sample(frame, 0, x, y, 1, 0) - 16) / 219 : Sample(frame, 0, x, y, 1, 0) / 255;
  const double scale = limited ? 1 / 224.0 : 1 / 255.0;
  const auto in_range = [](double value) { return std::clamp(value, 0.0, 1.0); };
  return {in_range(luma + 1.5 * v * scale), in_range(luma - 0.25 * u * scale - 0.58 * v * scale),
          in_range(luma + 1.82 * u * scale)};
}

}  // namespace

Shown ShownByWord(std::string_view word) {
  const std::string shown = Lower(Trim(word));
  if (shown == "red") return Shown::kRed;
  if (shown == "amber" || shown == "yellow") return Shown::kAmber;
  return shown == "green" ? Shown::kGreen : Shown::kUnknown;
}

Shown ShownByPixels(const Frame& frame, Size picture, const Polygon& shape) {
  if (frame.size.empty() || picture.empty() || shape.size() < 3 || frame.planes[0].data == nullptr)
    return Shown::kUnknown;
  Point low = shape.front(), high = shape.front();
  for (const Point& p : shape) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y)};
  }
  if (!Finite(low) || !Finite(high)) return Shown::kUnknown;
  std::array<double, 4> glow{};
  int samples = 0;
  for (int i = 0; i < kSteps; ++i) {
    for (int j = 0; j < kSteps; ++j) {
      const Point at{low.x + (high.x - low.x) * (j + 0.5) / kSteps,
                     low.y + (high.y - low.y) * (i + 0.5) / kSteps};
      const double px = std::floor(at.x * frame.size.width / picture.width),
                   py = std::floor(at.y * frame.size.height / picture.height);
      if (!(px >= 0 && py >= 0 && px < frame.size.width && py < frame.size.height) || !Inside(shape, at))
        continue;
      ++samples;
      const Color c = ColorAt(frame, static_cast<int>(px), static_cast<int>(py));
      const double most = std::max({c.r, c.g, c.b}), least = std::min({c.r, c.g, c.b}), range = most - least;
      if (most < kValueMin || range < kSaturationMin * most) continue;
      double hue = most == c.r   ? (c.g - c.b) / range
                   : most == c.g ? 2 + (c.b - c.r) / range
                                 : 4 + (c.r - c.g) / range;
      hue = hue < 0 ? hue * 60 + 360 : hue * 60;
      const Shown shown = hue < 22 || hue > 335   ? Shown::kRed
                          : hue < 68              ? Shown::kAmber
                          : hue > 85 && hue < 200 ? Shown::kGreen
                                                  : Shown::kUnknown;
      glow[static_cast<size_t>(shown)] += range * most;
    }
  }
  glow[0] = 0;
  const auto strongest = static_cast<size_t>(std::max_element(glow.begin(), glow.end()) - glow.begin());
  double next = 0;
  for (size_t i = 1; i < glow.size(); ++i)
    if (i != strongest) next = std::max(next, glow[i]);
  if (strongest == 0 || glow[strongest] < kShareMin * samples || glow[strongest] < kLead * next)
    return Shown::kUnknown;
  return static_cast<Shown>(strongest);
}

}  // namespace sightline::rules
