// The sinks of a node's configuration.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cameras/delivery/delivery.h"
#include "cameras/node/node_config.h"

namespace sightline::cameras {

// Errors name the sink. Relative files lie in `data`.
absl::StatusOr<std::vector<NamedSink>> MakeSinks(const std::vector<SinkConfig>& configs,
                                                 const std::string& node, const std::filesystem::path& data);

}  // namespace sightline::cameras
