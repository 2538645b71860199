// Finds places for labels: inside the picture, near their box, off each other where there is room.
#pragma once

#include <optional>
#include <vector>

#include "data/geometry.h"

namespace sightline::sinks {

class LabelLayout {
 public:
  explicit LabelLayout(Size picture) : picture_(picture) {}
  // The place for a label of `width` x `height` that belongs to `box` (canvas pixels): above its left corner
  // if that is free, else below, inside, to the right..., moved into the picture. None where it would cover
  // too much of the labels placed before to leave both readable.
  std::optional<Box> Place(const Box& box, float width, float height);
  // Keeps a place that is already taken.
  void Occupy(const Box& place) { taken_.push_back(place); }

 private:
  Box Inside(float x, float y, float width, float height) const;
  Size picture_;
  std::vector<Box> taken_;
};

}  // namespace sightline::sinks
