// A pinhole camera without distortion that looks down on the street.
#pragma once

#include <array>
#include <optional>

#include "simulate/scene/scene.h"

namespace sightline::simulate {

// Pixels are continuous: the first covers [0, 1); x to the right, y down.
struct Camera {
  Size size{640, 360};
  double focal_px = 550;  // for `size`
  Point3 position;        // metres
  double yaw = 0;         // where it looks, counter-clockwise from +x
  double pitch = 0;       // below the horizon, positive looks down
  double roll = 0;

  struct Projected {
    double x = 0, y = 0;  // pixels
    double depth = 0;     // metres along the optical axis, > 0
  };
  // Rows of the rotation from world to camera axes (right, down, forward).
  std::array<std::array<double, 3>, 3> Rotation() const;
};

// A camera with its matrix worked out. Value type.
class Projection {
 public:
  explicit Projection(const Camera& camera);
  // None at or behind the plane 0.1 m before the camera.
  std::optional<Camera::Projected> Project(const Point3& point) const;
  Point3 ToCamera(const Point3& point) const;  // right, down, forward in metres
  // Where the ray through a pixel meets the ground (z = 0); none at or above the horizon.
  std::optional<Point2> Ground(double x, double y) const;
  // Row-major 3x3 from ground metres (x, y, 1) to pixels, scaled so that the last entry is 1 where it is not
  // 0.
  std::array<double, 9> GroundHomography() const;
  const Camera& camera() const { return camera_; }

 private:
  Camera camera_;
  std::array<std::array<double, 3>, 3> rotation_;
};

}  // namespace sightline::simulate
