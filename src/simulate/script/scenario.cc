// What happens where no file says it.
#include "simulate/script/scenario.h"

#include <algorithm>

#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

constexpr double kSettle = 4;   // seconds before anything is ordered
constexpr double kSpacing = 7;  // seconds between two events
constexpr size_t kEventsMax = 1000;

// From those words that a city's cameras see most.
Weather RandomWeather(Random* random) {
  constexpr std::string_view kWords[] = {"day",  "day",       "day",   "day,clouds", "day,rain", "day,fog",
                                         "dusk", "dusk,rain", "night", "night,rain", "night,fog"};
  const auto word = kWords[static_cast<size_t>(random->Below(static_cast<int>(std::size(kWords))))];
  auto points = ParseWeather(word, random->Bits(), 1);
  return points->front().weather;
}

ScriptedEvent RandomEvent(EventKind kind, double at_s, Random* random) {
  ScriptedEvent event;
  event.kind = kind;
  event.at_s = at_s;
  const double draw = random->Unit();
  switch (kind) {
    case EventKind::kNearMiss:
      event.first = random->Chance(0.8) ? ActorKind::kCar : ActorKind::kMotorcycle;
      event.second = random->Chance(0.6) ? ActorKind::kPerson : ActorKind::kCar;
      if (draw < 0.6) {
        event.time_to_collision_s = random->Uniform(0.6, 1.2);
      } else {
        event.post_encroachment_s = random->Uniform(0.4, 1.1);
      }
      break;
    case EventKind::kPersonOnRoad:
      event.duration_s = random->Uniform(4, 9);
      break;
    case EventKind::kStoppedVehicle:
      event.duration_s = random->Uniform(12, 25);
      break;
    case EventKind::kCrowd:
      event.count = 9 + random->Below(8);
      event.duration_s = random->Uniform(8, 16);
      break;
    case EventKind::kRedLight:
    case EventKind::kWrongWay:
    case EventKind::kSpeeding:
      event.first = random->Chance(0.75) ? ActorKind::kCar : ActorKind::kMotorcycle;
      break;
    case EventKind::kAbandonedVehicle:
      break;
  }
  return event;
}

// Seconds that an event needs after its time to be seen for what it is.
double Needs(EventKind kind) {
  switch (kind) {
    case EventKind::kStoppedVehicle:
      return 12;
    case EventKind::kAbandonedVehicle:
      return 34;
    case EventKind::kCrowd:
      return 7;
    default:
      return 4;
  }
}

}  // namespace

Scenario MakeScenario(uint64_t seed, double seconds) {
  const Random base(seed, 0x5ce0);
  Scenario scenario;
  scenario.seconds = seconds;
  Random traffic = base.Fork(1);
  scenario.traffic.seed = seed;
  scenario.traffic.vehicles_per_minute = traffic.Uniform(10, 32);
  scenario.traffic.bicycles_per_minute = traffic.Uniform(1, 7);
  scenario.traffic.walkers_per_minute = traffic.Uniform(5, 24);
  scenario.traffic.parked_share = traffic.Uniform(0.3, 0.9);
  Random sky = base.Fork(2);
  const Weather first = RandomWeather(&sky);
  scenario.weather.push_back({0, first});
  if (sky.Chance(0.2) && seconds >= 20) {
    Weather later = RandomWeather(&sky);
    later.sun_azimuth = first.sun_azimuth;
    scenario.weather.push_back({seconds, later});
  }
  Random draws = base.Fork(3);
  std::vector<EventKind> order;
  for (double at = kSettle + draws.Uniform(0, 3); at < seconds && scenario.events.size() < kEventsMax;
       at += draws.Uniform(kSpacing, 1.8 * kSpacing)) {
    if (order.empty()) {
      for (size_t i = 0; i < kEventNames.size(); ++i) order.push_back(static_cast<EventKind>(i));
      for (size_t i = order.size(); i > 1; --i)
        std::swap(order[i - 1], order[static_cast<size_t>(draws.Below(static_cast<int>(i)))]);
    }
    const auto fits =
        std::find_if(order.begin(), order.end(), [&](EventKind kind) { return at + Needs(kind) <= seconds; });
    if (fits == order.end()) continue;
    scenario.events.push_back(RandomEvent(*fits, at, &draws));
    order.erase(fits);
  }
  return scenario;
}

}  // namespace sightline::simulate
