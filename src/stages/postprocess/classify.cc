// Classifiers: one output [N, C] or [N, C, 1, 1], logits or probabilities; the best top_k classes come out,
// none below min_score.
#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "base/text.h"
#include "stages/postprocess/families.h"
#include "stages/postprocess/signature.h"
#include "stages/postprocess/vector_head.h"

namespace sightline::postprocess {
namespace {

constexpr int64_t kClassesMax = 100'000;
constexpr float kWorthSaying = 0.05f;  // of the best k classes; detectors ask for more

class Classify final : public Head {
 public:
  Classify(const ModelCard& card, const GraphSignature& graph, OutputUses uses, int64_t classes)
      : head_(card.head), graph_outputs_(graph.outputs.size()), uses_(std::move(uses)), classes_(classes) {}

  // Nothing comes out for values that are not finite.
  absl::Status Decode(absl::Span<const TensorView> outputs, int batch, const InputTransform&,
                      Scratch* scratch, HeadResult* result) const override {
    result->Clear();
    Outputs read;
    RETURN_IF_ERROR(ReadOutputs(outputs, uses_, graph_outputs_, batch, &scratch->converted, &read));
    ASSIGN_OR_RETURN(absl::Span<const float> scores, ReadVector(read[0], classes_));
    if (!AllFinite(scores)) return absl::OkStatus();
    if (head_.logits) {
      scratch->work.resize(std::max(scratch->work.size(), scores.size()));
      const absl::Span<float> probabilities(scratch->work.data(), scores.size());
      Softmax(scores, probabilities);
      scores = probabilities;
    }
    for (size_t c = 0; c < scores.size(); ++c)
      Offer({static_cast<int>(c), scores[c]}, &result->classifications);
    for (Classification& kept : result->classifications) kept.score = std::clamp(kept.score, 0.f, 1.f);
    while (!result->classifications.empty() && result->classifications.back().score < head_.min_score) {
      result->classifications.pop_back();
    }
    return absl::OkStatus();
  }

 private:
  // Keeps the list sorted and no longer than top_k; of equal scores the lower class comes first.
  void Offer(const Classification& offered, std::vector<Classification>* best) const {
    const bool full = best->size() == static_cast<size_t>(head_.top_k);
    if (full && offered.score <= best->back().score) return;
    if (full) best->pop_back();
    const auto place =
        std::upper_bound(best->begin(), best->end(), offered,
                         [](const Classification& a, const Classification& b) { return a.score > b.score; });
    best->insert(place, offered);
  }

