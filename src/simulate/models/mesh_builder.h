// Puts meshes together from simple bodies.
#pragma once

#include "simulate/models/mesh.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {

struct Paint {
  Rgb color;
  Surface surface = Surface::kMatt;
};

// Bodies are closed and their normals point outward. Vertices are shared by nobody: each face has its own.
class MeshBuilder {
 public:
  explicit MeshBuilder(Mesh* mesh) : mesh_(mesh) {}

  // Corners counter-clockwise as seen from outside.
  void Face(const Vertex& a, const Vertex& b, const Vertex& c, const Paint& paint);
  void Face(const Vertex& a, const Vertex& b, const Vertex& c, const Vertex& d, const Paint& paint);
  // From corner to corner, along the axes.
  void Box(const Vertex& low, const Vertex& high, const Paint& paint);
  // A body between two rectangles, one above the other: `low` and `high` are (x1, x2, half width, z).
  struct Level {
    double x1, x2, half_width, z;
  };
  void Frustum(const Level& low, const Level& high, const Paint& side, const Paint& top);
  // Sides of one paint each: front, rear, flanks (windows).
  void Frustum(const Level& low, const Level& high, const Paint& front, const Paint& rear, const Paint& flank,
               const Paint& top);
  // A tapering limb from `a` to `b` with `sides` flat sides.
  void Limb(const Vertex& a, const Vertex& b, double radius_a, double radius_b, int sides,
            const Paint& paint);
  // A wheel that stands across y, turned by `steering` about the vertical.
  void Wheel(double x, double y, double radius, double width, double steering, int sides, const Paint& tyre,
             const Paint& rim);
  // A ball of `rings` bands.
  void Ball(const Vertex& center, double radius_xy, double radius_z, int rings, int sides,
            const Paint& paint);
  Mesh* mesh() { return mesh_; }

 private:
  Mesh* mesh_;
};

inline Vertex V(double x, double y, double z) {
  return {static_cast<float>(x), static_cast<float>(y), static_cast<float>(z)};
}

// Colours that the look's bits choose.
Rgb CarPaint(Random* random);
Rgb Cloth(Random* random);

void BuildPerson(const Actor& actor, Mesh* mesh);
void BuildTwoWheeler(const Actor& actor, Mesh* mesh);
void BuildCar(const Actor& actor, double time_s, double detail, Mesh* mesh);
void BuildBus(const Actor& actor, double time_s, Mesh* mesh);
void BuildTruck(const Actor& actor, double time_s, Mesh* mesh);

}  // namespace sightline::simulate
