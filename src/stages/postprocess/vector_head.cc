#include "stages/postprocess/vector_head.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "base/text.h"

namespace sightline::postprocess {

absl::StatusOr<int64_t> VectorLength(const TensorSpec& spec) {
  int64_t length = 1;
  bool open = false;
  for (size_t axis = 1; axis < spec.shape.size(); ++axis) {
    const int64_t extent = spec.shape[axis];
    if (extent < 0 && !open && length == 1) {
      open = true;
    } else if (extent != 1 && (extent <= 0 || open || length != 1)) {
      return absl::InvalidArgumentError(fmt::format("output {} is {}, expected one vector a picture: [N, D]",
                                                    spec.name, ToString(spec.shape)));
    } else if (extent > 1) {
      length = extent;
    }
  }
  if (spec.shape.empty())
    return absl::InvalidArgumentError(fmt::format("output {} has no batch axis", spec.name));
  return open ? -1 : length;
}

absl::StatusOr<int> OnlyOutput(const ModelCard& card, const GraphSignature& graph, std::string_view family,
                               std::string_view role) {
  ASSIGN_OR_RETURN(const int index, OutputForRole(card, graph, role));
  if (index >= 0) return index;
  if (graph.outputs.size() == 1) return 0;
  return absl::InvalidArgumentError(fmt::format("{}: the graph has {} outputs; name one as head.outputs.{}",
                                                family, graph.outputs.size(), role));
}

absl::StatusOr<absl::Span<const float>> ReadVector(const Output& output, int64_t length) {
  if (output.elements < 1 || (length >= 0 && output.elements != length) || output.elements > 1'000'000) {
    return ShapeError("values", output, length < 0 ? "a vector" : fmt::format("{} values", length));
  }
  return absl::MakeConstSpan(output.data, static_cast<size_t>(output.elements));
}

bool AllFinite(absl::Span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

bool Softmax(absl::Span<const float> logits, absl::Span<float> probabilities) {
  if (!AllFinite(logits)) return false;
  const float largest = *std::max_element(logits.begin(), logits.end());
  float sum = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    probabilities[i] = std::exp(logits[i] - largest);
    sum += probabilities[i];
  }
  for (float& probability : probabilities) probability /= sum;
  return true;
}

}  // namespace sightline::postprocess
