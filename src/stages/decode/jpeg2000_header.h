// Reads the size segment of a JPEG 2000 file, because OpenJPEG allocates by its tile and component counts
// while it reads the header.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "data/limits.h"

namespace sightline::decode {

struct Jpeg2000Header {
  int64_t width = 0, height = 0, tiles = 0;
  int components = 0;
  int levels = 0;           // of the wavelet: the picture can be had at 1/2^0 ... 1/2^levels
  bool subsampled = false;  // components of different sizes
  int bits = 0;             // of the first component's samples
};

// The first code stream of a bare or boxed file; nullopt where there is none.
std::optional<Jpeg2000Header> ReadJpeg2000Header(absl::Span<const uint8_t> bytes);

// OK only for what is safe to give to OpenJPEG.
absl::Status CheckJpeg2000(absl::Span<const uint8_t> bytes, const MediaLimits& limits);

}  // namespace sightline::decode
