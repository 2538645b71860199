// What a camera's configuration says of one rule. Keys that a kind does not use are refused by its
// declaration (cameras/node/rule_declaration.cc), so one struct serves all.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/event.h"

namespace sightline::rules {

enum class RuleKind {
  kLineCrossing,
  kZonePresence,
  kDwell,
  kCount,
  kCrowd,
  kSpeed,
  kWrongWay,
  kStoppedVehicle,
  kPersonOnRoad,
  kNearMiss,
  kRedLight,
  kAbandonedObject,
  kAbsence,
};
static_assert(static_cast<size_t>(RuleKind::kAbsence) + 1 == kEventKinds.size());
constexpr std::string_view Name(RuleKind kind) { return kEventKinds[static_cast<size_t>(kind)]; }

struct Schedule {                            // local time of the node
  std::vector<int> days;                     // 0 Monday .. 6 Sunday; empty: all
  int from_minute = 0, to_minute = 24 * 60;  // of the day; to < from: over midnight
};

struct RuleConfig {
  RuleKind kind = RuleKind::kZonePresence;
  std::string name;                 // unique within the camera
  std::vector<std::string> labels;  // classes it looks at; empty: the kind's own (people, vehicles, or all)
  std::vector<std::string> zones;   // any of them
  std::vector<std::string> except_zones;  // but not in these (crosswalks, parking bays)
  std::string line;
  std::string direction = "both";  // line_crossing: forward, backward, both
  double after_s = 0;              // state must have lasted so long (debounce); kind's default where 0
  double clear_s = 0;              // must be gone so long before it ends (hysteresis)
  double cooldown_s = 0;           // no second event about the same track within
  int count = 0;                   // count, crowd: at least so many
  double radius_m = 0;             // crowd, abandoned_object: within
  double speed_kmh = 0;            // speed: limit
  double time_to_collision_s = 0, post_encroachment_s = 0;  // near_miss: below
  std::string topic;                                        // red_light: where the signal's state comes from
  std::string signal_zone;                                  // red_light: or the zone whose colour shows it
  std::vector<Schedule> schedule;                           // empty: always
  float min_score = 0;                                      // mean score of a track
  double min_confidence = 0;                                // of an event; kind's default where 0
};

}  // namespace sightline::rules
