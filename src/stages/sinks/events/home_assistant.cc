#include "stages/sinks/events/home_assistant.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/version.h"
#include "data/event.h"
#include "stages/sinks/events/broker_address.h"

namespace sightline::sinks {
namespace {

using Json = nlohmann::ordered_json;

// Letters, digits, _ and -: what Home Assistant takes in a topic of its own.
std::string Plain(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    plain += fits ? c : '_';
  }
  return plain;
}

std::string Identity(const HomeAssistantPlace& place, std::string_view camera) {
  return Plain(fmt::format("{}_{}", place.client_id, camera));
}

// A subscription to all kinds of one camera: a level that holds {kind} becomes +.
std::string AllKinds(std::string_view topic, std::string_view camera) {
  std::vector<std::string> levels = Split(topic, '/');
  for (std::string& level : levels)
    level = level.find("{kind}") != std::string::npos ? "+" : FillIn(level, camera, "", "/+#");
  return Join(levels, "/");
}

}  // namespace

std::string HomeAssistantTopic(const HomeAssistantPlace& place, std::string_view camera) {
  return fmt::format("homeassistant/event/{}/config", Identity(place, camera));
}

std::string HomeAssistantConfig(const HomeAssistantPlace& place, std::string_view camera) {
  const std::string identity = Identity(place, camera);
  // Also where a topic without {camera} carries the events of all of them.
  const std::string event = fmt::format(
      "{{% if value_json.data.camera == {} %}}"
      "{{{{ {{'event_type': value_json.data.kind, 'phase': value_json.data.phase, 'rule': "
      "value_json.data.rule, "
      "'zone': value_json.data.zone | default(''), 'confidence': value_json.data.confidence, "
      "'event_id': value_json.id, 'captured': value_json.time}} | to_json }}}}{{% endif %}}",
      Json(std::string(camera)).dump(-1, ' ', true, Json::error_handler_t::replace));
  Json config = {{"name", nullptr}, {"unique_id", identity}, {"state_topic", AllKinds(place.topic, camera)}};
  config["event_types"] = kEventKinds;  // only announced ones are shown
  config["value_template"] = event;
  config["availability_topic"] = place.availability;
  config["icon"] = "mdi:cctv";
  config["device"] = {{"identifiers", Json::array({identity})},
                      {"name", camera},
                      {"manufacturer", "Sightline"},
                      {"model", "camera"},
                      {"sw_version", kVersion}};
  config["origin"] = {{"name", "Sightline"}, {"sw_version", kVersion}};
  return config.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sightline::sinks