  const HeadCard& head_;
  const size_t graph_outputs_;
  const OutputUses uses_;
  const int64_t classes_;
};

bool Contains(std::string_view text, std::string_view part) {
  return Lower(text).find(part) != std::string::npos;
}

// How likely [N, classes] of this graph are classes and not an embedding or a list of attributes.
int Confidence(const GraphSignature& graph, const PictureInput& picture, int64_t classes) {
  const std::string& name = graph.outputs[0].name;
  if (Metadata(graph, "task") == "classify") return 97;
  if (static_cast<int64_t>(MetadataLabels(graph).size()) == classes) return 92;
  if (Contains(name, "embed") || Contains(name, "feat")) return 10;
  if (Contains(name, "logit") || Contains(name, "prob") || Contains(name, "softmax") ||
      Contains(name, "class"))
    return 90;
  if (classes == 1000 || classes == 1001) return 85;
  if (picture.channels == 1) return 75;
  if (classes < 0) return 40;
  return classes < 64 ? 70 : classes % 64 == 0 ? 35 : 60;
}

// What the graph's way of normalising is likely to be.
void SetInput(const GraphSignature& graph, const PictureInput& picture, int64_t classes, Recognition* found) {
  if (Metadata(graph, "task") == "classify" && IsUltralytics(graph)) {
    SetCustomary({ColorOrder::kRgb, ResizeMode::kCenterCrop, LetterboxAnchor::kCenter, 0, 1 / 255.f}, found);
    return;
  }
  if (picture.channels == 1) {
    const bool raw = graph.producer == "CNTK";  // its model zoo (MNIST) takes samples as they are
    InputCustom custom{ColorOrder::kGray, ResizeMode::kStretch, LetterboxAnchor::kCenter, 0,
                       raw ? 1 : 1 / 255.f};
    if (!raw) {
      custom.mean.fill(0.5f);
      custom.std.fill(0.5f);
    }
    SetCustomary(custom, found);
    std::string_view assumed =
        "input: (x / 255 - 0.5) / 0.5 is assumed (--set input.mean=..., input.std=...)";
    if (raw) assumed = "input: samples 0..255 without normalisation are assumed, light on dark";
    found->unknown.emplace_back(assumed);
    return;
  }
  const bool imagenet = classes == 1000 || classes == 1001;
  SetCustomary(ImageNetInput(imagenet ? ResizeMode::kCenterCrop : ResizeMode::kStretch), found);
  if (imagenet) return;
  found->unknown.emplace_back("input: RGB with ImageNet's mean and std, stretched, is assumed");
}

absl::StatusOr<std::optional<Recognition>> Recognise(const GraphSignature& graph, bool forced) {
  const auto picture = FindPictureInput(graph);
  if (!picture) return DoesNotFit(forced, "classify", "it has no picture input");
  if (graph.outputs.size() != 1) {
    return DoesNotFit(forced, "classify", fmt::format("it has {} outputs", graph.outputs.size()));
  }
  const TensorSpec& output = graph.outputs[0];
  const absl::StatusOr<int64_t> classes = VectorLength(output);
  if (!classes.ok()) return DoesNotFit(forced, "classify", MessageOf(classes.status()));
  if (*classes == 1) return DoesNotFit(forced, "classify", "it gives one number a picture (attributes?)");
  if (*classes > kClassesMax) return DoesNotFit(forced, "classify", fmt::format("{} classes", *classes));
  Recognition found = StartRecognition("classify", graph, *picture, {224, 224});
  SetInput(graph, *picture, *classes, &found);
  SetLabels(graph, *classes, {}, &found);
  const std::string& name = output.name;
  const bool probabilities = Contains(name, "prob") || Contains(name, "softmax") ||
                             (Metadata(graph, "task") == "classify" && IsUltralytics(graph));
  found.head.logits = !probabilities;
  if (!probabilities && !Contains(name, "logit")) {
    found.unknown.emplace_back(
        "head.logits: the signature cannot show whether the graph ends in a softmax; logits are assumed "
        "(--set "
        "head.logits=false)");
  }
  found.head.min_score = kWorthSaying;
  found.head.top_k = *classes > 0 ? static_cast<int>(std::min<int64_t>(5, *classes)) : 5;
  found.confidence = Confidence(graph, *picture, *classes);
  found.reason = fmt::format("output {}: one score for each of {} classes", ToString(output.shape),
                             *classes < 0 ? "some" : fmt::format("{}", *classes));
  return found;
}

absl::StatusOr<std::unique_ptr<Head>> Create(const ModelCard& card, const GraphSignature& graph) {
  if (card.head.top_k < 1 || card.head.top_k > kClassesMax) {
    return absl::InvalidArgumentError("head.top_k: not between 1 and 100000");
  }
  ASSIGN_OR_RETURN(const int index, OnlyOutput(card, graph, "classify", "scores"));
  OutputUses uses = {{index}};
  RETURN_IF_ERROR(CheckOutputTypes(graph, uses));
  const absl::StatusOr<int64_t> length = VectorLength(graph.outputs[index]);
  if (!length.ok()) return Annotate(length.status(), "classify");
  const int64_t labels = static_cast<int64_t>(card.head.labels.size());
  if (*length >= 0 && labels > 0 && labels != *length) {
    return absl::InvalidArgumentError(
        fmt::format("head.labels: {} labels, but the graph has {} classes", labels, *length));
  }
  const int64_t classes = *length >= 0 ? *length : labels > 0 ? labels : -1;
  return std::make_unique<Classify>(card, graph, std::move(uses), classes);
}

}  // namespace

constinit const HeadFamily kClassify = {
    "classify", Task::kClassify, "Classifiers (logits or probabilities, best k classes)", Recognise, Create};

}  // namespace sightline::postprocess
