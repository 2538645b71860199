#include "stages/sinks/annotate/palette.h"

#include <cmath>
#include <cstdint>
#include <iterator>

namespace sightline::sinks {
namespace {

// Neighbouring keys differ in hue and in brightness.
constexpr uint32_t kColors[] = {0xFF5A5F, 0x2EC4F1, 0x9BE15D, 0xFFB627, 0xB57BFF, 0x00C9A7, 0xFF7AC6,
                                0x4D8DFF, 0xF6E84E, 0xFF8A3D, 0x5EEAD4, 0xC6F432, 0xE05CF0, 0x38B000,
                                0xFFA69E, 0x8C9EFF, 0xE3B505, 0x20D6FF, 0xD98B5F, 0xA3F7BF};

double Linear(double value) {
  return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

}  // namespace

Color ColorOf(int key) {
  const uint32_t rgb = kColors[static_cast<uint32_t>(key) % std::size(kColors)];
  return {((rgb >> 16) & 255) / 255.0, ((rgb >> 8) & 255) / 255.0, (rgb & 255) / 255.0};
}

double Luminance(const Color& color) {
  return 0.2126 * Linear(color.red) + 0.7152 * Linear(color.green) + 0.0722 * Linear(color.blue);
}

}  // namespace sightline::sinks
