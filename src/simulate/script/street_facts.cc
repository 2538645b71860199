#include "simulate/script/street_facts.h"

#include <algorithm>
#include <cmath>

#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

constexpr double kMetreMin = 0.01;  // of the picture's width
constexpr double kYield = 8;        // metres
constexpr double kBayLength = 6, kBayWidth = 2.2;

}  // namespace

StreetFacts::StreetFacts(const Layout* layout) : layout_(*layout), projection_(layout->camera) {
  for (const Route& route : layout_.routes) {
    limit_max_ = route.bicycles_only ? limit_max_ : std::max(limit_max_, route.speed_max);
    if (route.stop_s < 0) continue;
    const Path::Pose pose = route.path.At(route.stop_s);
    StopLine line;
    line.point = pose.point;
    line.heading = pose.heading;
    line.along = {Cos(pose.heading), Sin(pose.heading)};
    line.signal = route.signal;
    line.half_width = route.bicycles_only ? 0.8 : 1.6;
    const bool known = std::any_of(stop_lines_.begin(), stop_lines_.end(), [&](const StopLine& other) {
      return std::abs(other.Beyond(line.point)) < 0.5 && std::abs(other.Aside(line.point)) < 0.5;
    });
    if (!known) stop_lines_.push_back(line);
  }
  for (const Lane& lane : layout_.lanes) {
    LaneFacts facts{lane.area.front(), lane.area.front(), lane.center.At(lane.center.length() / 2).heading,
                    0};
    for (const Point2& p : lane.area) {
      facts.low = {std::min(facts.low.x, p.x), std::min(facts.low.y, p.y)};
      facts.high = {std::max(facts.high.x, p.x), std::max(facts.high.y, p.y)};
    }
    for (const Route& route : layout_.routes) {
      if (!route.bicycles_only && (lane.incoming ? route.from_arm : route.to_arm) == lane.arm)
        facts.limit = std::max(facts.limit, route.speed_max);
    }
    lanes_.push_back(facts);
  }
  for (const ParkingBay& bay : layout_.bays) bay_axes_.push_back({Cos(bay.heading), Sin(bay.heading)});
}

bool StreetFacts::InView(const Point2& point) const {
  const auto pixel = projection_.Project({point.x, point.y, 0});
  const Camera& camera = projection_.camera();
  return pixel && pixel->x >= 0 && pixel->y >= 0 && pixel->x < camera.size.width &&
         pixel->y < camera.size.height && camera.focal_px / pixel->depth >= kMetreMin * camera.size.width;
}

bool StreetFacts::OnStreet(const Point2& point) const { return OnRoad(layout_, point); }

bool StreetFacts::InBay(const Point2& point) const {
  for (size_t i = 0; i < layout_.bays.size(); ++i) {
    const double dx = point.x - layout_.bays[i].center.x, dy = point.y - layout_.bays[i].center.y;
    const Point2& along = bay_axes_[i];
    if (std::abs(dx * along.x + dy * along.y) <= kBayLength / 2 &&
        std::abs(dy * along.x - dx * along.y) <= kBayWidth / 2)
      return true;
  }
  return false;
}

std::optional<double> StreetFacts::LimitAt(const Point2& point) const {
  std::optional<double> limit;
  for (size_t i = 0; i < lanes_.size(); ++i) {
    const LaneFacts& lane = lanes_[i];
    if (point.x < lane.low.x || point.y < lane.low.y || point.x > lane.high.x || point.y > lane.high.y)
      continue;
    if (lane.limit > 0 && Inside(layout_.lanes[i].area, point))
      limit = std::max(limit.value_or(0), lane.limit);
  }
  if (!limit && limit_max_ > 0 && InIntersection(point)) return limit_max_;
  return limit;
}

bool StreetFacts::AgainstLane(const Point2& point, double heading) const {
  bool against = false;
  for (size_t i = 0; i < lanes_.size(); ++i) {
    const LaneFacts& lane = lanes_[i];
    if (point.x < lane.low.x || point.y < lane.low.y || point.x > lane.high.x || point.y > lane.high.y)
      continue;
    if (!Inside(layout_.lanes[i].area, point)) continue;
    const double angle = std::abs(WrapAngle(heading - lane.heading));
    if (angle < kPi / 3) return false;
    against = against || angle > 2 * kPi / 3;
  }
  return against && !InIntersection(point);
}

const StopLine* StreetFacts::LineAhead(const Footprint& vehicle, double within_m) const {
  const Point2 front = vehicle.front();
  for (const StopLine& line : stop_lines_) {
    const double beyond = line.Beyond(front);
    if (beyond > 1.5 || beyond < -within_m || std::abs(line.Aside(front)) > line.half_width + 0.3) continue;
    if (line.along.x * vehicle.along.x + line.along.y * vehicle.along.y > 0.7) return &line;
  }
  return nullptr;
}

bool StreetFacts::AtYieldPlace(const Footprint& vehicle) const {
  return LineAhead(vehicle, kYield) != nullptr || InIntersection(vehicle.center) ||
         InIntersection(vehicle.front()) || OnCrosswalk(layout_, vehicle.center, kYield);
}

}  // namespace sightline::simulate
