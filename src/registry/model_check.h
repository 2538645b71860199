// A card against its graph: whether the pictures that the card promises fit the graph's input, and the head
// its outputs.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/model_card.h"
#include "stages/postprocess/head.h"

namespace sightline::registry {

// Name, rank, layout, channels, size and element type of the input that the card names. InvalidArgument says
// which key of the card contradicts what of the graph.
absl::Status CheckInputAgainstGraph(const InputCard& card, const GraphSignature& graph);

// The above, and the head made from the card, which checks the outputs. The card outlives the head.
absl::StatusOr<std::unique_ptr<postprocess::Head>> CheckAgainstGraph(const ModelCard& card,
                                                                     const GraphSignature& graph);

}  // namespace sightline::registry
