// How a camera is announced to Home Assistant over MQTT: an `event` entity that fires with each of its
// events.
#pragma once

#include <string>
#include <string_view>

namespace sightline::sinks {

struct HomeAssistantPlace {
  std::string_view topic;         // pattern with {camera} and {kind}
  std::string_view availability;  // topic with online or offline
  std::string_view client_id;     // tells nodes apart that share a broker
};

// homeassistant/event/CLIENT_CAMERA/config
std::string HomeAssistantTopic(const HomeAssistantPlace& place, std::string_view camera);
// The retained message there; "" instead of it removes the entity.
std::string HomeAssistantConfig(const HomeAssistantPlace& place, std::string_view camera);

}  // namespace sightline::sinks
