// Weather as light: what shines, from where, how strongly. Linear units: a white wall in the noon sun is
// about 1.
#pragma once

#include <cmath>
#include <vector>

#include "simulate/models/mesh.h"

namespace sightline::simulate {

// Single precision is enough for light.
struct Vector3 {
  float x = 0, y = 0, z = 0;
  Vector3 operator+(const Vector3& o) const { return {x + o.x, y + o.y, z + o.z}; }
  Vector3 operator-(const Vector3& o) const { return {x - o.x, y - o.y, z - o.z}; }
  Vector3 operator*(float k) const { return {x * k, y * k, z * k}; }
};
inline float Dot(const Vector3& a, const Vector3& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vector3 Unit(const Vector3& v) { return v * (1 / std::sqrt(std::max(1e-12f, Dot(v, v)))); }
inline Vector3 ToVector(const Point3& p) {
  return {static_cast<float>(p.x), static_cast<float>(p.y), static_cast<float>(p.z)};
}

inline Rgb operator+(const Rgb& a, const Rgb& b) {
  return {a.red + b.red, a.green + b.green, a.blue + b.blue};
}
inline Rgb operator*(const Rgb& a, const Rgb& b) {
  return {a.red * b.red, a.green * b.green, a.blue * b.blue};
}
inline Rgb operator*(const Rgb& a, float k) { return {a.red * k, a.green * k, a.blue * k}; }
inline Rgb Mix(const Rgb& a, const Rgb& b, float share) { return a * (1 - share) + b * share; }
inline float Luminance(const Rgb& c) { return 0.2126f * c.red + 0.7152f * c.green + 0.0722f * c.blue; }

struct Light {
  Vector3 to_sun;       // unit
  Rgb sun;              // black: none
  Rgb sky;              // from above, on a level surface
  Rgb bounce;           // from below, on surfaces that look down
  Rgb zenith, horizon;  // the sky itself
  Rgb fog_color;
  float fog = 0;        // 1/m
  Rgb street_lamp;      // of one lamp, on the ground below it; black: off
  float lamp = 1;       // radiance of Surface::kLamp
  float windows = 0;    // radiance of a lit window
  float headlight = 0;  // radiance that a headlight makes on white ground 5 m ahead
  float wetness = 0;

  float Clear(float metres) const { return std::exp(-fog * metres); }
  Rgb SkyTowards(float up) const;  // up: the direction's z
  // Light on a surface, without street lamps; `sunlit` 0..1.
  Rgb On(const Vector3& normal, float sunlit) const;
};

Light LightOf(const Weather& weather, uint64_t seed);

// A street lamp's lamp.
struct LampPoint {
  Vector3 position;
  float reach = 0;  // metres; no light beyond
};
std::vector<LampPoint> LampsOf(const Layout& layout);
// The panes from which they shine, in world axes.
Mesh LampPanes(const Layout& layout);
// Share of Light::street_lamp that arrives at a surface.
float LampOn(const LampPoint& lamp, const Vector3& point, const Vector3& normal);

}  // namespace sightline::simulate
