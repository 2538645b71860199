// The same definition as Preprocessor::Run, one pixel at a time in double precision: slow, obvious, and what
// the kernels are tested against. Not for production use.
#pragma once

#include <vector>

#include "data/frame.h"
#include "data/geometry.h"
#include "data/model_card.h"

namespace sightline::preprocess {

// Tensor elements in the card's layout, before conversion to its type (so not rounded).
std::vector<double> ReferenceRun(const InputCard& card, const Frame& frame, const InputTransform& transform,
                                 const Box& region);

}  // namespace sightline::preprocess
