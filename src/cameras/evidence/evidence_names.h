// Where evidence lies.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace sightline::cameras {

// CAMERA/YYYY-MM-DD/EVENT without an ending, relative to the folder. Names are safe as names of files
// whatever is in them: letters, digits, '-', '_' and '.' stay, but not a leading '.'; a name that had to be
// changed or cut gets a number made from the whole, so that two that differ stay two.
std::string EvidenceStem(std::string_view camera, std::string_view event_id, WallTime captured);

}  // namespace sightline::cameras
