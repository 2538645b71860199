// SSD (Liu et al. 2016) as UltraFace exports it: class scores [N, priors, C] after the softmax and boxes [N,
// priors, 4].
//   decoded  boxes are x1, y1, x2, y2 in 0..1 of the input
//   raw      boxes are offsets from priors: centre = prior centre + xy * variance0 * prior size,
//            size = prior size * exp(wh * variance1). Priors: for each cell of each stride one square of each
//            of that stride's min_sizes (pixels), in 0..1 of the input and cut to it. A stride's cells share
//            the input evenly, also where the stride does not divide it
// Each class is judged by itself, so a prior may give a box of several classes. class_id counts without the
// background.
#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "base/text.h"
#include "stages/postprocess/detector.h"
#include "stages/postprocess/families.h"
#include "stages/postprocess/grid.h"
#include "stages/postprocess/signature.h"

namespace sightline::postprocess {
namespace {

const std::vector<int> kStrides = {8, 16, 32, 64};
const std::vector<std::vector<float>> kMinSizes = {{10, 16, 24}, {32, 48}, {64, 96}, {128, 192, 256}};

int64_t PriorCount(const Levels& levels, const std::vector<std::vector<float>>& min_sizes) {
  int64_t count = 0;
  for (size_t l = 0; l < levels.size(); ++l)
    count += levels[l].cells() * static_cast<int64_t>(min_sizes[l].size());
  return count;
}

class Ssd final : public DetectorHead {
 public:
  Ssd(const ModelCard& card, const GraphSignature& graph, OutputUses uses, int columns)
      : DetectorHead(card, graph, std::move(uses)),
        columns_(columns),
        strides_(StridesOr(card.head, kStrides)),
        min_sizes_(card.head.min_sizes.empty() ? kMinSizes : card.head.min_sizes) {}

 private:
  absl::Status Collect(const Outputs& outputs, const InputTransform& transform, Scratch*,
                       CandidateSink* sink) const override {
    const Output& scores = outputs[0];
    const Output& boxes = outputs[1];
    if (scores.shape.size() != 2 || scores.shape[1] != columns_) {
      return ShapeError("SSD scores", scores, fmt::format("[?,{}]", columns_));
    }
    const int64_t count = scores.shape[0];
    if (boxes.shape.size() != 2 || boxes.shape[0] != count || boxes.shape[1] != 4) {
      return ShapeError("SSD boxes", boxes, fmt::format("[{},4]", count));
    }
    Levels levels;
    if (!head().boxes_decoded) {
      levels = MakeLevels(transform.input, strides_);
      if (PriorCount(levels, min_sizes_) != count) {
        return ShapeError("SSD scores", scores,
                          fmt::format("[{},{}]", PriorCount(levels, min_sizes_), columns_));
      }
    }
    const int background = head().background_class;
    for (int c = 0; c < columns_; ++c) {
      if (c == background) continue;
      const int class_id = background >= 0 && c > background ? c - 1 : c;
      for (int64_t i = 0; i < count; ++i) {
        const float score = scores.data[i * columns_ + c];
        if (!(score >= min_score())) continue;
        Box box = head().boxes_decoded ? Box{boxes.data[4 * i], boxes.data[4 * i + 1], boxes.data[4 * i + 2],
                                             boxes.data[4 * i + 3]}
                                       : DecodeBox(boxes.data + 4 * i, i, levels, transform.input);
        const float width = static_cast<float>(transform.input.width);
        const float height = static_cast<float>(transform.input.height);
        sink->Add({box.x1 * width, box.y1 * height, box.x2 * width, box.y2 * height}, score, class_id, i);
      }
    }
    return absl::OkStatus();
  }

  Box DecodeBox(const float* offsets, int64_t prior, const Levels& levels, Size input) const {
    size_t l = 0;
    while (prior >= levels[l].cells() * static_cast<int64_t>(min_sizes_[l].size())) {
      prior -= levels[l].cells() * static_cast<int64_t>(min_sizes_[l].size());
      ++l;
    }
    const auto sizes = static_cast<int64_t>(min_sizes_[l].size());
    const int64_t cell = prior / sizes;
    const float side = min_sizes_[l][prior % sizes];
    const auto place = [](int64_t index, int cells) {
      return (static_cast<float>(index) + 0.5f) / static_cast<float>(cells);
    };
    const float x = place(cell % levels[l].columns, levels[l].columns);
    const float y = place(cell / levels[l].columns, levels[l].rows);
    const float prior_width = std::min(side / static_cast<float>(input.width), 1.f);
    const float prior_height = std::min(side / static_cast<float>(input.height), 1.f);
    const auto [center_variance, size_variance] = head().variances;
    const float cx = x + offsets[0] * center_variance * prior_width,
                cy = y + offsets[1] * center_variance * prior_height;
    const float width = prior_width * std::exp(offsets[2] * size_variance);
    const float height = prior_height * std::exp(offsets[3] * size_variance);
    return {cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2};
  }

  const int columns_;
  const std::vector<int> strides_;
  const std::vector<std::vector<float>> min_sizes_;
};

bool HasAnyOf(const std::string& name, std::initializer_list<std::string_view> parts) {
  const std::string lower = Lower(name);
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return lower.find(part) != std::string::npos; });
}

