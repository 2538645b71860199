// Attributes: several small answers about one picture, such as the age and gender of a face. Each is a slice
// of an output [N, D]: softmax (best label and its probability), sigmoid (yes or no), expectation (a softmax
// over values, such as one class a year) or regression (a number).
#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "base/text.h"
#include "stages/postprocess/detector.h"
#include "stages/postprocess/families.h"
#include "stages/postprocess/signature.h"
#include "stages/postprocess/vector_head.h"

namespace sightline::postprocess {
namespace {

class Attributes final : public Head {
 public:
  Attributes(const ModelCard& card, const GraphSignature& graph, OutputUses uses)
      : attributes_(card.head.attributes), graph_outputs_(graph.outputs.size()), uses_(std::move(uses)) {}

  // An attribute whose values are not finite is left out.
  absl::Status Decode(absl::Span<const TensorView> outputs, int batch, const InputTransform&,
                      Scratch* scratch, HeadResult* result) const override {
    result->Clear();
    Outputs read;
    RETURN_IF_ERROR(ReadOutputs(outputs, uses_, graph_outputs_, batch, &scratch->converted, &read));
    for (size_t i = 0; i < attributes_.size(); ++i) {
      const AttributeCard& card = attributes_[i];
      ASSIGN_OR_RETURN(const absl::Span<const float> all, ReadVector(read[i], -1));
      const size_t offset = static_cast<size_t>(card.offset), count = static_cast<size_t>(card.count);
      if (offset >= all.size() || count > all.size() - offset) {
        return ShapeError(fmt::format("values of {}", card.name), read[i],
                          fmt::format("at least {}", offset + std::max<size_t>(count, 1)));
      }
      const absl::Span<const float> values = all.subspan(offset, count == 0 ? all.size() - offset : count);
      if (!AllFinite(values)) continue;
      ASSIGN_OR_RETURN(const Attribute attribute, Read(card, values, scratch));
      if (std::isfinite(attribute.number) || std::isfinite(attribute.score))
        result->attributes.push_back(attribute);
    }
    return absl::OkStatus();
  }

 private:
  static absl::StatusOr<Attribute> Read(const AttributeCard& card, absl::Span<const float> values,
                                        Scratch* scratch) {
    Attribute attribute;
    attribute.name = card.name;
    if (card.kind == AttributeKind::kRegression || card.kind == AttributeKind::kSigmoid) {
      if (values.size() != 1) {
        return absl::InvalidArgumentError(
            fmt::format("{}: expected one value, got {}", card.name, values.size()));
      }
      if (card.kind == AttributeKind::kRegression) {
        attribute.number = values[0] * card.scale + card.bias;
      } else {
        SetSigmoid(card, std::clamp(card.logits ? Sigmoid(values[0]) : values[0], 0.f, 1.f), &attribute);
      }
      return attribute;
    }
    const bool softmax = card.kind == AttributeKind::kSoftmax;
    const size_t named = softmax ? card.labels.size() : card.values.size();
    if (named != 0 && named != values.size()) {
      return absl::InvalidArgumentError(fmt::format("{}: {} {}, but {} values", card.name, named,
                                                    softmax ? "labels" : "values of classes", values.size()));
    }
    absl::Span<const float> probabilities = values;
    if (card.logits) {
      scratch->work.resize(std::max(scratch->work.size(), values.size()));
      const absl::Span<float> normalized(scratch->work.data(), values.size());
      Softmax(values, normalized);
      probabilities = normalized;
    }
    if (softmax) {
      const BestClass best = FindBestClass(probabilities.data(), static_cast<int>(probabilities.size()));
      if (card.labels.empty()) {
        attribute.number = static_cast<float>(best.id);
      } else {
        attribute.value = card.labels[best.id];
      }
      attribute.score = std::clamp(best.score, 0.f, 1.f);
      return attribute;
    }
    double expectation = 0;
    for (size_t i = 0; i < probabilities.size(); ++i) {
      expectation += static_cast<double>(probabilities[i]) *
                     (card.values.empty() ? static_cast<double>(i) : card.values[i]);
    }
    attribute.number = static_cast<float>(expectation) * card.scale + card.bias;
    return attribute;
  }

  // Two labels: the likelier one and its probability. One label (or none): it when likelier than not, and its
  // probability.
  static void SetSigmoid(const AttributeCard& card, float probability, Attribute* attribute) {
    const bool positive = probability >= 0.5f;
    attribute->score = probability;
    if (card.labels.size() == 2) {
      attribute->value = card.labels[positive ? 1 : 0];
      attribute->score = positive ? probability : 1 - probability;
    } else if (positive) {
      attribute->value = card.labels.empty() ? std::string_view(card.name) : std::string_view(card.labels[0]);
    }
  }

