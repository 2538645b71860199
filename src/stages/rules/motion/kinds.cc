#include "stages/rules/motion/kinds.h"

#include <algorithm>

namespace sightline::rules {
namespace {

struct Named {
  std::string_view label;
  ClassFacts facts;
};

constexpr ClassFacts kPerson{Being::kPerson, 0.35, 0.55, 1.7, 0.2, 0.12};
constexpr ClassFacts kBicycle{Being::kCycle, 1.8, 0.6, 1.75, 0.1, 0.08};
constexpr ClassFacts kMotorcycle{Being::kCycle, 2.1, 0.8, 1.6, 0.1, 0.1};
constexpr ClassFacts kCar{Being::kVehicle, 4.4, 1.8, 1.5, 0.1, 0.1};
constexpr ClassFacts kVan{Being::kVehicle, 5.2, 2.0, 2.1, 0.15, 0.15};
constexpr ClassFacts kBus{Being::kVehicle, 11.5, 2.55, 3.1, 0.15, 0.08};
constexpr ClassFacts kTruck{Being::kVehicle, 7.5, 2.4, 3.1, 0.25, 0.15};
constexpr ClassFacts kThing{};

constexpr Named kNames[] = {
    {"person", kPerson},
    {"pedestrian", kPerson},
    {"people", kPerson},
    {"bicycle", kBicycle},
    {"cyclist", kBicycle},
    {"bike", kBicycle},
    {"tricycle", kBicycle},
    {"motorcycle", kMotorcycle},
    {"motorbike", kMotorcycle},
    {"motor", kMotorcycle},
    {"scooter", kBicycle},
    {"rider", kBicycle},
    {"car", kCar},
    {"vehicle", kCar},
    {"van", kVan},
    {"bus", kBus},
    {"truck", kTruck},
    {"trailer", kTruck},
    {"train", kBus},
    {"tram", kBus},
    {"awning-tricycle", kCar},
};

}  // namespace

const ClassFacts& FactsOf(std::string_view label) {
  const auto found =
      std::find_if(std::begin(kNames), std::end(kNames), [&](const Named& n) { return n.label == label; });
  return found == std::end(kNames) ? kThing : found->facts;
}

}  // namespace sightline::rules
