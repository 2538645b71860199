// Pipelines that come with the program, by name: for nodes that are started with nothing.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "pipeline/run/engine.h"
#include "registry/model_store.h"

namespace sightline::app {

extern const char kStreetPipeline[];  // examples/street.yaml

// `name` is a file, or `street`.
absl::StatusOr<pipeline::Plan> OpenPipeline(const std::string& name, const registry::ModelStore& store);

}  // namespace sightline::app
