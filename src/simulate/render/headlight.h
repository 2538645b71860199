// The light that vehicles throw before them.
#pragma once

#include <algorithm>

#include "simulate/render/light.h"

namespace sightline::simulate {

inline constexpr float kBeamReach = 32;  // metres
inline constexpr Rgb kBeamColor = {1.0f, 0.94f, 0.82f};

// A pair of headlights' light on a level surface, 1 about 5 m ahead. `ahead` from the bumper, `aside` from
// the axis. Without branches, so that it becomes vectors.
inline float Beam(float ahead, float aside) {
  const float in = std::min(kBeamReach, std::max(0.f, ahead));
  const float width = 0.55f + 0.2f * in;
  const float off = std::max(0.f, 1 - aside * aside / (6 * width * width));
  const float end = 1 - in * (1 / kBeamReach);
  return in * 55.f / ((in + 1.2f) * (in * in + 20.f)) * (off * off * off * end);
}

inline bool HasBeam(const Actor& actor) { return actor.lights && actor.kind != ActorKind::kPerson; }
inline float BeamStrength(const Actor& actor) {
  return actor.kind == ActorKind::kBicycle ? 0.2f : actor.kind == ActorKind::kMotorcycle ? 0.6f : 1.f;
}

}  // namespace sightline::simulate
