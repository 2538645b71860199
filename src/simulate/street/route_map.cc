#include "simulate/street/route_map.h"

#include <algorithm>
#include <cmath>

#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

constexpr double kSideways = 2.4;    // m/s2 that passengers bear in a curve
constexpr double kBraking = 1.6;     // m/s2 before it
constexpr double kClose = 2.7;       // metres between centre lines: bodies could touch
constexpr double kCloseTurning = 4;  // where long ones swing out

std::vector<double> Speeds(const Route& route) {
  const auto count = static_cast<size_t>(route.path.length()) + 2;
  std::vector<double> speeds(count, route.speed_max);
  for (size_t i = 0; i < count; ++i) {
    const auto s = static_cast<double>(i);
    const double turn = WrapAngle(route.path.At(s + 2).heading - route.path.At(s - 2).heading);
    const double curvature = std::abs(turn) / 4;
    if (curvature > 1e-3) speeds[i] = std::min(speeds[i], std::max(2.5, std::sqrt(kSideways / curvature)));
  }
  for (size_t i = count - 1; i-- > 0;)
    speeds[i] = std::min(speeds[i], std::sqrt(speeds[i + 1] * speeds[i + 1] + 2 * kBraking));
  return speeds;
}

// Who waits, where two routes of different arms meet: those that turn left for those that come towards them,
// and left for right where both end in the same arm. Arms with different signals are kept apart by them.
bool Yields(const Route& a, const Route& b) {
  if (a.bicycles_only != b.bicycles_only && a.from_arm == b.from_arm) return !a.bicycles_only && a.turn < 0;
  if (a.turn != b.turn) return a.turn > b.turn || (a.turn < 0 && b.turn == 0);
  return false;
}

}  // namespace

RouteMap::RouteMap(const Layout& layout) {
  const size_t n = layout.routes.size();
  speeds_.resize(n);
  conflicts_.resize(n);
  crossings_.resize(n);
  std::vector<std::vector<Point2>> inside(n);  // points on the routes, a metre apart, within the intersection
  for (size_t i = 0; i < n; ++i) {
    const Route& route = layout.routes[i];
    speeds_[i] = Speeds(route);
    for (double s = route.enter_s - 4; s <= route.leave_s + 10; s += 1)
      inside[i].push_back(route.path.At(s).point);
    for (size_t c = 0; c < layout.crosswalks.size(); ++c) {
      Crossing crossing{static_cast<int>(c), -1, -1};
      for (double s = route.stop_s; s <= route.leave_s + 12; s += 0.25) {
        if (!Inside(layout.crosswalks[c].area, route.path.At(s).point)) continue;
        if (crossing.begin_s < 0) crossing.begin_s = s;
        crossing.end_s = s;
      }
      if (crossing.begin_s >= 0) crossings_[i].push_back(crossing);
    }
  }
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      const Route &a = layout.routes[i], &b = layout.routes[j];
      if (i == j || (a.from_arm == b.from_arm && a.bicycles_only == b.bicycles_only)) continue;
      const double close =
          a.turn != 0 && b.turn != 0 && !a.bicycles_only && !b.bicycles_only ? kCloseTurning : kClose;
      Conflict conflict{static_cast<int>(j), 1e9, -1, 1e9, -1, Yields(a, b)};
      for (size_t p = 0; p < inside[i].size(); ++p) {
        for (size_t q = 0; q < inside[j].size(); ++q) {
          const double dx = inside[i][p].x - inside[j][q].x, dy = inside[i][p].y - inside[j][q].y;
          if (dx * dx + dy * dy > close * close) continue;
          const double s = a.enter_s - 4 + static_cast<double>(p), t = b.enter_s - 4 + static_cast<double>(q);
          conflict.begin_s = std::min(conflict.begin_s, s);
          conflict.end_s = std::max(conflict.end_s, s);
          conflict.other_begin_s = std::min(conflict.other_begin_s, t);
          conflict.other_end_s = std::max(conflict.other_end_s, t);
        }
      }
      if (conflict.end_s >= 0) conflicts_[i].push_back(conflict);
    }
  }
}

double RouteMap::SpeedAt(int route, double s) const {
  const std::vector<double>& speeds = speeds_[static_cast<size_t>(route)];
  if (s <= 0) return speeds.front();
  const auto i = static_cast<size_t>(s);
  return i < speeds.size() ? speeds[i] : speeds.back();
}

}  // namespace sightline::simulate
