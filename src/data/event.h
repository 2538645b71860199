// What happened before a camera: what rules find, sinks deliver and pages show.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "data/geometry.h"

namespace sightline {

// What rules find, by the names that configurations, events and topics use. rules::RuleKind has their order.
inline constexpr std::array<std::string_view, 13> kEventKinds = {
    "line_crossing", "zone_presence",    "dwell",           "count",          "crowd",
    "speed",         "wrong_way",        "stopped_vehicle", "person_on_road", "near_miss",
    "red_light",     "abandoned_object", "absence"};

// Owns its text: events outlive plans and configurations.
struct EventActor {
  int64_t track_id = 0;
  std::string label;
  float score = 0;                        // mean of the detections so far
  Box box;                                // source pixels, at the moment of the event
  std::optional<double> speed_mps;        // over ground, where there is a homography
  std::optional<double> speed_error_mps;  // one standard deviation
  struct Point {
    double time_s = 0;               // stream time
    float x = 0, y = 0;              // foot point (middle of the box's lower edge), source pixels
    std::optional<double> x_m, y_m;  // on the ground, where there is a homography
  };
  std::vector<Point> path;  // the last seconds, oldest first, at most kEventPathMax points
};
inline constexpr size_t kEventPathMax = 64;

// kBegin and kEnd of one state (a vehicle stands; it no longer does) share a `state`; kMoment stands alone.
enum class EventPhase { kMoment, kBegin, kEnd };
constexpr std::string_view Name(EventPhase phase) {
  constexpr std::string_view kNames[] = {"moment", "begin", "end"};
  return kNames[static_cast<size_t>(phase)];
}

struct Event {
  std::string id;     // unique, sortable by time: made by the node (rules put a state's own id here)
  std::string state;  // the id of the event that began it, for kBegin and kEnd
  std::string kind;   // one of kEventKinds
  std::string rule;   // its name in the camera's configuration
  std::string camera;
  std::string pipeline;             // name@revision
  std::vector<std::string> models;  // name@version
  EventPhase phase = EventPhase::kMoment;
  double time_s = 0;               // stream time: of the moment, or when the state began
  WallTime captured;               // of the frame that made it known (UTC)
  WallTime began;                  // of the moment, or when the state began
  double duration_s = 0;           // of a state, so far
  std::string zone;                // or line; "" none
  std::string direction;           // line_crossing: "forward" or "backward"; "" none
  double confidence = 1;           // 0..1: how sure, from scores, track ages and measurement errors
  std::vector<EventActor> actors;  // the first is whom it is about
  struct Value {
    std::string name;  // time_to_collision_s, post_encroachment_s, speed_kmh, count, ...
    double value = 0;
    std::optional<double> error;  // one standard deviation
  };
  std::vector<Value> values;
  std::string snapshot, clip;  // names of evidence files, "" none
};

}  // namespace sightline
