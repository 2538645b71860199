// Rectangles on the ground that move: whether and when two of them touch.
#pragma once

#include <optional>

#include "simulate/scene/scene.h"

namespace sightline::simulate {

struct Footprint {
  Point2 center;
  Point2 along;     // unit, forward
  Point2 velocity;  // m/s
  double half_length = 0, half_width = 0;
  double radius = 0;  // of the circle around it

  Point2 front() const { return {center.x + along.x * half_length, center.y + along.y * half_length}; }
  // Distance from the rectangle's edge to a point; 0 inside.
  double DistanceTo(const Point2& point) const;
};

Footprint FootprintOf(const Actor& actor);
bool Overlap(const Footprint& a, const Footprint& b);
// Seconds until they first touch if both go on as they are; 0 where they touch already, none where they never
// will.
std::optional<double> TimeToTouch(const Footprint& a, const Footprint& b);

}  // namespace sightline::simulate
