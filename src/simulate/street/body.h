// What moving things see of each other: oriented rectangles on the ground.
#pragma once

#include <cmath>
#include <cstdint>

#include "simulate/scene/exact.h"
#include "simulate/scene/scene.h"

namespace sightline::simulate {

struct Body {
  int64_t id = 0;
  ActorKind kind = ActorKind::kCar;
  Point2 position;
  double heading = 0, cos = 1, sin = 0;  // of the heading
  double half_length = 1, half_width = 0.5;
  double speed = 0;
  bool scripted = false;

  void Turn(double new_heading) {
    heading = new_heading;
    cos = Cos(new_heading);
    sin = Sin(new_heading);
  }
  // Whether `point` lies in the rectangle grown by `margin` on all sides.
  bool Covers(const Point2& point, double margin) const {
    const double dx = point.x - position.x, dy = point.y - position.y;
    const double along = dx * cos + dy * sin, across = dy * cos - dx * sin;
    return std::abs(along) < half_length + margin && std::abs(across) < half_width + margin;
  }
  double radius() const { return half_length + half_width; }
};

// Intelligent driver model (Treiber, Hennecke, Helbing 2000), in m/s2: what a driver does who wants to go at
// `wanted` and has `gap` metres to something that moves on at `leader_speed`. A gap without limit: nothing
// ahead.
struct Driver {
  double acceleration = 1.5, braking = 2.0, headway_s = 1.2, distance = 2.0;
};
inline constexpr double kBrakingMax = 8;  // m/s2, when it has to be
inline constexpr double kNoGap = 1e9;
double FollowLeader(const Driver& driver, double speed, double wanted, double gap, double leader_speed);

}  // namespace sightline::simulate
