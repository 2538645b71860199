// A mesh put into the world and before the camera, and its triangles on the screen. Exact arithmetic alone:
// the truth goes through here, too.
#pragma once

#include <array>
#include <vector>

#include "simulate/models/mesh.h"
#include "simulate/render/raster.h"

namespace sightline::simulate {

inline constexpr double kNearPlane = 0.1;  // metres

// From camera axes to a grid of samples.
struct Canvas {
  double focal = 0, center_x = 0, center_y = 0;
  int width = 0, height = 0;
  Corner ToCorner(const Point3& p) const {
    const double inverse = 1 / p.z;
    return {center_x + focal * p.x * inverse, center_y + focal * p.y * inverse, inverse};
  }
};

// The part of a polygon of 3 corners before the near plane: 0, 3 or 4 corners.
struct ClippedTriangle {
  std::array<Point3, 4> corners;
  int count = 0;
};
ClippedTriangle ClipNear(const Point3& a, const Point3& b, const Point3& c);

// Reused from frame to frame.
struct PlacedMesh {
  std::vector<Point3> world, camera;
  Point3 eye;         // the camera in the mesh's own axes
  bool safe = false;  // every vertex is before the near plane

  void Place(const Mesh& mesh, const Point2& position, double heading, const Projection& projection);

  bool Faces(const Mesh& mesh, const Triangle& triangle) const {
    const Vertex& v = mesh.vertices[triangle.corners[0]];
    return (eye.x - static_cast<double>(v.x)) * static_cast<double>(triangle.normal.x) +
               (eye.y - static_cast<double>(v.y)) * static_cast<double>(triangle.normal.y) +
               (eye.z - static_cast<double>(v.z)) * static_cast<double>(triangle.normal.z) >
           0;
  }

  // emit(corner, corner, corner) for what is left of the triangle before the camera.
  template <typename Emit>
  void OnScreen(const Triangle& triangle, const Canvas& canvas, Emit&& emit) const {
    const Point3 &a = camera[triangle.corners[0]], &b = camera[triangle.corners[1]],
                 &c = camera[triangle.corners[2]];
    if (safe) return emit(canvas.ToCorner(a), canvas.ToCorner(b), canvas.ToCorner(c));
    const ClippedTriangle clipped = ClipNear(a, b, c);
    for (int i = 2; i < clipped.count; ++i) {
      const auto at = static_cast<size_t>(i);
      emit(canvas.ToCorner(clipped.corners[0]), canvas.ToCorner(clipped.corners[at - 1]),
           canvas.ToCorner(clipped.corners[at]));
    }
  }
};

}  // namespace sightline::simulate
