#include "stages/rules/motion/shape.h"

#include <algorithm>
#include <limits>

namespace sightline::rules {
namespace {

Point Left(const Point& a) { return {-a.y, a.x}; }

// Half the extent of a rectangle along an axis.
double Reach(const Footprint& f, const Point& axis) {
  return f.half_length * std::abs(Dot(f.along, axis)) + f.half_width * std::abs(Dot(Left(f.along), axis));
}

}  // namespace

bool Inside(const Polygon& polygon, const Point& point) {
  bool inside = false;
  for (size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++) {
    const Point &a = polygon[i], &b = polygon[j];
    if ((a.y > point.y) != (b.y > point.y) && point.x < (b.x - a.x) * (point.y - a.y) / (b.y - a.y) + a.x)
      inside = !inside;
  }
  return inside;
}

std::optional<double> Crossing(const Point& a, const Point& b, const Point& c, const Point& d) {
  const Point r = b - a, s = d - c;
  const double cross = Cross(r, s);
  if (std::abs(cross) < 1e-12) return std::nullopt;
  const double t = Cross(c - a, s) / cross, u = Cross(c - a, r) / cross;
  if (!(t >= 0 && t <= 1 && u >= 0 && u <= 1)) return std::nullopt;
  return t;
}

double Footprint::DistanceTo(const Point& point) const {
  const Point d = point - center;
  return std::hypot(std::max(0.0, std::abs(Dot(d, along)) - half_length),
                    std::max(0.0, std::abs(Dot(d, Left(along))) - half_width));
}

bool Overlap(const Footprint& a, const Footprint& b) {
  const Point d = b.center - a.center;
  for (const Point& axis : {a.along, Left(a.along), b.along, Left(b.along)})
    if (std::abs(Dot(d, axis)) > Reach(a, axis) + Reach(b, axis)) return false;
  return true;
}

// Separating axes: on each the two overlap during one interval of time; they touch where all do.
std::optional<double> TimeToTouch(const Footprint& a, const Footprint& b) {
  const Point d = b.center - a.center, v = b.velocity - a.velocity;
  double begin = 0, end = std::numeric_limits<double>::infinity();
  for (const Point& axis : {a.along, Left(a.along), b.along, Left(b.along)}) {
    const double reach = Reach(a, axis) + Reach(b, axis), distance = Dot(d, axis), speed = Dot(v, axis);
    if (std::abs(speed) < 1e-9) {
      if (std::abs(distance) > reach) return std::nullopt;
      continue;
    }
    const double one = (-reach - distance) / speed, two = (reach - distance) / speed;
    begin = std::max(begin, std::min(one, two));
    end = std::min(end, std::max(one, two));
    if (begin > end) return std::nullopt;
  }
  return begin;
}

}  // namespace sightline::rules
