// Where things are in a camera's picture, and on the ground before it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "data/geometry.h"

namespace sightline::rules {

struct Point {
  double x = 0, y = 0;
  bool operator==(const Point&) const = default;
};
using Polygon = std::vector<Point>;

// From the picture (pixels) to the ground (metres, any origin) and back.
class Homography {
 public:
  struct Pair {
    Point pixel, metres;
  };
  // From four or more pairs that are not in line: least squares (normalised DLT, then refined on pixels).
  static absl::StatusOr<Homography> Fit(const std::vector<Pair>& pairs);
  std::optional<Point> ToGround(const Point& pixel) const;  // none at and above the horizon
  Point ToPixel(const Point& metres) const;
  double error_px() const { return error_px_; }  // root mean square of the reprojection
  // Metres that one pixel covers about this point: standard deviations in x and y for an error of 1 pixel.
  Point MetresPerPixel(const Point& pixel) const;
  // For the same picture at another size: pixels times these.
  Homography Scaled(double by_x, double by_y) const;
  // Row by row, from (x, y, 1) in metres to pixels; the weight (last row) is above 0 before the camera.
  const std::array<double, 9>& to_pixel() const { return to_pixel_; }

 private:
  std::array<double, 9> to_ground_{}, to_pixel_{};
  double error_px_ = 0;
};

// All coordinates in source pixels of a picture of `picture` size. When the stream's size differs, Scaled()
// fits it.
struct SceneGeometry {
  Size picture;
  struct Zone {
    std::string name;
    Polygon polygon;
    std::optional<double>
        heading_deg;  // direction of travel over ground or, without homography, in the picture
  };
  struct Line {
    std::string name;
    Point from, to;  // forward: from its left to its right side, looking from `from` to `to`
  };
  std::vector<Zone> zones;
  std::vector<Line> lines;
  std::optional<Homography> ground;

  SceneGeometry Scaled(Size picture) const;
  const Zone* FindZone(std::string_view name) const;
  const Line* FindLine(std::string_view name) const;
};

}  // namespace sightline::rules
