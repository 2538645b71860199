#include "stages/decode/picture_limits.h"

#include <fmt/format.h>

namespace sightline::decode {

absl::Status CheckPictureSize(int64_t width, int64_t height, const MediaLimits& limits) {
  if (width <= 0 || height <= 0)
    return absl::DataLossError(fmt::format("picture of {} x {} pixels", width, height));
  if (width > limits.side_max || height > limits.side_max) {
    return absl::ResourceExhaustedError(
        fmt::format("picture of {} x {} pixels: more than side_max ({})", width, height, limits.side_max));
  }
  if (width * height > limits.pixels_max) {
    return absl::ResourceExhaustedError(fmt::format("picture of {} x {} pixels: more than pixels_max ({})",
                                                    width, height, limits.pixels_max));
  }
  return absl::OkStatus();
}

absl::Status CheckPages(int64_t pages, const MediaLimits& limits) {
  if (pages <= limits.pages_max) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      fmt::format("{} pages: more than pages_max ({})", pages, limits.pages_max));
}

absl::Status CheckPage(int64_t page, int64_t pages) {
  if (page >= 0 && page < pages) return absl::OkStatus();
  return absl::OutOfRangeError(fmt::format("no page {}: the file has {}", page, pages));
}

}  // namespace sightline::decode
