#include "cameras/watch/look_cost.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sightline::cameras {
namespace {

// Of the street detector a run takes 0.06 ms beside its 12 ns a pixel (tests/watch_test.cc measures it).
constexpr double kRunPixels = 5'000;

}  // namespace

double LookCost::Run(Size input) const {
  return kRunPixels + static_cast<double>(input.width) * input.height;
}

double LookCost::Whole(Size picture) const { return Run(preprocessor_.InputSize(picture)); }

double LookCost::Parts(Size picture, absl::Span<const Box> regions) const {
  if (!preprocessor_.CanTakeParts()) return std::numeric_limits<double>::infinity();
  double cost = 0;
  for (const Box& region : regions) {
    Box part = Clip(region, picture);
    if (part.area() > 0) cost += Run(preprocessor_.TransformPart(picture, &part).input);
  }
  return cost;
}

double LookCost::Packed(Size picture, float rows) const {
  const int height = std::clamp(static_cast<int>(std::ceil(rows)), 1, picture.height);
  return Run(preprocessor_.InputSize({picture.width, height}));
}

double LookCost::PackedAtLeast(Size picture, double area) const {
  return Packed(picture, static_cast<float>(area / std::max(1, picture.width)));
}

}  // namespace sightline::cameras
