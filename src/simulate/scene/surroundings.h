// What stands around a street, and the camera that looks at it.
#pragma once

#include <vector>

#include "simulate/scene/exact.h"
#include "simulate/scene/layout.h"

namespace sightline::simulate {

// One street that leads away from the middle. In its own axes u goes outward and v to the left, so that
// traffic towards the middle has v > 0.
struct Arm {
  double heading = 0;  // outward
  Point2 along;        // unit, outward
  int lanes = 1;       // each way
  double lane_width = 3.3;
  double median = 0.3;         // metres between the directions; above 1: a raised island
  double left = 0, right = 0;  // from the axis to the kerbs
  double sidewalk = 3;
  double mouth = 10;  // where it opens into the intersection
  bool bays_in = false, bays_out = false;

  Point2 At(double u, double v) const { return {along.x * u - along.y * v, along.y * u + along.x * v}; }
};

double Distance2(const Point2& a, const Point2& b);
void AddBuildings(Random random, const std::vector<Arm>& arms, Layout* layout);
void AddTreesAndPoles(Random random, const std::vector<Arm>& arms, Layout* layout);
// Chooses a view, and takes away what would stand in front of it.
void PlaceCamera(Random random, Size picture, Layout* layout);

}  // namespace sightline::simulate
