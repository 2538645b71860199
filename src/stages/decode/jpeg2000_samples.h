// The raw samples of a JPEG 2000 code stream, for containers that give them a meaning of their own (DICOM).
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/geometry.h"
#include "data/limits.h"

namespace sightline::decode {

struct Jpeg2000Samples {
  Size size;
  int components = 0;
  int bytes = 1;  // a sample: 1 or 2, in the machine's order
  int bits = 0;   // of them used
  bool is_signed = false;
  std::vector<uint8_t> data;  // components interleaved, rows without gaps
};

// The colour transform that the code stream names is undone; nothing else is.
absl::StatusOr<Jpeg2000Samples> DecodeJpeg2000Samples(absl::Span<const uint8_t> bytes,
                                                      const MediaLimits& limits);

}  // namespace sightline::decode
