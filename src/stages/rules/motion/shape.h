// Plane geometry: polygons, segments, and rectangles on the ground that move.
#pragma once

#include <cmath>
#include <optional>

#include "stages/rules/geometry.h"

namespace sightline::rules {

inline Point operator+(const Point& a, const Point& b) { return {a.x + b.x, a.y + b.y}; }
inline Point operator-(const Point& a, const Point& b) { return {a.x - b.x, a.y - b.y}; }
inline Point operator*(const Point& a, double by) { return {a.x * by, a.y * by}; }
inline double Dot(const Point& a, const Point& b) { return a.x * b.x + a.y * b.y; }
inline double Cross(const Point& a, const Point& b) { return a.x * b.y - a.y * b.x; }
inline double Length(const Point& a) { return std::hypot(a.x, a.y); }
inline bool Finite(const Point& a) { return std::isfinite(a.x) && std::isfinite(a.y); }

// Even-odd rule.
bool Inside(const Polygon& polygon, const Point& point);
// Where along a-b (0..1) it meets c-d; none where they do not.
std::optional<double> Crossing(const Point& a, const Point& b, const Point& c, const Point& d);

struct Footprint {
  Point center;
  Point along{1, 0};  // unit, forward
  Point velocity;     // m/s
  double half_length = 0.5, half_width = 0.5;

  double radius() const { return std::hypot(half_length, half_width); }
  Point front() const { return center + along * half_length; }
  double DistanceTo(const Point& point) const;  // 0 inside
};

bool Overlap(const Footprint& a, const Footprint& b);
// Seconds until they first touch if both go on as they are; 0 where they touch already, none where they never
// will.
std::optional<double> TimeToTouch(const Footprint& a, const Footprint& b);

}  // namespace sightline::rules
