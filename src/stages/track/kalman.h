// A constant-velocity Kalman filter for a box: centre, width and height, each with its speed.
#pragma once

#include <array>

#include "data/geometry.h"

namespace sightline::track {

// The four quantities are measured separately and disturbed separately, so that the filter of eight states
// falls into four of two. Noise is in proportion to the box's height (after SORT and ByteTrack), but per
// second, so that the frame rate may vary. Units: pixels, seconds.
class BoxFilter {
 public:
  explicit BoxFilter(const Box& box);
  // Moves on by `seconds` >= 0. `keep_size`: the size stays as it is, for objects that are out of sight.
  void Predict(double seconds, bool keep_size);
  void Update(const Box& measured);
  Box box() const;

 private:
  struct Axis {
    double value = 0, speed = 0;
    double variance = 0, covariance = 0, speed_variance = 0;
  };
  double height() const;
  std::array<Axis, 4> axes_;  // centre x, centre y, width, height
};

}  // namespace sightline::track
