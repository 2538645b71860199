#include "simulate/script/footprint.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

double Dot(const Point2& a, const Point2& b) { return a.x * b.x + a.y * b.y; }
Point2 Left(const Point2& a) { return {-a.y, a.x}; }

// Half the extent of a rectangle along an axis.
double Reach(const Footprint& f, const Point2& axis) {
  return f.half_length * std::abs(Dot(f.along, axis)) + f.half_width * std::abs(Dot(Left(f.along), axis));
}

}  // namespace

double Footprint::DistanceTo(const Point2& point) const {
  const Point2 d = {point.x - center.x, point.y - center.y};
  const double u = std::max(0.0, std::abs(Dot(d, along)) - half_length);
  const double v = std::max(0.0, std::abs(Dot(d, Left(along))) - half_width);
  return std::sqrt(u * u + v * v);
}

Footprint FootprintOf(const Actor& actor) {
  Footprint f;
  f.center = actor.position;
  f.along = {Cos(actor.heading), Sin(actor.heading)};
  f.velocity = {f.along.x * actor.speed, f.along.y * actor.speed};
  f.half_length = actor.length / 2;
  f.half_width = actor.width / 2;
  f.radius = std::sqrt(f.half_length * f.half_length + f.half_width * f.half_width);
  return f;
}

bool Overlap(const Footprint& a, const Footprint& b) {
  const Point2 d = {b.center.x - a.center.x, b.center.y - a.center.y};
  for (const Point2& axis : {a.along, Left(a.along), b.along, Left(b.along)}) {
    if (std::abs(Dot(d, axis)) > Reach(a, axis) + Reach(b, axis)) return false;
  }
  return true;
}

// Separating axes: on each the two overlap during one interval of time; they touch where all do.
std::optional<double> TimeToTouch(const Footprint& a, const Footprint& b) {
  const Point2 d = {b.center.x - a.center.x, b.center.y - a.center.y};
  const Point2 v = {b.velocity.x - a.velocity.x, b.velocity.y - a.velocity.y};
  double begin = 0, end = std::numeric_limits<double>::infinity();
  for (const Point2& axis : {a.along, Left(a.along), b.along, Left(b.along)}) {
    const double reach = Reach(a, axis) + Reach(b, axis);
    const double distance = Dot(d, axis), speed = Dot(v, axis);
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

}  // namespace sightline::simulate
