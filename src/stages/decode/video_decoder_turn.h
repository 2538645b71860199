// Quarter turns of a plane of samples.
#pragma once

#include "data/frame.h"

namespace sightline::decode {

// Writes `from` (`size` in samples of 1, 2 or 3 bytes) turned clockwise by 90, 180 or 270 degrees to `to`,
// whose rows are `to_stride` bytes apart and, for quarter turns, size.height samples long.
void TurnPlane(const Plane& from, Size size, int bytes_per_sample, int degrees, uint8_t* to, int to_stride);

}  // namespace sightline::decode