  const std::vector<AttributeCard>& attributes_;
  const size_t graph_outputs_;
  const OutputUses uses_;  // one an attribute
};

bool Contains(std::string_view text, std::string_view part) {
  return Lower(text).find(part) != std::string::npos;
}

// A face crop as face-api and most age and gender models take it: square, with black beside it.
InputCustom FaceCrop(ColorOrder color, float scale, std::array<float, 3> mean, float std) {
  return {color, ResizeMode::kLetterbox, LetterboxAnchor::kCenter, 0, scale, mean, {std, std, std}};
}

// The published models that their outputs give away.
bool RecogniseKnown(const GraphSignature& graph, const PictureInput& picture, Recognition* found) {
  const auto has = [&](std::string_view name, int64_t length) {
    return std::any_of(graph.outputs.begin(), graph.outputs.end(), [&](const TensorSpec& spec) {
      return spec.name == name && VectorLength(spec).value_or(0) == length;
    });
  };
  std::vector<AttributeCard>& attributes = found->head.attributes;
  const auto add = [&](std::string_view name, std::string_view output, AttributeKind kind) -> AttributeCard& {
    AttributeCard& card = attributes.emplace_back();
    card.name = name;
    card.output = output;
    card.kind = kind;
    if (name == "age") card.unit = "years";
    return card;
  };
  if (graph.outputs.size() == 2 && has("age", 1) && has("gender", 2)) {
    SetCustomary(FaceCrop(ColorOrder::kRgb, 1, {122.782f, 117.001f, 104.298f}, 256), found);
    add("age", "age", AttributeKind::kRegression);
    add("gender", "gender", AttributeKind::kSoftmax).labels = {"male", "female"};
    found->unknown.emplace_back("input: the normalisation of face-api's age and gender model is assumed");
    found->unknown.emplace_back("attributes.gender: probabilities, male first, are assumed");
    found->confidence = 90;
    return true;
  }
  if (graph.outputs.size() == 2 && has("age_conv3", 1) &&
      has("prob", 2)) {  // OpenVINO, age-gender-recognition-retail
    SetCustomary(FaceCrop(ColorOrder::kBgr, 1, {0, 0, 0}, 1), found);
    add("age", "age_conv3", AttributeKind::kRegression).scale = 100;
    add("gender", "prob", AttributeKind::kSoftmax).labels = {"female", "male"};
    found->confidence = 92;
    return true;
  }
  if (graph.outputs.size() == 1 && has("fc1", 3) && picture.size == Size{96, 96}) {  // InsightFace, genderage
    SetCustomary(FaceCrop(ColorOrder::kRgb, 1, {0, 0, 0}, 1), found);
    AttributeCard& gender = add("gender", "fc1", AttributeKind::kSoftmax);
    gender.labels = {"female", "male"};
    gender.logits = true;
    gender.count = 2;
    AttributeCard& age = add("age", "fc1", AttributeKind::kRegression);
    age.offset = 2;
    age.count = 1;
    age.scale = 100;
    found->confidence = 85;
    return true;
  }
  return false;
}

// One attribute an output, named after it, with what its length suggests.
void DraftAttributes(const GraphSignature& graph, Recognition* found) {
  int telling = 0;
  for (const TensorSpec& spec : graph.outputs) {
    AttributeCard& card = found->head.attributes.emplace_back();
    card.name = spec.name;
    card.output = spec.name;
    const int64_t length = VectorLength(spec).value_or(-1);
    const bool age = Contains(spec.name, "age") && !Contains(spec.name, "image");
    for (const std::string_view word :
         {"gender", "sex", "emotion", "race", "mask", "smile", "color", "type", "glasses"}) {
      telling += Contains(spec.name, word) ? 1 : 0;
    }
    telling += age ? 1 : 0;
    if (length == 1) {
      card.kind = age ? AttributeKind::kRegression : AttributeKind::kSigmoid;
    } else {
      card.kind = age && length > 20 ? AttributeKind::kExpectation : AttributeKind::kSoftmax;
    }
    if (age) card.unit = "years";
    card.logits = card.kind != AttributeKind::kRegression && !Contains(spec.name, "prob") &&
                  !Contains(spec.name, "softmax");
    found->unknown.push_back(fmt::format("attributes.{}: kind, logits and labels are guessed from {}",
                                         card.name, ToString(spec.shape)));
  }
  const int outputs = static_cast<int>(graph.outputs.size());
  found->confidence = telling == outputs ? 75 : outputs > 1 ? 55 : telling > 0 ? 60 : 25;
  SetCustomary(ImageNetInput(ResizeMode::kLetterbox), found);
  found->input.pad = {0, 0, 0};
  found->unknown.emplace_back("input: RGB with ImageNet's mean and std is assumed");
}

absl::StatusOr<std::optional<Recognition>> Recognise(const GraphSignature& graph, bool forced) {
  constexpr int64_t kLengthMax = 256;
  constexpr size_t kOutputsMax = 64;
  const auto picture = FindPictureInput(graph);
  if (!picture) return DoesNotFit(forced, "attributes", "it has no picture input");
  if (graph.outputs.empty() || graph.outputs.size() > kOutputsMax) {
    return DoesNotFit(forced, "attributes", fmt::format("it has {} outputs", graph.outputs.size()));
  }
  for (const TensorSpec& spec : graph.outputs) {
    const absl::StatusOr<int64_t> length = VectorLength(spec);
    if (!length.ok()) return DoesNotFit(forced, "attributes", MessageOf(length.status()));
    if (*length > kLengthMax) {
      return DoesNotFit(forced, "attributes", fmt::format("output {} has {} values", spec.name, *length));
    }
  }
  Recognition found = StartRecognition("attributes", graph, *picture, {112, 112});
  if (!RecogniseKnown(graph, *picture, &found)) DraftAttributes(graph, &found);
  std::vector<std::string> outputs;
  for (const TensorSpec& spec : graph.outputs)
    outputs.push_back(fmt::format("{} {}", spec.name, ToString(spec.shape)));
  found.reason = fmt::format("small outputs {}", Join(outputs, ", "));
  return found;
}

absl::Status CheckAttribute(const AttributeCard& card, const TensorSpec& spec) {
  const absl::StatusOr<int64_t> length = VectorLength(spec);
  if (!length.ok()) return length.status();
  if (card.offset < 0 || card.count < 0 || card.offset > 1'000'000 || card.count > 1'000'000 ||
      (*length >= 0 && (card.offset >= *length || card.offset + int64_t{card.count} > *length))) {
    return absl::InvalidArgumentError(fmt::format("offset {} and count {} do not lie in output {} {}",
                                                  card.offset, card.count, spec.name, ToString(spec.shape)));
  }
  const int64_t count = card.count > 0 ? card.count : *length < 0 ? -1 : *length - card.offset;
  const bool one = card.kind == AttributeKind::kSigmoid || card.kind == AttributeKind::kRegression;
  if (one && count >= 0 && count != 1) {
    return absl::InvalidArgumentError(
        fmt::format("takes one value, but the slice has {} (offset and count)", count));
  }
  if (card.kind == AttributeKind::kSigmoid && card.labels.size() > 2) {
    return absl::InvalidArgumentError("a sigmoid has one or two labels");
  }
  const size_t named = card.kind == AttributeKind::kSoftmax       ? card.labels.size()
                       : card.kind == AttributeKind::kExpectation ? card.values.size()
                                                                  : 0;
  if (named != 0 && count >= 0 && static_cast<int64_t>(named) != count) {
    return absl::InvalidArgumentError(fmt::format("{} labels or values for {} classes", named, count));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Head>> Create(const ModelCard& card, const GraphSignature& graph) {
  if (card.head.attributes.empty()) return absl::InvalidArgumentError("head.attributes: none named");
  if (graph.outputs.empty()) return absl::InvalidArgumentError("attributes: the graph has no outputs");
  OutputUses uses;
  for (const AttributeCard& attribute : card.head.attributes) {
    int index = attribute.output.empty() && graph.outputs.size() == 1 ? 0 : -1;
    std::vector<std::string> names;
    for (size_t i = 0; i < graph.outputs.size(); ++i) {
      if (!attribute.output.empty() && graph.outputs[i].name == attribute.output) index = static_cast<int>(i);
      names.push_back(graph.outputs[i].name);
    }
    if (index < 0) {
      return absl::NotFoundError(
          fmt::format("head.attributes.{}.output: the graph has no output {}; it has {}", attribute.name,
                      attribute.output, Join(names, ", ")));
    }
    RETURN_IF_ERROR(Annotate(CheckAttribute(attribute, graph.outputs[index]),
                             fmt::format("head.attributes.{}", attribute.name)));
    uses.push_back({index});
  }
  RETURN_IF_ERROR(CheckOutputTypes(graph, uses));
  return std::make_unique<Attributes>(card, graph, std::move(uses));
}

}  // namespace

constinit const HeadFamily kAttributes = {"attributes", Task::kClassify,
                                          "Several answers about one picture, such as age and gender",
                                          Recognise, Create};

}  // namespace sightline::postprocess
