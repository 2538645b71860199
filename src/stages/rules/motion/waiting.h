// Who stands because others do.
#pragma once

#include "stages/rules/motion/track_book.h"

namespace sightline::rules {

constexpr double kStandsMin_s = 1;  // so long before it is said to stand

// Whether another vehicle stands or crawls within 10 m before it (in the picture: three times its size).
bool HeldUp(const Track& track, const TrackBook& book);

}  // namespace sightline::rules
