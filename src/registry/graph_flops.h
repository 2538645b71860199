// How much arithmetic one run of a graph takes, from inferred shapes.
#pragma once

#include <optional>

#include "data/geometry.h"
#include "registry/onnx_graph.h"

namespace onnx {
class ModelProto;
}

namespace sightline::registry {

// Infers shapes with libonnx in a child process with limits on time and memory, because that code trusts its
// graph more than we do: a file that crashes it costs us the estimate, not the program. nullopt then.
std::optional<FlopsEstimate> EstimateFlops(const onnx::ModelProto& model, Size open_size);

}  // namespace sightline::registry
