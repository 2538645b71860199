#include "registry/test_picture.h"

#include <algorithm>

namespace sightline::registry {
namespace {

constexpr Size kSize = {640, 480};

template <typename ColorAt>
FramePtr Draw(const ColorAt& color_at) {
  auto frame = std::make_shared<Frame>();
  frame->Allocate(PixelFormat::kRgb24, kSize);
  for (int y = 0; y < kSize.height; ++y) {
    uint8_t* row = frame->mutable_plane(0) + static_cast<ptrdiff_t>(y) * frame->planes[0].stride;
    for (int x = 0; x < kSize.width; ++x) {
      const std::array<int, 3> color = color_at(x, y);
      for (size_t c = 0; c < 3; ++c)
        row[3 * x + static_cast<int>(c)] = static_cast<uint8_t>(std::clamp(color[c], 0, 255));
    }
  }
  return frame;
}

}  // namespace

FramePtr DrawTestPicture() {
  uint32_t random = 12345;
  return Draw([&](int x, int y) {
    random = random * 1664525u + 1013904223u;
    const int noise = static_cast<int>(random >> 28) - 8;
    const int disc_x = x - 200, disc_y = y - 220;
    if (disc_x * disc_x + disc_y * disc_y < 110 * 110)
      return std::array<int, 3>{215 + noise, 170 + noise, 140 + noise};
    if (x > 380 && x < 580 && y > 140 && y < 400)
      return std::array<int, 3>{40 + noise, 60 + noise, 150 + noise};
    return std::array<int, 3>{x * 200 / kSize.width + noise, y * 200 / kSize.height + noise, 120 + noise};
  });
}

FramePtr DrawFlatPicture() {
  return Draw([](int, int) { return std::array<int, 3>{128, 128, 128}; });
}

}  // namespace sightline::registry
