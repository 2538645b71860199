// What classifiers, attributes and embeddings share: outputs that are one vector for each picture, [N, D] or
// [N, D, 1, 1].
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "stages/postprocess/head.h"
#include "stages/postprocess/outputs.h"

namespace sightline::postprocess {

// D of an output whose other axes (behind the batch's) are 1; -1 where it is open. InvalidArgument for other
// shapes.
absl::StatusOr<int64_t> VectorLength(const TensorSpec& spec);

// The output that `role` names in the card, else the only one. Errors name `family`.
absl::StatusOr<int> OnlyOutput(const ModelCard& card, const GraphSignature& graph, std::string_view family,
                               std::string_view role);

// The vector of one picture; InvalidArgument when it has not `length` values (negative: any, but at least
// one).
absl::StatusOr<absl::Span<const float>> ReadVector(const Output& output, int64_t length);

// softmax into `probabilities`; false when a value is not finite.
bool Softmax(absl::Span<const float> logits, absl::Span<float> probabilities);
bool AllFinite(absl::Span<const float> values);

}  // namespace sightline::postprocess
