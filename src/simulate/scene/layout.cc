#include "simulate/scene/layout.h"

#include <cmath>

#include "base/check.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

double Distance(const Point2& a, const Point2& b) {
  return std::sqrt((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y));
}

double DistanceToSegment(const Point2& p, const Point2& a, const Point2& b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double square = dx * dx + dy * dy;
  const double t = square > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / square : 0;
  const double along = t < 0 ? 0 : t > 1 ? 1 : t;
  return Distance(p, {a.x + along * dx, a.y + along * dy});
}

}  // namespace

Path::Path(std::vector<Point2> points) : points_(std::move(points)) {
  CHECK(points_.size() >= 2) << "a path has a beginning and an end";
  stations_.push_back(0);
  for (size_t i = 1; i < points_.size(); ++i)
    stations_.push_back(stations_.back() + Distance(points_[i - 1], points_[i]));
}

Path::Pose Path::At(double s) const {
  size_t i = 1;
  if (s > 0) {
    size_t low = 1, high = points_.size() - 1;  // the first point at or beyond s
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (stations_[middle] < s) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    i = low;
  }
  const Point2 &a = points_[i - 1], &b = points_[i];
  const double length = stations_[i] - stations_[i - 1];
  const double t = (s - stations_[i - 1]) / length;
  return {{a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)}, Atan2(b.y - a.y, b.x - a.x)};
}

SignalColor ColorAt(const Signal& signal, double time_s) {
  double t = time_s - signal.green_begin_s;
  t -= signal.cycle_s * Floor(t / signal.cycle_s);
  if (t < signal.green_s) return SignalColor::kGreen;
  return t < signal.green_s + signal.amber_s ? SignalColor::kAmber : SignalColor::kRed;
}

bool Inside(const Polygon& polygon, const Point2& point) {
  bool inside = false;
  for (size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++) {
    const Point2 &a = polygon[i], &b = polygon[j];
    if ((a.y > point.y) == (b.y > point.y)) continue;
    if (point.x < (b.x - a.x) * (point.y - a.y) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}

bool OnRoad(const Layout& layout, const Point2& point) {
  for (const Polygon& island : layout.islands) {
    if (Inside(island, point)) return false;
  }
  for (const Polygon& road : layout.roads) {
    if (Inside(road, point)) return true;
  }
  return false;
}

bool OnCrosswalk(const Layout& layout, const Point2& point, double margin_m) {
  for (const Crosswalk& crosswalk : layout.crosswalks) {
    if (Inside(crosswalk.area, point)) return true;
    if (margin_m <= 0) continue;
    for (size_t i = 0, j = crosswalk.area.size() - 1; i < crosswalk.area.size(); j = i++) {
      if (DistanceToSegment(point, crosswalk.area[j], crosswalk.area[i]) <= margin_m) return true;
    }
  }
  return false;
}

}  // namespace sightline::simulate
