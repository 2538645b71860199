// What the rules of the road are at a place of a layout.
#pragma once

#include <optional>
#include <vector>

#include "simulate/scene/layout.h"
#include "simulate/script/footprint.h"

namespace sightline::simulate {

struct StopLine {
  Point2 point;
  double heading = 0;
  Point2 along;  // unit, in driving direction
  double half_width = 1.6;
  int signal = -1;
  // Metres of a point beyond the line, and to its left.
  double Beyond(const Point2& p) const { return (p.x - point.x) * along.x + (p.y - point.y) * along.y; }
  double Aside(const Point2& p) const { return (p.y - point.y) * along.x - (p.x - point.x) * along.y; }
};

class StreetFacts {
 public:
  explicit StreetFacts(const Layout* layout);  // outlives it
  const Layout& layout() const { return layout_; }
  const std::vector<StopLine>& stop_lines() const { return stop_lines_; }

  // Within the picture, and a metre there is at least a hundredth of the picture's width.
  bool InView(const Point2& point) const;
  bool InIntersection(const Point2& point) const { return Inside(layout_.intersection, point); }
  bool InBay(const Point2& point) const;
  bool OnStreet(const Point2& point) const;  // OnRoad, quicker
  // m/s; none away from lanes and intersection.
  std::optional<double> LimitAt(const Point2& point) const;
  // In a lane whose direction it opposes by more than 120 degrees, and in none that it follows.
  bool AgainstLane(const Point2& point, double heading) const;
  // Where drivers wait for others: 8 m before a stop line, the intersection and 8 m around crosswalks.
  bool AtYieldPlace(const Footprint& vehicle) const;
  const StopLine* LineAhead(const Footprint& vehicle, double within_m) const;
  const Projection& projection() const { return projection_; }

 private:
  struct LaneFacts {
    Point2 low, high;  // of the area
    double heading, limit;
  };
  const Layout& layout_;
  const Projection projection_;
  std::vector<StopLine> stop_lines_;
  std::vector<LaneFacts> lanes_;
  std::vector<Point2> bay_axes_;
  double limit_max_ = 0;
};

}  // namespace sightline::simulate
