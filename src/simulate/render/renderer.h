// Pictures of a scene as the layout's camera gives them, and what of each actor is seen in them.
#pragma once

#include <memory>
#include <vector>

#include "data/frame.h"
#include "simulate/scene/layout.h"

namespace sightline::simulate {

struct RenderOptions {
  uint64_t seed = 1;  // of sensor noise, rain and the camera's own character (gain, colour cast, sharpness)
  double noise = 1;   // factor
};

// What the camera could see of an actor.
struct Sighting {
  int64_t id = 0;
  Box box;                // extent of the whole object, clipped to the picture; pixels
  double visibility = 0;  // share of the object's own pixels, inside the picture or not, that nothing hides
  double clearness = 1;   // share of its contrast that fog and rain leave
};

// Threads: one at a time. `layout` outlives it.
class Renderer {
 public:
  static std::unique_ptr<Renderer> Create(const Layout* layout, const RenderOptions& options);
  virtual ~Renderer() = default;
  // kYuv420, BT.709 limited range, layout.camera.size; time_s is the scene's. The scene's own light, shadows,
  // weather, exposure, noise. Not part of the truth (may differ in the last bits among machines).
  virtual void Render(const Scene& scene, Frame* frame) = 0;
};

// Who is seen and where. Part of the truth: the same bits on every machine, independent of Renderer.
class Observer {
 public:
  static std::unique_ptr<Observer> Create(const Layout* layout);
  virtual ~Observer() = default;
  // Actors with at least one pixel in the picture, in the order of the scene. Surroundings hide, too.
  virtual void Observe(const Scene& scene, std::vector<Sighting>* sightings) = 0;
};

}  // namespace sightline::simulate
