#include "simulate/scene/camera.h"

#include <cmath>

#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {
constexpr double kNear = 0.1;
}

std::array<std::array<double, 3>, 3> Camera::Rotation() const {
  const double cy = Cos(yaw), sy = Sin(yaw), cp = Cos(pitch), sp = Sin(pitch), cr = Cos(roll), sr = Sin(roll);
  const std::array<double, 3> forward = {cy * cp, sy * cp, -sp};
  const std::array<double, 3> right = {sy, -cy, 0};
  // forward x right points down in the image.
  const std::array<double, 3> down = {forward[1] * right[2] - forward[2] * right[1],
                                      forward[2] * right[0] - forward[0] * right[2],
                                      forward[0] * right[1] - forward[1] * right[0]};
  std::array<std::array<double, 3>, 3> rows{};
  for (size_t i = 0; i < 3; ++i) {
    rows[0][i] = cr * right[i] + sr * down[i];
    rows[1][i] = cr * down[i] - sr * right[i];
    rows[2][i] = forward[i];
  }
  return rows;
}

Projection::Projection(const Camera& camera) : camera_(camera), rotation_(camera.Rotation()) {}

Point3 Projection::ToCamera(const Point3& point) const {
  const double dx = point.x - camera_.position.x, dy = point.y - camera_.position.y,
               dz = point.z - camera_.position.z;
  const auto along = [&](const std::array<double, 3>& row) {
    return row[0] * dx + row[1] * dy + row[2] * dz;
  };
  return {along(rotation_[0]), along(rotation_[1]), along(rotation_[2])};
}

std::optional<Camera::Projected> Projection::Project(const Point3& point) const {
  const Point3 p = ToCamera(point);
  if (p.z < kNear) return std::nullopt;
  return Camera::Projected{camera_.focal_px * p.x / p.z + camera_.size.width / 2.0,
                           camera_.focal_px * p.y / p.z + camera_.size.height / 2.0, p.z};
}

std::optional<Point2> Projection::Ground(double x, double y) const {
  const double u = (x - camera_.size.width / 2.0) / camera_.focal_px;
  const double v = (y - camera_.size.height / 2.0) / camera_.focal_px;
  const auto along = [&](size_t i) { return u * rotation_[0][i] + v * rotation_[1][i] + rotation_[2][i]; };
  const double dz = along(2);
  if (dz > -1e-6) return std::nullopt;
  const double t = -camera_.position.z / dz;
  return Point2{camera_.position.x + t * along(0), camera_.position.y + t * along(1)};
}

std::array<double, 9> Projection::GroundHomography() const {
  std::array<double, 9> h{};
  const std::array<double, 3> center = {camera_.size.width / 2.0, camera_.size.height / 2.0, 1};
  for (size_t row = 0; row < 3; ++row) {
    for (size_t column = 0; column < 3; ++column) {
      const auto entry = [&](size_t axis) {
        if (column < 2) return rotation_[axis][column];
        return -(rotation_[axis][0] * camera_.position.x + rotation_[axis][1] * camera_.position.y +
                 rotation_[axis][2] * camera_.position.z);
      };
      h[row * 3 + column] = row < 2 ? camera_.focal_px * entry(row) + center[row] * entry(2) : entry(2);
    }
  }
  if (h[8] != 0) {
    const double last = h[8];
    for (double& entry : h) entry /= last;
  }
  return h;
}

}  // namespace sightline::simulate
