#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "stages/sinks/events/event_sink.h"

namespace sightline::sinks {
namespace {

using Json = nlohmann::ordered_json;

// Rounded to what is known, so that the text stays short: 0.1 mm, 0.1 ms, a hundredth of a pixel. JSON has no
// nan.
Json Number(double value, double steps = 1e4) {
  if (!std::isfinite(value)) return nullptr;
  return std::round(value * steps) / steps;
}
Json Pixels(float value) { return Number(value, 100); }

Json PathOf(const EventActor& actor) {
  Json path = Json::array();
  for (const EventActor::Point& point : actor.path) {
    Json json = {{"time_s", Number(point.time_s)}, {"x", Pixels(point.x)}, {"y", Pixels(point.y)}};
    if (point.x_m && point.y_m) {
      json["x_m"] = Number(*point.x_m);
      json["y_m"] = Number(*point.y_m);
    }
    path.push_back(std::move(json));
  }
  return path;
}

Json ActorOf(const EventActor& actor) {
  Json json = {{"track", actor.track_id}, {"label", actor.label}, {"score", Number(actor.score)}};
  json["box"] = {Pixels(actor.box.x1), Pixels(actor.box.y1), Pixels(actor.box.x2), Pixels(actor.box.y2)};
  if (actor.speed_mps) json["speed_mps"] = Number(*actor.speed_mps);
  if (actor.speed_error_mps) json["speed_error_mps"] = Number(*actor.speed_error_mps);
  json["path"] = PathOf(actor);
  return json;
}

Json DataOf(const Event& event, std::string_view node) {
  const double known_s = std::chrono::duration<double>(event.captured - event.began).count();
  Json data = {{"node", node}, {"camera", event.camera}, {"kind", event.kind}, {"rule", event.rule}};
  data["phase"] = Name(event.phase);
  if (!event.state.empty()) data["state"] = event.state;
  data["captured"] = TimeText(event.captured, 6);
  data["began"] = TimeText(event.began, 6);
  data["time_s"] = Number(event.time_s);
  data["reported_s"] = Number(event.time_s + known_s);
  if (event.phase != EventPhase::kMoment) {
    data["begin_s"] = Number(event.time_s);
    data["duration_s"] = Number(event.duration_s);
  }
  if (event.phase == EventPhase::kEnd) data["end_s"] = Number(event.time_s + event.duration_s);
  if (!event.zone.empty()) data["zone"] = event.zone;
  if (!event.direction.empty()) data["direction"] = event.direction;
  data["confidence"] = Number(event.confidence);
  Json values = Json::object();
  for (const Event::Value& value : event.values) {
    values[value.name] = {{"value", Number(value.value)}};
    if (value.error) values[value.name]["error"] = Number(*value.error);
  }
  if (!values.empty()) data["values"] = std::move(values);
  data["actors"] = Json::array();
  for (const EventActor& actor : event.actors) data["actors"].push_back(ActorOf(actor));
  data["pipeline"] = event.pipeline;
  data["models"] = event.models;
  if (!event.snapshot.empty()) data["snapshot"] = event.snapshot;
  if (!event.clip.empty()) data["clip"] = event.clip;
  return data;
}

}  // namespace

std::string ToCloudEvent(const Event& event, std::string_view node) {
  Json json = {{"specversion", "1.0"},
               {"id", event.id},
               {"type", fmt::format("org.sightline.event.{}.v1", event.kind)},
               {"source", fmt::format("{}/cameras/{}", node, event.camera)}};
  if (!event.rule.empty()) json["subject"] = event.rule;  // CloudEvents has no empty attributes
  json["time"] = TimeText(event.captured, 6);
  json["datacontenttype"] = "application/json";
  json["data"] = DataOf(event, node);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);  // text that is no UTF-8 becomes U+FFFD
}

}  // namespace sightline::sinks
