// What a traffic signal shows: by word, or by the colour of its lamps in the picture.
#pragma once

#include <string_view>

#include "data/frame.h"
#include "stages/rules/geometry.h"

namespace sightline::rules {

enum class Shown { kUnknown, kRed, kAmber, kGreen };

// "red", "amber" or "yellow", "green", in any case; all else is unknown.
Shown ShownByWord(std::string_view word);
// The colour of whatever glows in the polygon, which is in pixels of a picture of `picture` size. Unknown
// where nothing does, where two colours are about as strong, and in grey pictures. `shape` of at least 3
// corners.
Shown ShownByPixels(const Frame& frame, Size picture, const Polygon& shape);

}  // namespace sightline::rules
