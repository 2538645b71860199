#include "stages/decode/video_decoder_turn.h"

#include <cstring>

#include "base/check.h"

namespace sightline::decode {
namespace {

// Squares of samples, so that both sides stay in the cache.
constexpr int kTile = 32;

template <int kBytes>
void Turn(const Plane& from, Size size, int degrees, uint8_t* to, int to_stride) {
  for (int y0 = 0; y0 < size.height; y0 += kTile) {
    for (int x0 = 0; x0 < size.width; x0 += kTile) {
      const int y1 = std::min(y0 + kTile, size.height), x1 = std::min(x0 + kTile, size.width);
      for (int x = x0; x < x1; ++x) {
        for (int y = y0; y < y1; ++y) {
          const int tx = degrees == 90 ? size.height - 1 - y : degrees == 180 ? size.width - 1 - x : y;
          const int ty = degrees == 90 ? x : degrees == 180 ? size.height - 1 - y : size.width - 1 - x;
          std::memcpy(
              to + static_cast<ptrdiff_t>(ty) * to_stride + static_cast<ptrdiff_t>(tx) * kBytes,
              from.data + static_cast<ptrdiff_t>(y) * from.stride + static_cast<ptrdiff_t>(x) * kBytes,
              kBytes);
        }
      }
    }
  }
}

}  // namespace

void TurnPlane(const Plane& from, Size size, int bytes_per_sample, int degrees, uint8_t* to, int to_stride) {
  CHECK(degrees == 90 || degrees == 180 || degrees == 270) << degrees;
  switch (bytes_per_sample) {
    case 1:
      return Turn<1>(from, size, degrees, to, to_stride);
    case 2:
      return Turn<2>(from, size, degrees, to, to_stride);
    default:
      return Turn<3>(from, size, degrees, to, to_stride);
  }
}

}  // namespace sightline::decode
