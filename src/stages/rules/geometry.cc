#include "stages/rules/geometry.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "stages/rules/linear.h"

namespace sightline::rules {
namespace {

using Matrix3 = std::array<double, 9>;

constexpr double kHorizon = 1e-9;
constexpr int kRefinements = 20;

Matrix3 Multiply(const Matrix3& a, const Matrix3& b) {
  Matrix3 c{};
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j)
      c[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
  return c;
}

double Determinant(const Matrix3& m) {
  return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
         m[2] * (m[3] * m[7] - m[4] * m[6]);
}

Matrix3 Inverse(const Matrix3& m) {
  const double d = Determinant(m);
  return {(m[4] * m[8] - m[5] * m[7]) / d, (m[2] * m[7] - m[1] * m[8]) / d, (m[1] * m[5] - m[2] * m[4]) / d,
          (m[5] * m[6] - m[3] * m[8]) / d, (m[0] * m[8] - m[2] * m[6]) / d, (m[2] * m[3] - m[0] * m[5]) / d,
          (m[3] * m[7] - m[4] * m[6]) / d, (m[1] * m[6] - m[0] * m[7]) / d, (m[0] * m[4] - m[1] * m[3]) / d};
}

double Weight(const Matrix3& m, const Point& p) { return m[6] * p.x + m[7] * p.y + m[8]; }

Point Apply(const Matrix3& m, const Point& p) {
  const double w = Weight(m, p);
  return {(m[0] * p.x + m[1] * p.y + m[2]) / w, (m[3] * p.x + m[4] * p.y + m[5]) / w};
}

// Moves the points' middle to the origin and their mean distance to the square root of 2 (Hartley 1997).
std::optional<Matrix3> Normaliser(const std::vector<Point>& points) {
  Point middle;
  for (const Point& p : points) middle.x += p.x, middle.y += p.y;
  middle.x /= static_cast<double>(points.size()), middle.y /= static_cast<double>(points.size());
  double distance = 0;
  for (const Point& p : points) distance += std::hypot(p.x - middle.x, p.y - middle.y);
  distance /= static_cast<double>(points.size());
  if (!(distance > 1e-9) || !std::isfinite(distance)) return std::nullopt;
  const double s = std::sqrt(2.0) / distance;
  return Matrix3{s, 0, -s * middle.x, 0, s, -s * middle.y, 0, 0, 1};
}

// Whether some four of the points have no three in line: a plane's map needs that. `points` are normalised.
bool Spread(const std::vector<Point>& points) {
  // The narrowest the points get, in any direction, when any one of them is left out.
  for (size_t skip = 0; skip < points.size(); ++skip) {
    double sx = 0, sy = 0, n = 0;
    for (size_t i = 0; i < points.size(); ++i)
      if (i != skip) sx += points[i].x, sy += points[i].y, n += 1;
    double xx = 0, xy = 0, yy = 0;
    for (size_t i = 0; i < points.size(); ++i) {
      if (i == skip) continue;
      const double dx = points[i].x - sx / n, dy = points[i].y - sy / n;
      xx += dx * dx, xy += dx * dy, yy += dy * dy;
    }
    const double least = (xx + yy) / 2 - std::hypot((xx - yy) / 2, xy);
    if (least / n < 1e-4) return false;
  }
  return true;
}

double SquaredError(const Matrix3& to_pixel, const std::vector<Homography::Pair>& pairs) {
  double sum = 0;
  for (const auto& pair : pairs) {
    const Point p = Apply(to_pixel, pair.metres);
    const double dx = p.x - pair.pixel.x, dy = p.y - pair.pixel.y;
    sum += dx * dx + dy * dy;
  }
  return std::isfinite(sum) ? sum : 1e300;
}

// Levenberg and Marquardt on the reprojection error; the last entry stays 1 (normalised coordinates).
Matrix3 Refine(Matrix3 m, const std::vector<Homography::Pair>& pairs) {
  double error = SquaredError(m, pairs), damping = 1e-3;
  for (int round = 0; round < kRefinements && damping < 1e6; ++round) {
    std::array<double, 64> normal{};
    std::array<double, 8> right{};
    for (const auto& pair : pairs) {
      const double x = pair.metres.x, y = pair.metres.y, w = Weight(m, pair.metres);
      const Point p = Apply(m, pair.metres);
      const double rows[2][8] = {{x / w, y / w, 1 / w, 0, 0, 0, -p.x * x / w, -p.x * y / w},
                                 {0, 0, 0, x / w, y / w, 1 / w, -p.y * x / w, -p.y * y / w}};
      const double residuals[2] = {pair.pixel.x - p.x, pair.pixel.y - p.y};
      for (size_t r = 0; r < 2; ++r) {
        for (size_t i = 0; i < 8; ++i) {
          right[i] += rows[r][i] * residuals[r];
          for (size_t j = 0; j < 8; ++j) normal[8 * i + j] += rows[r][i] * rows[r][j];
        }
      }
    }
    for (size_t i = 0; i < 8; ++i) normal[9 * i] *= 1 + damping;
    Matrix3 next = m;
    if (!Solve<8>(normal, &right)) break;
    for (size_t i = 0; i < 8; ++i) next[i] += right[i];
    const double next_error = SquaredError(next, pairs);
    if (next_error < error) {
      const bool done = error - next_error < 1e-14 * error;
      m = next, error = next_error, damping /= 10;
      if (done) break;
    } else {
      damping *= 10;
    }
  }
  return m;
}

}  // namespace

absl::StatusOr<Homography> Homography::Fit(const std::vector<Pair>& pairs) {
  if (pairs.size() < 4)
    return absl::InvalidArgumentError(fmt::format("{} points: at least 4 are needed", pairs.size()));
  std::vector<Point> pixels, metres;
  for (const Pair& pair : pairs) {
    for (const double v : {pair.pixel.x, pair.pixel.y, pair.metres.x, pair.metres.y})
      if (!std::isfinite(v) || std::abs(v) > 1e7)
        return absl::InvalidArgumentError("a coordinate is not a number of a sensible size");
    pixels.push_back(pair.pixel);
    metres.push_back(pair.metres);
  }
  const auto in_picture = Normaliser(pixels), on_ground = Normaliser(metres);
  if (!in_picture || !on_ground) return absl::InvalidArgumentError("the points are all one");
  std::vector<Pair> normal;
  for (size_t i = 0; i < pairs.size(); ++i) {
    pixels[i] = Apply(*in_picture, pixels[i]);
    metres[i] = Apply(*on_ground, metres[i]);
    normal.push_back({pixels[i], metres[i]});
  }
  if (!Spread(pixels) || !Spread(metres))
    return absl::InvalidArgumentError(
        "the points lie nearly in line: at least 4 are needed of which no 3 are in line");
  // The direct linear transform with its last entry at 1, which holds as the middle of the points is in view
  // and has been moved to the origin.
  std::array<double, 64> matrix{};
  std::array<double, 8> right{};
  for (const Pair& pair : normal) {
    const double x = pair.metres.x, y = pair.metres.y;
    const double rows[2][8] = {{x, y, 1, 0, 0, 0, -pair.pixel.x * x, -pair.pixel.x * y},
                               {0, 0, 0, x, y, 1, -pair.pixel.y * x, -pair.pixel.y * y}};
    const double values[2] = {pair.pixel.x, pair.pixel.y};
    for (size_t r = 0; r < 2; ++r) {
      for (size_t i = 0; i < 8; ++i) {
        right[i] += rows[r][i] * values[r];
        for (size_t j = 0; j < 8; ++j) matrix[8 * i + j] += rows[r][i] * rows[r][j];
      }
    }
  }
  if (!Solve<8>(matrix, &right)) return absl::InvalidArgumentError("the points do not fix the ground plane");
  Matrix3 fit{right[0], right[1], right[2], right[3], right[4], right[5], right[6], right[7], 1};
  fit = Refine(fit, normal);
  Homography result;
  result.to_pixel_ = Multiply(Inverse(*in_picture), Multiply(fit, *on_ground));
  // All points lie on one side of the horizon: the side with a positive weight.
  double sign = 0;
  for (const Pair& pair : pairs) {
    const double w = Weight(result.to_pixel_, pair.metres);
    if (sign == 0) sign = w;
    if (!(w * sign > 0))
      return absl::InvalidArgumentError("the points contradict each other: some would be behind the camera");
  }
  if (sign < 0)
    for (double& entry : result.to_pixel_) entry = -entry;
  if (!(std::abs(Determinant(fit)) > 1e-9))
    return absl::InvalidArgumentError("the points do not fix a plane");
  result.to_ground_ = Inverse(result.to_pixel_);
  for (const double entry : result.to_ground_)
    if (!std::isfinite(entry)) return absl::InvalidArgumentError("the points do not fix a plane");
  // Where the ground is, its inverse has the same sign of weight: that of the middle of the pixels.
  result.error_px_ = std::sqrt(SquaredError(result.to_pixel_, pairs) / static_cast<double>(pairs.size()));
  if (Weight(result.to_ground_, pairs.front().pixel) < 0)
    for (double& entry : result.to_ground_) entry = -entry;
  return result;
}

std::optional<Point> Homography::ToGround(const Point& pixel) const {
  const double w = Weight(to_ground_, pixel);
  if (!(w > kHorizon)) return std::nullopt;
  const Point ground = Apply(to_ground_, pixel);
  if (!std::isfinite(ground.x) || !std::isfinite(ground.y)) return std::nullopt;
  return ground;
}

Point Homography::ToPixel(const Point& metres) const {
  const double w = Weight(to_pixel_, metres);
  // Behind the camera there are no pixels: far away on the same side is the nearest to the truth.
  Matrix3 m = to_pixel_;
  if (!(w > kHorizon)) m[8] += kHorizon - w;
  return Apply(m, metres);
}

Point Homography::MetresPerPixel(const Point& pixel) const {
  const Matrix3& m = to_ground_;
  const double w = std::max(Weight(m, pixel), kHorizon);
  const double x = (m[0] * pixel.x + m[1] * pixel.y + m[2]) / w,
               y = (m[3] * pixel.x + m[4] * pixel.y + m[5]) / w;
  return {std::hypot((m[0] - x * m[6]) / w, (m[1] - x * m[7]) / w),
          std::hypot((m[3] - y * m[6]) / w, (m[4] - y * m[7]) / w)};
}

Homography Homography::Scaled(double by_x, double by_y) const {
  Homography scaled = *this;
  scaled.to_pixel_ = Multiply({by_x, 0, 0, 0, by_y, 0, 0, 0, 1}, to_pixel_);
  scaled.to_ground_ = Multiply(to_ground_, {1 / by_x, 0, 0, 0, 1 / by_y, 0, 0, 0, 1});
  scaled.error_px_ = error_px_ * std::sqrt(std::abs(by_x * by_y));
  return scaled;
}

SceneGeometry SceneGeometry::Scaled(Size size) const {
  if (picture.empty() || size.empty() || picture == size) return *this;
  const double by_x = static_cast<double>(size.width) / picture.width,
               by_y = static_cast<double>(size.height) / picture.height;
  SceneGeometry scaled = *this;
  scaled.picture = size;
  for (Zone& zone : scaled.zones)
    for (Point& point : zone.polygon) point = {point.x * by_x, point.y * by_y};
  for (Line& line : scaled.lines) {
    line.from = {line.from.x * by_x, line.from.y * by_y};
    line.to = {line.to.x * by_x, line.to.y * by_y};
  }
  if (ground) scaled.ground = ground->Scaled(by_x, by_y);
  return scaled;
}

const SceneGeometry::Zone* SceneGeometry::FindZone(std::string_view name) const {
  for (const Zone& zone : zones)
    if (zone.name == name) return &zone;
  return nullptr;
}

const SceneGeometry::Line* SceneGeometry::FindLine(std::string_view name) const {
  for (const Line& line : lines)
    if (line.name == name) return &line;
  return nullptr;
}

}  // namespace sightline::rules
