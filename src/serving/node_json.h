// The JSON shapes of the API; serving/openapi.yaml describes them.
#pragma once

#include <nlohmann/json.hpp>

#include "cameras/node/node.h"

namespace sightline::serving {

using Json = nlohmann::ordered_json;

Json StateJson(const cameras::StreamStatus& status);
Json CameraJson(const cameras::CameraInfo& camera);
Json CameraDetails(const cameras::CameraInfo& camera);  // with its configuration
Json StatusJson(const cameras::NodeInfo& info, const std::vector<cameras::CameraInfo>& cameras);
Json SinksJson(const std::vector<cameras::SinkCounts>& sinks);

// Text that is no UTF-8 becomes U+FFFD.
std::string Dumped(const Json& json);

}  // namespace sightline::serving
