// Embeddings: one output [N, D] or [N, D, 1, 1], brought to unit length where the card says so (cosine
// similarity).
#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "base/text.h"
#include "stages/postprocess/families.h"
#include "stages/postprocess/signature.h"
#include "stages/postprocess/vector_head.h"

namespace sightline::postprocess {
namespace {

class Embedding final : public Head {
 public:
  Embedding(const ModelCard& card, const GraphSignature& graph, OutputUses uses, int64_t length)
      : normalize_(card.head.normalize),
        graph_outputs_(graph.outputs.size()),
        uses_(std::move(uses)),
        length_(length) {}

  // Empty where a value is not finite, or where there is no length to bring to one.
  absl::Status Decode(absl::Span<const TensorView> outputs, int batch, const InputTransform&,
                      Scratch* scratch, HeadResult* result) const override {
    result->Clear();
    Outputs read;
    RETURN_IF_ERROR(ReadOutputs(outputs, uses_, graph_outputs_, batch, &scratch->converted, &read));
    ASSIGN_OR_RETURN(const absl::Span<const float> values, ReadVector(read[0], length_));
    if (!AllFinite(values)) return absl::OkStatus();
    double squares = 0;
    for (const float value : values) squares += static_cast<double>(value) * value;
    if (normalize_ && squares == 0) return absl::OkStatus();
    const double factor = normalize_ ? 1 / std::sqrt(squares) : 1;
    result->embedding.reserve(values.size());
    for (const float value : values) result->embedding.push_back(static_cast<float>(value * factor));
    return absl::OkStatus();
  }

 private:
  const bool normalize_;
  const size_t graph_outputs_;
  const OutputUses uses_;
  const int64_t length_;
};

enum class Kind { kPerson, kFace, kOther };

Kind KindOf(const PictureInput& picture) {
  if (picture.size.height == 2 * picture.size.width && picture.size.width >= 64) return Kind::kPerson;
  return picture.size == Size{112, 112} ? Kind::kFace : Kind::kOther;
}

int Confidence(const GraphSignature& graph, Kind kind, int64_t length) {
  const std::string name = Lower(graph.outputs[0].name);
  const auto named = [&](std::string_view part) { return name.find(part) != std::string::npos; };
  if (!MetadataLabels(graph).empty() || Metadata(graph, "task") == "classify") return 5;
  if (named("embed") || named("feat")) return 92;
  if (named("logit") || named("prob") || named("softmax") || named("class")) return 10;
  if (length < 64) return 10;
  const bool usual = length == 64 || length == 128 || length == 192 || length == 256 || length == 384 ||
                     length == 512 || length == 768 || length == 1024 || length == 1280 || length == 1536 ||
                     length == 2048;
  if (kind != Kind::kOther) return usual ? 90 : 55;
  return usual ? 60 : 15;
}

absl::StatusOr<std::optional<Recognition>> Recognise(const GraphSignature& graph, bool forced) {
  const auto picture = FindPictureInput(graph);
  if (!picture) return DoesNotFit(forced, "embedding", "it has no picture input");
  if (graph.outputs.size() != 1) {
    return DoesNotFit(forced, "embedding", fmt::format("it has {} outputs", graph.outputs.size()));
  }
  const TensorSpec& output = graph.outputs[0];
  const absl::StatusOr<int64_t> length = VectorLength(output);
  if (!length.ok()) return DoesNotFit(forced, "embedding", MessageOf(length.status()));
  if (*length == 1) return DoesNotFit(forced, "embedding", "it gives one number a picture");
  const Kind kind = KindOf(*picture);
  Recognition found = StartRecognition("embedding", graph, *picture, {224, 224});
  if (kind == Kind::kPerson && picture->layout == TensorLayout::kNhwc) {
    // Channels last at this size are conversions of OpenVINO's re-identification models.
    SetCustomary({ColorOrder::kBgr, ResizeMode::kStretch}, &found);
    found.unknown.emplace_back("input: BGR 0..255 is assumed, as in OpenVINO's models (channels last)");
  } else if (kind == Kind::kFace) {
    SetCustomary({ColorOrder::kRgb,
                  ResizeMode::kStretch,
                  LetterboxAnchor::kCenter,
                  0,
                  1,
                  {127.5f, 127.5f, 127.5f},
                  {127.5f, 127.5f, 127.5f}},
                 &found);
    found.unknown.emplace_back("input: RGB (x - 127.5) / 127.5 is assumed, as in ArcFace");
  } else {
    SetCustomary(ImageNetInput(ResizeMode::kStretch), &found);
    found.unknown.emplace_back("input: RGB with ImageNet's mean and std, stretched, is assumed");
  }
  found.confidence = Confidence(graph, kind, *length);
  found.reason = fmt::format("output {}: one vector a picture{}", ToString(output.shape),
                             kind == Kind::kPerson ? ", of an upright person's crop"
                             : kind == Kind::kFace ? ", of an aligned face"
                                                   : "");
  return found;
}

absl::StatusOr<std::unique_ptr<Head>> Create(const ModelCard& card, const GraphSignature& graph) {
  ASSIGN_OR_RETURN(const int index, OnlyOutput(card, graph, "embedding", "embedding"));
  OutputUses uses = {{index}};
  RETURN_IF_ERROR(CheckOutputTypes(graph, uses));
  const absl::StatusOr<int64_t> length = VectorLength(graph.outputs[index]);
  if (!length.ok()) return Annotate(length.status(), "embedding");
  return std::make_unique<Embedding>(card, graph, std::move(uses), *length);
}

}  // namespace

constinit const HeadFamily kEmbedding = {"embedding", Task::kEmbed,
                                         "Embeddings for re-identification and search", Recognise, Create};

}  // namespace sightline::postprocess
