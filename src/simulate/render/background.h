// The street without its traffic as the camera sees it: surfaces found once, lit anew when the light changes.
#pragma once

#include <vector>

#include "simulate/render/placed_mesh.h"
#include "simulate/render/sun_map.h"

namespace sightline::simulate {

// Light in the picture, linear, one value a pixel.
struct LinearImage {
  int width = 0, height = 0;
  std::vector<float> red, green, blue;
  void Allocate(Size size);
};

struct LitBackground {
  LinearImage image;
  std::vector<float> sun_share;  // how much of the pixel's light is direct sun on the ground
};

class Background {
 public:
  Background(const Layout& layout, const std::vector<Mesh>* surroundings, uint64_t seed);

  Size size() const { return size_; }
  int samples() const { return samples_; }  // a pixel's side
  const Canvas& canvas() const { return canvas_; }
  const Projection& projection() const { return projection_; }
  const std::vector<LampPoint>& lamps() const { return lamps_; }
  const std::vector<float>& inverse() const { return inverse_; }  // 1 / depth a sample; 0: sky
  bool IsGround(size_t sample) const { return surface_[sample] == kGround; }

  // A pixel's surface, for lights that move.
  const LinearImage& albedo() const { return albedo_; }
  const std::vector<Vector3>& positions() const { return positions_; }  // far above: sky
  const std::vector<uint8_t>& ground() const { return ground_; }        // 1: mostly ground

  // Lights rows of pixels anew. `lit` has the picture's size.
  void Relight(const Light& light, const SunMap& sun, int row_begin, int row_end, LitBackground* lit) const;

 private:
  static constexpr uint32_t kSky = 0, kGround = 1, kFirst = 2;
  struct Facet {
    Vector3 normal;
    Rgb color;
    Surface surface = Surface::kMatt;
    float lit = 0;  // share of Light::windows at night
    bool leaf = false;
  };
  // Street lamps' light changes little within a pixel: it is found once for each surface in it.
  struct LampLight {
    uint32_t surface = kSky;
    Rgb light, gleam;
  };
  struct SampleLight {
    Rgb light;
    float sun = 0;  // share of it that is the sun's, on the ground
  };
  void DrawGround(const Layout& layout);
  void DrawMeshes();
  // Fills `surface` and `inverse` with the meshes, whose facets are numbered from `first` on.
  void DrawMesh(const Mesh& mesh, uint32_t first, std::vector<uint32_t>* surface,
                std::vector<float>* inverse) const;
  void Summarise();
  Vector3 Ray(int x, int y) const;  // of length 1 along the axis
  Rgb GroundColor(size_t sample) const;
  SampleLight LightGround(const Light& light, const SunMap& sun, const Vector3& point, const Vector3& view,
                          Rgb color, const Rgb& mirrored, LampLight* lamps) const;
  void LightLamps(const Light& light, const Vector3& point, const Vector3& normal, uint32_t surface,
                  const Vector3& to_eye, LampLight* lamps) const;
  // What a wet street mirrors at a sample, smeared along the way to the eye.
  Rgb Mirrored(const Light& light, const SunMap& sun, int x, int y, const Vector3& ray,
               LampLight* lamps) const;
  Rgb LightFacet(const Light& light, const SunMap& sun, const Vector3& point, const Vector3& view,
                 uint32_t surface, LampLight* lamps) const;

  const std::vector<Mesh>& surroundings_;
  Projection projection_;
  Size size_;
  int samples_ = 2;
  Canvas canvas_;
  Vector3 eye_, right_, down_, forward_;
  uint64_t seed_ = 0;
  std::vector<LampPoint> lamps_;
  std::vector<Facet> facets_;
  std::vector<float> inverse_;
  std::vector<float> mirror_inverse_;  // the same of the street hanging upside down below the ground
  std::vector<uint32_t> mirror_;
  std::vector<uint32_t> surface_;                     // kSky, kGround, kFirst + facet
  std::vector<std::array<uint8_t, 3>> ground_color_;  // square roots
  LinearImage albedo_;
  std::vector<Vector3> positions_;
  std::vector<uint8_t> ground_;
};

}  // namespace sightline::simulate
