// Instance masks of the prototype kind (YOLACT, YOLOv8-seg): a mask is a weighted sum of a picture's
// prototypes.
#pragma once

#include <memory>
#include <vector>

#include "data/detection.h"
#include "data/geometry.h"
#include "stages/postprocess/outputs.h"

namespace sightline::postprocess {

// The pixels whose centre lies in `box` and where the weighted sum of `prototypes` [M, rows, columns], which
// cover the whole input, is above 0 (a sigmoid above 0.5) when sampled bilinearly at that centre. `weights`
// are M floats. Null when no pixel's centre lies in the box. `work` keeps memory between calls.
std::shared_ptr<const Mask> MakeMask(const Output& prototypes, const float* weights,
                                     const InputTransform& transform, const Box& box,
                                     std::vector<float>* work);

}  // namespace sightline::postprocess
