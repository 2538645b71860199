// What of the unmoving street the sun sees: a map of nearest surfaces from its direction.
#pragma once

#include <vector>

#include "simulate/render/light.h"

namespace sightline::simulate {

class SunMap {
 public:
  void Build(const Vector3& to_sun, const std::vector<Mesh>& surroundings, double extent_m);
  void Clear() { built_ = false; }  // everything is lit
  // 0 (in the shadow of houses, trees, ...) .. 1; soft over about a map's cell.
  float Sunlit(const Vector3& point) const;

 private:
  bool built_ = false;
  Vector3 to_sun_, right_, up_;
  float scale_ = 1;             // cells a metre
  std::vector<float> nearest_;  // metres towards the sun; very small: nothing
};

}  // namespace sightline::simulate
