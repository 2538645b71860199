// A picture for trying models when the user gives none.
#pragma once

#include "data/frame.h"

namespace sightline::registry {

// 640x480 RGB: a gradient, shapes and noise, the same each time. It shows nothing that a model was trained
// on; it shows that a model runs and that its outputs depend on the picture.
FramePtr DrawTestPicture();
// One grey all over.
FramePtr DrawFlatPicture();

}  // namespace sightline::registry
