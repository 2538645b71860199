// For tests only: an event with everything in it.
#pragma once

#include "data/event.h"

namespace sightline {

inline Event TestEvent(const std::string& id = "01J0000000000000000000000A",
                       const std::string& camera = "gate", const std::string& kind = "near_miss") {
  Event event;
  event.id = id;
  event.kind = kind;
  event.rule = "crossing";
  event.camera = camera;
  event.pipeline = "street@3";
  event.models = {"street_detector@1"};
  event.time_s = 12.5;
  event.began = WallTime(std::chrono::microseconds(1'750'000'000'123'456));
  event.captured = event.began + std::chrono::milliseconds(250);
  event.zone = "junction";
  event.confidence = 0.87;
  EventActor car;
  car.track_id = 7;
  car.label = "car";
  car.score = 0.9f;
  car.box = {10.126f, 20, 110.5f, 80};
  car.speed_mps = 8.3333333;
  car.speed_error_mps = 0.4;
  car.path = {{12.0, 50, 80, 1.25, 2.5}, {12.5, 60.25f, 80, std::nullopt, std::nullopt}};
  event.actors = {car};
  event.values = {{"time_to_collision_s", 0.8, 0.15}, {"post_encroachment_s", 1.1, std::nullopt}};
  event.snapshot = "gate/2025-06-15/01J.jpg";
  return event;
}

}  // namespace sightline
