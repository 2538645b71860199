// What ways to look at regions cost: which of them is chosen.
#pragma once

#include "absl/types/span.h"
#include "data/geometry.h"
#include "pipeline/run/engine.h"

namespace sightline::cameras {

// Costs are pixels of the model's input, those that a run costs whatever its size included: what a
// convolutional detector takes is in proportion to them.
class LookCost {
 public:
  explicit LookCost(const pipeline::LoadedStep& step) : preprocessor_(*step.preprocessor) {}

  double Whole(Size picture) const;
  // Each region by a run of its own; infinite where the model can't.
  double Parts(Size picture, absl::Span<const Box> regions) const;
  // A picture as wide as the camera's, of so many rows, that holds regions of several.
  double Packed(Size picture, float rows) const;
  // No packing of regions with that area together costs less.
  double PackedAtLeast(Size picture, double area) const;

 private:
  double Run(Size input) const;
  const preprocess::Preprocessor& preprocessor_;
};

}  // namespace sightline::cameras
