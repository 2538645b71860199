// What happens in a simulated street, and when: events by script, weather over time, how busy it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "simulate/scene/layout.h"
#include "simulate/street/traffic.h"

namespace sightline::simulate {

// One word everywhere: in scenarios, in the truth and (as the rule's kind) in pipelines.
enum class EventKind {
  kNearMiss,
  kPersonOnRoad,
  kRedLight,
  kWrongWay,
  kStoppedVehicle,
  kSpeeding,
  kCrowd,
  kAbandonedVehicle
};
inline constexpr std::array<std::string_view, 8> kEventNames = {"near_miss", "person_on_road",   "red_light",
                                                                "wrong_way", "stopped_vehicle",  "speeding",
                                                                "crowd",     "abandoned_vehicle"};

struct ScriptedEvent {
  EventKind kind = EventKind::kNearMiss;
  double at_s = 0;  // when it is at its height (near miss) or begins
  std::optional<double> duration_s;
  std::optional<double> time_to_collision_s;  // near_miss: the least that is reached
  std::optional<double> post_encroachment_s;  // near_miss: between the one leaving and the other entering
  std::optional<ActorKind> first, second;     // who (near_miss: second may be a person)
  std::optional<int> count;                   // crowd
  std::optional<double> speed;                // m/s
};

struct WeatherPoint {
  double at_s = 0;
  Weather weather;
};

struct Scenario {
  std::vector<ScriptedEvent> events;
  std::vector<WeatherPoint> weather;  // rising; between points it changes smoothly (light at the midpoint)
  TrafficOptions traffic;
  std::optional<double> seconds;  // how long the clip is, where that is known: events are to happen in it
};

// A scenario file (YAML). Errors name file, line and YAML path and what would be right.
absl::StatusOr<Scenario> LoadScenario(const std::string& path);
// Without a file: by seed, a few events of each kind spread over `seconds`, traffic and weather of some kind.
Scenario MakeScenario(uint64_t seed, double seconds);
// "night", "rain,fog", "day", "mixed" (changes over `seconds`), ...: one light and any of rain, fog, clouds.
absl::StatusOr<std::vector<WeatherPoint>> ParseWeather(std::string_view words, uint64_t seed, double seconds);
Weather WeatherAt(const std::vector<WeatherPoint>& points, double time_s);

// Orders the actors of all events. Events for which this street has no place (no free lane in view, ...) are
// named in the result's `left_out` with the reason.
struct Staged {
  std::vector<std::string> left_out;
  std::vector<std::vector<int64_t>> actors;  // per event of the scenario
};
Staged Stage(const Scenario& scenario, const Layout& layout, uint64_t seed, Traffic* traffic);

}  // namespace sightline::simulate
