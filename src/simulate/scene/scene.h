// The world at one moment, and the words for it. Metres and seconds; x east, y north, z up; the origin is the
// middle of the intersection; headings in radians, counter-clockwise from +x. Traffic keeps to the right.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "data/geometry.h"

namespace sightline::simulate {

struct Point2 {
  double x = 0, y = 0;
  bool operator==(const Point2&) const = default;
};
struct Point3 {
  double x = 0, y = 0, z = 0;
};
using Polygon = std::vector<Point2>;  // counter-clockwise, simple

// In the order of the class ids in the truth (MOTChallenge: 1 + the enum's value) and of the shipped model's
// labels. A bicycle or motorcycle is one object together with its rider.
enum class ActorKind { kPerson, kBicycle, kMotorcycle, kCar, kBus, kTruck };
inline constexpr int kActorKinds = 6;
inline constexpr std::array<std::string_view, kActorKinds> kActorLabels = {"person", "bicycle", "motorcycle",
                                                                           "car",    "bus",     "truck"};

struct Actor {
  int64_t id = 0;  // >= 1, never used twice in a run
  ActorKind kind = ActorKind::kCar;
  uint32_t look = 0;  // seed of its looks (body, colours, clothes, build); constant for life
  Point2 position;    // centre of the footprint
  double heading = 0;
  double length = 0, width = 0, height = 0;
  double speed = 0;         // m/s along the heading
  double acceleration = 0;  // m/s2
  double steering = 0;      // radians, left is positive: turns front wheels
  double travelled = 0;     // metres since birth: turns wheels and moves legs
  bool lights = false;      // headlights on (night, rain)
  int indicator = 0;        // +1 left, -1 right, 0 none
  bool parked = false;      // stands in a parking bay for good
  bool hazard = false;      // hazard lights blink
};

enum class SignalColor { kRed, kAmber, kGreen };

enum class DayLight { kDay, kDusk, kNight };
struct Weather {
  DayLight light = DayLight::kDay;
  double sun_azimuth = 0, sun_elevation = 0.8;  // radians; meaningless at night
  double clouds = 0;                            // 0 (hard shadows) .. 1 (none)
  double rain = 0;                              // 0..1
  double wetness = 0;                           // 0..1: reflections on the road
  double fog = 0;                               // 0..1: 1 hides what is 40 m away
};
// How fast fog and rain take contrast away, 1/m: exp(-this * metres) of it is left (Koschmieder 1924).
inline double ExtinctionPerMetre(const Weather& weather) {
  const double fog = std::clamp(weather.fog, 0.0, 1.0), rain = std::clamp(weather.rain, 0.0, 1.0);
  return 0.0006 + 0.07 * fog * fog * fog + 0.025 * fog + 0.0035 * rain;
}

struct Scene {
  double time_s = 0;
  std::vector<Actor> actors;         // by rising id
  std::vector<SignalColor> signals;  // as Layout::signals
  Weather weather;
};

}  // namespace sightline::simulate
