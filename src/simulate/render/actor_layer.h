// What moves: traffic, its shadows, its lamps' light on the street and its reflections on a wet one.
#pragma once

#include <vector>

#include "simulate/render/background.h"

namespace sightline::simulate {

class ActorLayer {
 public:
  ActorLayer(const Layout* layout, const Background* background);
  // Onto `picture`, which holds the background as lit. Allocates nothing once the largest scene has been
  // seen.
  void Draw(const Scene& scene, const Light& light, const SunMap& sun, const std::vector<float>& sun_share,
            LinearImage* picture);

 private:
  static constexpr float kShadowReach = 25;  // metres: longest shadow
  struct Span {
    int begin = 0, end = 0;  // columns of a row; empty where begin >= end
    void Add(int from, int to);
  };
  struct Standing {  // an actor that may be seen or lights what is seen
    const Actor* actor = nullptr;
    Vector3 forward, left, center, front;
    float sunlit = 1;
    bool near_view = false;  // it or its shadow may be in the picture
  };
  void Collect(const Scene& scene, const SunMap& sun, const Light& light);
  void DrawShadow(const Standing& standing, const Light& light);
  void ResolveShadows(const std::vector<float>& sun_share, LinearImage* picture);
  void DrawContact(const Standing& standing, const Light& light, LinearImage* picture) const;
  void AddHeadlights(const Light& light, LinearImage* picture);
  void FindLamps(const Standing& standing, const Light& light);
  void DrawMesh(const Light& light, float sunlit, double heading, const Actor* self);
  Rgb Shade(const Light& light, const Vector3& point, const Vector3& normal, const Triangle& triangle,
            float sunlit) const;
  void ResolveActors(LinearImage* picture);
  void Reflect(const Light& light, LinearImage* picture) const;
  // The pixels that a quadrilateral covers (its corners row by row), as far as it is before the camera.
  GridBounds PixelsOf(const std::array<Vector3, 4>& points) const;

  const Layout& layout_;
  const Background& background_;
  Size size_;
  int samples_;
  Mesh mesh_;
  PlacedMesh placed_, shadow_;
  std::vector<Standing> standing_;
  // What shines on the actor being drawn.
  std::vector<const LampPoint*> near_lamps_;
  std::vector<const Standing*> near_beams_;
  std::vector<float> nearest_;                   // 1 / depth a sample
  std::vector<uint32_t> facet_;                  // a sample's index in colors_, 0: none
  std::vector<uint8_t> shade_;                   // a sample's shadow
  std::vector<uint8_t> covered_;                 // a pixel's: 1 where traffic is
  std::vector<Span> facet_spans_, shade_spans_;  // of samples, one a row of samples
  std::vector<Rgb> colors_;
  std::vector<GridBounds> boxes_;  // pixels of each actor drawn
  // Headlights' light at half the picture's size, and where on the street its pixels are.
  int beams_width_ = 0, beams_height_ = 0;
  std::vector<float> beams_, beam_x_, beam_y_;
  //              // headlights' light at half the picture's size
  std::vector<Span> beam_spans_;
};

}  // namespace sightline::simulate
