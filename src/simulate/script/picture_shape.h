// How the picture shows shapes of the ground, and numbers in files.
#pragma once

#include <string>

#include "simulate/scene/camera.h"
#include "simulate/scene/layout.h"

namespace sightline::simulate {

// Fixed decimals without a negative zero.
std::string Fixed(double value, int decimals);

constexpr double kFarthest = 1e9;
// A polygon (or, not closed, a line) of the ground as the picture shows it, cut at the picture's edges and at
// `far_m` along the optical axis; empty where nothing of it is in the picture. Pixels.
Polygon InPicture(const Projection& projection, const Polygon& ground, bool closed, double far_m = kFarthest);

}  // namespace sightline::simulate
