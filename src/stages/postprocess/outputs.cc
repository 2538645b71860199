#include "stages/postprocess/outputs.h"

#include <cstring>

#include "base/status.h"
#include "base/text.h"

namespace sightline::postprocess {
namespace {

// IEEE half to single: shifting the bits gives the value times 2^-112; denormals come out right by the
// multiplication.
float FloatOfHalf(uint16_t half) {
  uint32_t bits = static_cast<uint32_t>(half & 0x7fff) << 13;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  value *= 0x1p112f;
  std::memcpy(&bits, &value, sizeof bits);
  if ((half & 0x7c00) == 0x7c00) bits |= 0x7f800000;  // infinity, not a number
  bits |= static_cast<uint32_t>(half & 0x8000) << 16;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

void ConvertHalves(const void* halves, int64_t begin, int64_t count, float* floats) {
  const char* bytes = static_cast<const char*>(halves) + begin * 2;
  for (int64_t i = 0; i < count; ++i) {
    uint16_t half;
    std::memcpy(&half, bytes + i * 2, sizeof half);
    floats[i] = FloatOfHalf(half);
  }
}

constexpr int64_t kElementsMax = int64_t{1} << 30;  // of one batch entry; row numbers are ints

}  // namespace

absl::Status ReadOutputs(absl::Span<const TensorView> views, absl::Span<const OutputUse> uses,
                         size_t expected, int batch, std::vector<float>* converted, Outputs* outputs) {
  if (views.size() != expected) {
    return absl::InvalidArgumentError(
        fmt::format("{} outputs, but the graph has {}", views.size(), expected));
  }
  outputs->clear();
  int64_t halves = 0;
  for (const OutputUse& use : uses) {
    const TensorView& view = views[use.index];
    Output output;
    const bool batched = use.batch_axis == BatchAxis::kFirst;
    if (ElementCount(view.shape) < 0 || (batched && view.shape.empty())) {
      return absl::InvalidArgumentError(
          fmt::format("output {} has shape {}", use.index, ToString(view.shape)));
    }
    const int64_t entries = batched ? view.shape[0] : 1;
    if (batch < 0 || batch >= entries) {
      return absl::InvalidArgumentError(fmt::format("output {} has no batch entry {}: its shape is {}",
                                                    use.index, batch, ToString(view.shape)));
    }
    output.shape.assign(view.shape.begin() + (batched ? 1 : 0), view.shape.end());
    output.elements = ElementCount(output.shape);
    if (output.elements < 0 || output.elements > kElementsMax ||
        (output.elements > 0 && view.data == nullptr)) {
      return absl::InvalidArgumentError(
          fmt::format("output {} has shape {}", use.index, ToString(view.shape)));
    }
    if (view.type == ElementType::kFloat32) {
      output.data = view.elements() > 0 ? view.floats() + batch * output.elements : nullptr;
    } else if (view.type == ElementType::kFloat16) {
      halves += output.elements;
    } else {
      return absl::InvalidArgumentError(
          fmt::format("output {} is {}, expected float32 or float16", use.index, Name(view.type)));
    }
    outputs->push_back(std::move(output));
  }
  if (halves == 0) return absl::OkStatus();
  if (converted->size() < static_cast<size_t>(halves)) converted->resize(halves);
  float* place = converted->data();
  for (size_t i = 0; i < uses.size(); ++i) {
    const TensorView& view = views[uses[i].index];
    Output& output = (*outputs)[i];
    if (view.type != ElementType::kFloat16 || output.elements == 0) continue;
    ConvertHalves(view.data, batch * output.elements, output.elements, place);
    output.data = place;
    place += output.elements;
  }
  return absl::OkStatus();
}

absl::Status CheckOutputTypes(const GraphSignature& graph, absl::Span<const OutputUse> uses) {
  for (const OutputUse& use : uses) {
    const TensorSpec& spec = graph.outputs[use.index];
    if (spec.type == ElementType::kFloat32 || spec.type == ElementType::kFloat16) continue;
    return absl::InvalidArgumentError(
        fmt::format("output {} is {}; heads read float32 and float16", spec.name, Name(spec.type)));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> OutputForRole(const ModelCard& card, const GraphSignature& graph, std::string_view role) {
  const auto named = card.head.outputs.find(std::string(role));
  const bool in_card = named != card.head.outputs.end() && !named->second.empty();
  const std::string_view name = in_card ? std::string_view(named->second) : role;
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    if (graph.outputs[i].name == name) return static_cast<int>(i);
  }
  if (!in_card) return -1;
  std::vector<std::string> names;
  for (const TensorSpec& spec : graph.outputs) names.push_back(spec.name);
  return absl::NotFoundError(
      fmt::format("head.outputs.{}: the graph has no output {}; it has {}", role, name, Join(names, ", ")));
}

absl::Status ShapeError(std::string_view what, const Output& output, std::string_view expected) {
  return absl::InvalidArgumentError(
      fmt::format("{} are {} for one picture, expected {}", what, ToString(output.shape), expected));
}

int64_t Extent(const TensorSpec& spec, int axis) {
  const int rank = static_cast<int>(spec.shape.size());
  const int index = axis < 0 ? rank + axis : axis;
  return index >= 0 && index < rank ? spec.shape[index] : 1;
}

}  // namespace sightline::postprocess
