#include "simulate/script/picture_shape.h"

#include "base/text.h"

namespace sightline::simulate {
namespace {

constexpr double kNear = 0.5;  // metres before the camera: what is nearer is cut off polygons

// What is left of a polygon on the side where inside(p) >= 0 (Sutherland and Hodgman 1974).
template <typename P, typename Inside, typename Between>
std::vector<P> Cut(const std::vector<P>& polygon, bool closed, Inside inside, Between between) {
  std::vector<P> kept;
  for (size_t i = 0; i < polygon.size(); ++i) {
    const P& b = polygon[i];
    if (closed || i > 0) {
      const P& a = polygon[i > 0 ? i - 1 : polygon.size() - 1];
      const double da = inside(a), db = inside(b);
      if ((da >= 0) != (db >= 0)) kept.push_back(between(a, b, da / (da - db)));
    }
    if (inside(b) >= 0) kept.push_back(b);
  }
  return kept;
}

}  // namespace

std::string Fixed(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.front() == '-' && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

Polygon InPicture(const Projection& projection, const Polygon& ground, bool closed, double far_m) {
  std::vector<Point3> camera;
  for (const Point2& p : ground) camera.push_back(projection.ToCamera({p.x, p.y, 0}));
  camera = Cut(
      camera, closed, [](const Point3& p) { return p.z - kNear; },
      [](const Point3& a, const Point3& b, double t) {
        return Point3{a.x + t * (b.x - a.x), a.y + t * (b.y - a.y), a.z + t * (b.z - a.z)};
      });
  camera = Cut(
      camera, closed, [far_m](const Point3& p) { return far_m - p.z; },
      [](const Point3& a, const Point3& b, double t) {
        return Point3{a.x + t * (b.x - a.x), a.y + t * (b.y - a.y), a.z + t * (b.z - a.z)};
      });
  const Camera& c = projection.camera();
  const double w = c.size.width, h = c.size.height;
  Polygon pixels;
  for (const Point3& p : camera)
    pixels.push_back({c.focal_px * p.x / p.z + w / 2, c.focal_px * p.y / p.z + h / 2});
  const auto between = [](const Point2& a, const Point2& b, double t) {
    return Point2{a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
  };
  pixels = Cut(
      pixels, closed, [](const Point2& p) { return p.x; }, between);
  pixels = Cut(
      pixels, closed, [w](const Point2& p) { return w - p.x; }, between);
  pixels = Cut(
      pixels, closed, [](const Point2& p) { return p.y; }, between);
  return Cut(
      pixels, closed, [h](const Point2& p) { return h - p.y; }, between);
}

}  // namespace sightline::simulate
