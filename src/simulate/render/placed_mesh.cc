#include "simulate/render/placed_mesh.h"

#include "simulate/scene/exact.h"

namespace sightline::simulate {

ClippedTriangle ClipNear(const Point3& a, const Point3& b, const Point3& c) {
  ClippedTriangle out;
  const std::array<const Point3*, 3> corners = {&a, &b, &c};
  for (size_t i = 0; i < 3; ++i) {
    const Point3 &p = *corners[i], &q = *corners[(i + 1) % 3];
    if (p.z >= kNearPlane) out.corners[static_cast<size_t>(out.count++)] = p;
    if ((p.z >= kNearPlane) == (q.z >= kNearPlane)) continue;
    const double t = (kNearPlane - p.z) / (q.z - p.z);
    out.corners[static_cast<size_t>(out.count++)] = {p.x + t * (q.x - p.x), p.y + t * (q.y - p.y),
                                                     kNearPlane};
  }
  return out;
}

void PlacedMesh::Place(const Mesh& mesh, const Point2& position, double heading,
                       const Projection& projection) {
  const double cosine = Cos(heading), sine = Sin(heading);
  world.clear();
  camera.clear();
  safe = true;
  for (const Vertex& v : mesh.vertices) {
    const auto x = static_cast<double>(v.x), y = static_cast<double>(v.y);
    world.push_back(
        {position.x + cosine * x - sine * y, position.y + sine * x + cosine * y, static_cast<double>(v.z)});
    camera.push_back(projection.ToCamera(world.back()));
    safe &= camera.back().z >= kNearPlane;
  }
  const Point3& at = projection.camera().position;
  const double dx = at.x - position.x, dy = at.y - position.y;
  eye = {cosine * dx + sine * dy, cosine * dy - sine * dx, at.z};
}

}  // namespace sightline::simulate
