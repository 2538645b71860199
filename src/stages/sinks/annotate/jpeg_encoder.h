// Encodes a canvas as JPEG.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "stages/sinks/annotate/canvas.h"

namespace sightline::sinks {

// Baseline JPEG, 4:4:4 (so that thin coloured lines stay crisp), with `comment`. `bytes` is
// reused. Quality: 1..100.
absl::Status EncodeJpeg(const Canvas& canvas, std::string_view comment, std::vector<uint8_t>* bytes,
                        int quality = 90);

}  // namespace sightline::sinks
