// Makes parts of a frame unrecognisable, in place.
#pragma once

#include <memory>
#include <vector>

#include "data/detection.h"
#include "data/frame.h"

namespace sightline::cameras {

// In the frame's own pixels.
struct HiddenRegion {
  Box box;
  std::vector<Keypoint> outline;  // what of the box is hidden; empty: all of it
};

// The same picture in memory of its own. May be written to.
std::shared_ptr<Frame> CopyOf(const Frame& frame);

// All planes. The region becomes the means of at most 8 x 8 blocks, none smaller than 8 pixels, blurred over
// their neighbours and drawn smoothly. Coordinates may be anything; what is no number hides everything.
void Hide(const HiddenRegion& region, Frame* frame);

}  // namespace sightline::cameras
