// What every decoder checks between the header and the first allocation.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "data/limits.h"

namespace sightline::decode {

// ResourceExhausted, naming the limit, for a picture that is too large; DataLoss for one without area.
absl::Status CheckPictureSize(int64_t width, int64_t height, const MediaLimits& limits);
absl::Status CheckPages(int64_t pages, const MediaLimits& limits);
absl::Status CheckPage(int64_t page, int64_t pages);  // OutOfRange

}  // namespace sightline::decode
