#include "registry/model_check.h"

#include "base/status.h"
#include "base/text.h"

namespace sightline::registry {
namespace {

const TensorSpec* FindInput(const InputCard& card, const GraphSignature& graph) {
  if (card.name.empty()) return graph.inputs.size() == 1 ? &graph.inputs[0] : nullptr;
  for (const TensorSpec& spec : graph.inputs) {
    if (spec.name == card.name) return &spec;
  }
  return nullptr;
}

absl::Status Contradiction(std::string_view key, std::string_view card, std::string_view graph) {
  return absl::InvalidArgumentError(
      fmt::format("input.{}: the card says {}, but the graph's input {}", key, card, ToValidUtf8(graph)));
}

}  // namespace

absl::Status CheckInputAgainstGraph(const InputCard& card, const GraphSignature& graph) {
  const TensorSpec* spec = FindInput(card, graph);
  if (spec == nullptr) {
    std::vector<std::string> names;
    for (const TensorSpec& each : graph.inputs) names.push_back(ToValidUtf8(each.name));
    return absl::InvalidArgumentError(fmt::format("input.name: the graph has no input '{}'; it has: {}",
                                                  card.name, names.empty() ? "none" : Join(names, ", ")));
  }
  if (graph.inputs.size() > 1) {
    return absl::InvalidArgumentError(
        fmt::format("the graph wants {} inputs; only models whose single input is the picture can be run",
                    graph.inputs.size()));
  }
  const std::string what = fmt::format("'{}' is {} {}", spec->name, Name(spec->type), ToString(spec->shape));
  if (spec->type != card.type) return Contradiction("type", Name(card.type), what);
  if (spec->shape.size() != 4) {
    return absl::InvalidArgumentError(
        fmt::format("the graph's input {}: a picture input has four axes", ToValidUtf8(what)));
  }
  const bool channels_first = card.layout == TensorLayout::kNchw;
  const int64_t channels = spec->shape[channels_first ? 1 : 3];
  const int64_t height = spec->shape[channels_first ? 2 : 1], width = spec->shape[channels_first ? 3 : 2];
  const int64_t card_channels = card.color == ColorOrder::kGray ? 1 : 3;
  if (channels >= 0 && channels != card_channels) {
    return Contradiction(channels == 1 || channels == 3 ? "color" : "layout",
                         fmt::format("{} channel{} in {} layout", card_channels,
                                     card_channels == 1 ? "" : "s", channels_first ? "NCHW" : "NHWC"),
                         what);
  }
  if (width >= 0 && width != card.width) return Contradiction("width", fmt::format("{}", card.width), what);
  if (height >= 0 && height != card.height)
    return Contradiction("height", fmt::format("{}", card.height), what);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<postprocess::Head>> CheckAgainstGraph(const ModelCard& card,
                                                                     const GraphSignature& graph) {
  RETURN_IF_ERROR(CheckInputAgainstGraph(card.input, graph));
  const postprocess::HeadFamily* family = postprocess::FindHeadFamily(card.head.family);
  if (family == nullptr) {
    return absl::InvalidArgumentError(fmt::format("head.family: there is no family '{}'", card.head.family));
  }
  return family->create(card, graph);
}

}  // namespace sightline::registry
