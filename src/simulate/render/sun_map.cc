#include "simulate/render/sun_map.h"

#include <algorithm>

#include "simulate/render/raster.h"

namespace sightline::simulate {
namespace {

constexpr int kSide = 1024;
constexpr float kNothing = -1e9f, kBias = 0.25f;  // metres

}  // namespace

void SunMap::Build(const Vector3& to_sun, const std::vector<Mesh>& surroundings, double extent_m) {
  to_sun_ = to_sun;
  right_ = Unit({-to_sun.y, to_sun.x, 0});
  up_ = {to_sun.y * right_.z - to_sun.z * right_.y, to_sun.z * right_.x - to_sun.x * right_.z,
         to_sun.x * right_.y - to_sun.y * right_.x};
  scale_ = static_cast<float>(kSide / (2 * std::min(extent_m, 110.0)));
  nearest_.assign(static_cast<size_t>(kSide) * kSide, kNothing);
  const auto corner = [&](const Vertex& v) {
    const Vector3 p{v.x, v.y, v.z};
    return Corner{static_cast<double>(Dot(p, right_) * scale_) + kSide / 2.0,
                  static_cast<double>(Dot(p, up_) * scale_) + kSide / 2.0,
                  static_cast<double>(Dot(p, to_sun_))};
  };
  const GridBounds bounds{0, 0, kSide, kSide};
  for (const Mesh& mesh : surroundings) {
    for (const Triangle& t : mesh.triangles) {
      FillTriangle(corner(mesh.vertices[t.corners[0]]), corner(mesh.vertices[t.corners[1]]),
                   corner(mesh.vertices[t.corners[2]]), bounds,
                   [&](int y, int x_begin, int x_end, double value, double step) {
                     float* row = &nearest_[static_cast<size_t>(y) * kSide];
                     for (int x = x_begin; x < x_end; ++x, value += step)
                       row[x] = std::max(row[x], static_cast<float>(value));
                   });
    }
  }
  built_ = true;
}

float SunMap::Sunlit(const Vector3& point) const {
  if (!built_) return 1;
  const float x = Dot(point, right_) * scale_ + kSide / 2.0f - 0.5f,
              y = Dot(point, up_) * scale_ + kSide / 2.0f - 0.5f;
  if (!(x >= 0 && y >= 0 && x < kSide - 1 && y < kSide - 1)) return 1;
  const auto column = static_cast<size_t>(x), row = static_cast<size_t>(y);
  const float fx = x - static_cast<float>(column), fy = y - static_cast<float>(row);
  const float depth = Dot(point, to_sun_) + kBias;
  const float* cell = &nearest_[row * kSide + column];
  const auto lit = [&](size_t offset) { return cell[offset] > depth ? 0.f : 1.f; };
  const float upper = lit(0) * (1 - fx) + lit(1) * fx, lower = lit(kSide) * (1 - fx) + lit(kSide + 1) * fx;
  return upper * (1 - fy) + lower * fy;
}

}  // namespace sightline::simulate
