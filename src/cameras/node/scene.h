// From what a camera's configuration says to what its parts take.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cameras/evidence/evidence.h"
#include "cameras/node/node_config.h"
#include "cameras/stream/camera_stream.h"
#include "stages/rules/rule.h"

namespace sightline::cameras {

// With credentials from the environment.
absl::StatusOr<SourceOptions> SourceOf(const CameraConfig& config);

// All that rules and redaction need, for a stream of this size. Errors name the key.
struct Scene {
  rules::SceneGeometry geometry;
  std::vector<std::shared_ptr<const rules::Rule>> rules;
  Redaction redaction;
};
absl::StatusOr<Scene> SceneOf(const CameraConfig& config, const std::vector<std::string>& node_redact,
                              Size stream);

}  // namespace sightline::cameras
