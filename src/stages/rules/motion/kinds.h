// What is known of a class by its name: whether it walks or drives, and how large it is.
#pragma once

#include <string_view>

namespace sightline::rules {

enum class Being { kPerson, kCycle, kVehicle, kThing };  // kCycle: bicycles and motorcycles with their riders

struct ClassFacts {
  Being being = Being::kThing;
  double length = 0.5, width = 0.5, height = 0.6;   // metres, typical
  double length_spread = 0.4, height_spread = 0.3;  // of one to another, as a share
  bool vehicle() const { return being == Being::kCycle || being == Being::kVehicle; }
};

// By the names of COCO, of this project's models, and other usual ones; unknown names are things.
const ClassFacts& FactsOf(std::string_view label);

}  // namespace sightline::rules