// Scores, then boxes, of two outputs: boxes have four columns; of two such, the one that is called so.
std::optional<std::pair<int, int>> ScoresAndBoxes(const GraphSignature& graph) {
  if (graph.outputs.size() != 2) return std::nullopt;
  int boxes = -1;
  for (int i = 0; i < 2; ++i) {
    const TensorSpec& spec = graph.outputs[i];
    if (spec.shape.size() != 3) return std::nullopt;
    if (Extent(spec, 2) != 4) continue;
    if (boxes < 0 || HasAnyOf(spec.name, {"box", "loc"})) boxes = i;
  }
  if (boxes < 0) return std::nullopt;
  const int64_t a = Extent(graph.outputs[0], 1), b = Extent(graph.outputs[1], 1);
  if (a >= 0 && b >= 0 && a != b) return std::nullopt;
  const int64_t columns = Extent(graph.outputs[1 - boxes], 2);
  if (columns == 0) return std::nullopt;
  return std::pair(1 - boxes, boxes);
}

absl::StatusOr<std::optional<Recognition>> Recognise(const GraphSignature& graph, bool forced) {
  const auto picture = FindPictureInput(graph);
  if (!picture) return DoesNotFit(forced, "ssd", "it has no picture input");
  const auto pair = ScoresAndBoxes(graph);
  if (!pair)
    return DoesNotFit(forced, "ssd", "it has no pair of outputs [N, priors, classes] and [N, priors, 4]");
  const TensorSpec& scores = graph.outputs[pair->first];
  const int64_t priors = Extent(scores, 1), columns = Extent(scores, 2);
  const bool ultraface = columns == 2 && priors >= 0 && !picture->size.empty() &&
                         priors == PriorCount(MakeLevels(picture->size, kStrides), kMinSizes);
  Recognition found = StartRecognition("ssd", graph, *picture, {320, 240});
  SetCustomary({ColorOrder::kRgb,
                ResizeMode::kStretch,
                LetterboxAnchor::kCenter,
                127,
                1,
                {127, 127, 127},
                {128, 128, 128}},
               &found);
  found.head.iou = 0.3f;
  found.head.min_score = 0.6f;
  found.head.background_class = columns >= 0 && columns < 2 ? -1 : 0;
  SetLabels(graph, columns < 0 ? -1 : columns - (columns > 1 ? 1 : 0),
            columns == 2 && ultraface ? std::vector<std::string>{"face"} : std::vector<std::string>(),
            &found);
  found.head.strides = kStrides;
  found.head.min_sizes = kMinSizes;
  const std::string& box_name = graph.outputs[pair->second].name;
  found.head.boxes_decoded = !HasAnyOf(box_name, {"loc", "delta", "offset", "raw"});
  found.unknown.push_back(
      fmt::format("head.boxes_decoded: the signature cannot show whether {} are boxes or offsets from "
                  "priors; {} is assumed (--set "
                  "head.boxes_decoded={} for an export without postprocessing)",
                  box_name, found.head.boxes_decoded ? "boxes" : "offsets", !found.head.boxes_decoded));
  if (!ultraface) {
    found.unknown.emplace_back("head.background_class: the first class is taken for the background");
    found.unknown.emplace_back("input: the normalisation of UltraFace is assumed");
  }
  found.confidence = ultraface ? 92 : 55;
  found.reason =
      fmt::format("scores {} and boxes {}{}", ToString(scores.shape),
                  ToString(graph.outputs[pair->second].shape), ultraface ? ": the priors of UltraFace" : "");
  return found;
}

absl::Status CheckPriors(const HeadCard& head) {
  const auto& min_sizes = head.min_sizes.empty() ? kMinSizes : head.min_sizes;
  const size_t strides = StridesOr(head, kStrides).size();
  if (min_sizes.size() != strides) {
    return absl::InvalidArgumentError(
        fmt::format("head.min_sizes: {} groups for {} strides", min_sizes.size(), strides));
  }
  for (const auto& sizes : min_sizes) {
    const bool fine =
        !sizes.empty() && sizes.size() <= 64 &&
        std::all_of(sizes.begin(), sizes.end(), [](float size) { return size > 0 && size < 1e6f; });
    if (!fine) return absl::InvalidArgumentError("head.min_sizes: each stride needs 1 to 64 sizes above 0");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Head>> Create(const ModelCard& card, const GraphSignature& graph) {
  RETURN_IF_ERROR(CheckDetectorCard(card.head));
  if (!card.head.boxes_decoded) RETURN_IF_ERROR(CheckPriors(card.head));
  ASSIGN_OR_RETURN(int scores, OutputForRole(card, graph, "scores"));
  ASSIGN_OR_RETURN(int boxes, OutputForRole(card, graph, "boxes"));
  if (scores < 0 || boxes < 0) {
    const auto pair = ScoresAndBoxes(graph);
    if (!pair) {
      return absl::InvalidArgumentError(
          "ssd: the graph's outputs are no pair [N, priors, classes] and [N, priors, 4]; name them as "
          "head.outputs.scores "
          "and head.outputs.boxes");
    }
    std::tie(scores, boxes) = *pair;
  }
  OutputUses uses = {{scores}, {boxes}};
  RETURN_IF_ERROR(CheckOutputTypes(graph, uses));
  const int64_t columns = Extent(graph.outputs[scores], 2);
  const int background = card.head.background_class;
  if (background < -1 || (columns >= 0 && background >= columns)) {
    return absl::InvalidArgumentError(
        fmt::format("head.background_class: the graph has classes 0 to {}", columns - 1));
  }
  const int without = background >= 0 ? 1 : 0;
  ASSIGN_OR_RETURN(const int classes, ClassCount(card.head, columns < 0 ? -1 : columns - without));
  return std::make_unique<Ssd>(card, graph, std::move(uses), classes + without);
}

}  // namespace

constinit const HeadFamily kSsd = {"ssd", Task::kDetect, "SSD detectors with scores and boxes (UltraFace)",
                                   Recognise, Create};

}  // namespace sightline::postprocess
