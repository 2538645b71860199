// Shapes of everything in the street, as triangles.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "simulate/scene/layout.h"

namespace sightline::simulate {

struct Rgb {
  float red = 0, green = 0, blue = 0;  // linear light reflected, 0..1
};

enum class Surface : uint8_t { kMatt, kGloss, kGlass, kLamp };  // kLamp shines with its colour, lit or not

struct Vertex {
  float x = 0, y = 0, z = 0;  // metres, in the object's axes: x forward, y left, z up, z = 0 on the ground
};
struct Triangle {
  std::array<uint16_t, 3> corners{};
  Vertex normal;  // unit, outward
  Rgb color;
  Surface surface = Surface::kMatt;
};
struct Mesh {
  std::vector<Vertex> vertices;
  std::vector<Triangle> triangles;
  void Clear() {
    vertices.clear();
    triangles.clear();
  }
};

// The actor as it stands at `time_s`: legs, wheels, blinking indicators and brake lights in place. `mesh` is
// cleared and reused. Distinct builds and colours by `look`; silhouettes that a person recognises at 30
// pixels. About 300 triangles for a car, 150 for a person; `detail` 0 (far away) to 1. Deterministic on every
// machine (the truth's boxes are the extent of these vertices; use exact.h).
void BuildActor(const Actor& actor, double time_s, double detail, Mesh* mesh);

// Houses, trees, poles, signal posts and heads (unlit), kerbs: in world axes, one mesh a thing.
std::vector<Mesh> BuildSurroundings(const Layout& layout);
// The lamps of the signals as they shine.
void BuildSignalLamps(const Layout& layout, const std::vector<SignalColor>& colors, Mesh* mesh);

// The colour of the ground at a point, with asphalt grain, patches, cracks, tyre marks, lane and crosswalk
// paint, sidewalk slabs, grass. `footprint_m`: size of the pixel on the ground, for filtering. Not part of
// the truth.
class Ground {
 public:
  explicit Ground(const Layout& layout);  // outlives it
  ~Ground();
  Rgb At(const Point2& point, double footprint_m) const;

 private:
  struct Cells;  // which polygons are near a place
  const Layout& layout_;
  std::unique_ptr<const Cells> cells_;
};

}  // namespace sightline::simulate
