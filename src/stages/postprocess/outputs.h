// A graph's outputs as the heads read them: one batch entry, as float32.
#pragma once

#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "data/model_card.h"
#include "data/tensor.h"

namespace sightline::postprocess {

// One batch entry of an output. Row-major; borrowed.
struct Output {
  const float* data = nullptr;
  Shape shape;  // without the batch axis
  int64_t elements = 0;

  int64_t extent(size_t axis) const { return axis < shape.size() ? shape[axis] : 1; }
};
using Outputs = absl::InlinedVector<Output, 12>;

enum class BatchAxis {
  kFirst,
  kNone
};  // kNone: an export for one picture, whose first axis is something else

struct OutputUse {
  int index = 0;  // among the graph's outputs
  BatchAxis batch_axis = BatchAxis::kFirst;
};
using OutputUses = absl::InlinedVector<OutputUse, 12>;

// Fills `outputs` with the used outputs, in the order of `uses`. float16 is converted into `converted`, whose
// memory is reused. InvalidArgument: not as many outputs as the graph has, other types, no such batch entry.
absl::Status ReadOutputs(absl::Span<const TensorView> views, absl::Span<const OutputUse> uses,
                         size_t expected, int batch, std::vector<float>* converted, Outputs* outputs);

// The outputs that `uses` names have a type that ReadOutputs takes.
absl::Status CheckOutputTypes(const GraphSignature& graph, absl::Span<const OutputUse> uses);

// The output that plays `role`: the one that the card names for it, else the one called like it, else -1.
// NotFound when the card names one that the graph lacks.
absl::StatusOr<int> OutputForRole(const ModelCard& card, const GraphSignature& graph, std::string_view role);

// "output cls_8 is [1,400,1], expected [?,1600,1]": what Decode says when shapes are not what it needs.
absl::Status ShapeError(std::string_view what, const Output& output, std::string_view expected);

// The extent of `axis`, counted from the end when negative; 1 beyond the shape, -1 where it is open.
int64_t Extent(const TensorSpec& spec, int axis);

}  // namespace sightline::postprocess
