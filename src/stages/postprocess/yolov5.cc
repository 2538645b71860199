// YOLOv5 (and YOLOv7) with anchors, in the two forms in which it is exported:
//   decoded  [N, predictions, 5 + C]: x, y, w, h in input pixels, objectness, classes; nothing is left to do
//   raw      one [N, anchors, rows, columns, 5 + C] per stride, before the sigmoid:
//            centre = (2 * sigmoid(xy) - 0.5 + cell) * stride, size = (2 * sigmoid(wh))^2 * anchor
// Score = objectness * class in both.
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

const std::vector<int> kStrides = {8, 16, 32}, kStrides4 = {8, 16, 32, 64};
const std::vector<std::vector<float>> kAnchors = {
    {10, 13, 16, 30, 33, 23}, {30, 61, 62, 45, 59, 119}, {116, 90, 156, 198, 373, 326}};

class Yolov5Decoded final : public DetectorHead {
 public:
  Yolov5Decoded(const ModelCard& card, const GraphSignature& graph, OutputUses uses, int classes)
      : DetectorHead(card, graph, std::move(uses)), classes_(classes) {}

 private:
  absl::Status Collect(const Outputs& outputs, const InputTransform&, Scratch*,
                       CandidateSink* sink) const override {
    const Output& output = outputs[0];
    if (output.shape.size() != 2 || output.shape[1] != 5 + classes_) {
      return ShapeError("YOLOv5 predictions", output, fmt::format("[?,{}]", 5 + classes_));
    }
    const float* row = output.data;
    for (int64_t i = 0; i < output.shape[0]; ++i, row += 5 + classes_) {
      if (!(row[4] >= min_score())) continue;
      const BestClass best = FindBestClass(row + 5, classes_);
      const float score = row[4] * best.score;
      if (score >= min_score()) sink->AddCentered(row[0], row[1], row[2], row[3], score, best.id, i);
    }
    return absl::OkStatus();
  }

  const int classes_;
};

class Yolov5Raw final : public DetectorHead {
 public:
  Yolov5Raw(const ModelCard& card, const GraphSignature& graph, OutputUses uses, int classes)
      : DetectorHead(card, graph, std::move(uses)),
        classes_(classes),
        strides_(StridesOr(card.head, kStrides)),
        anchors_(card.head.anchors.empty() ? kAnchors : card.head.anchors),
        // Below this logit the sigmoid cannot reach min_score, with room for rounding.
        min_logit_(std::min(std::log(min_score() / (1 - min_score())) - 0.01f, 10.f)) {}

 private:
  absl::Status Collect(const Outputs& outputs, const InputTransform& transform, Scratch*,
                       CandidateSink* sink) const override {
    const Levels levels = MakeLevels(transform.input, strides_);
    int64_t index = 0;
    for (size_t l = 0; l < levels.size(); ++l) {
      const Output& output = outputs[l];
      const Level& level = levels[l];
      const int64_t anchors = static_cast<int64_t>(anchors_[l].size() / 2);
      if (output.shape.size() != 4 || output.shape[0] != anchors || output.shape[1] != level.rows ||
          output.shape[2] != level.columns || output.shape[3] != 5 + classes_) {
        return ShapeError(fmt::format("YOLOv5 predictions of stride {}", level.stride), output,
                          fmt::format("[{},{},{},{}]", anchors, level.rows, level.columns, 5 + classes_));
      }
      const float* row = output.data;
      for (int64_t a = 0; a < anchors; ++a) {
        for (int y = 0; y < level.rows; ++y) {
          for (int x = 0; x < level.columns; ++x, row += 5 + classes_, ++index) {
            if (row[4] >= min_logit_) AddRow(row, level, x, y, &anchors_[l][2 * a], index, sink);
          }
        }
      }
    }
    return absl::OkStatus();
  }

  void AddRow(const float* row, const Level& level, int x, int y, const float* anchor, int64_t index,
              CandidateSink* sink) const {
    const BestClass best = FindBestClass(row + 5, classes_);
    const float score = Sigmoid(row[4]) * Sigmoid(best.score);
    if (!(score >= min_score())) return;
    const float stride = static_cast<float>(level.stride);
    const float width = 2 * Sigmoid(row[2]), height = 2 * Sigmoid(row[3]);
    sink->AddCentered((2 * Sigmoid(row[0]) - 0.5f + static_cast<float>(x)) * stride,
                      (2 * Sigmoid(row[1]) - 0.5f + static_cast<float>(y)) * stride,
                      width * width * anchor[0], height * height * anchor[1], score, best.id, index);
  }

  const int classes_;
  const std::vector<int> strides_;
  const std::vector<std::vector<float>> anchors_;
  const float min_logit_;
};

// The outputs by rank: exports for training carry the raw levels beside the decoded one, which is then
// preferred.
OutputUses OutputsOfRank(const GraphSignature& graph, size_t rank) {
  OutputUses uses;
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const TensorSpec& spec = graph.outputs[i];
    const int64_t columns = Extent(spec, -1);
    if (spec.shape.size() == rank && (columns < 0 || columns >= 6)) uses.push_back({static_cast<int>(i)});
  }
  return uses;
}

absl::StatusOr<std::optional<Recognition>> Recognise(const GraphSignature& graph, bool forced) {
  const auto picture = FindPictureInput(graph);
  if (!picture) return DoesNotFit(forced, "yolov5", "it has no picture input");
  const OutputUses decoded = OutputsOfRank(graph, 3), raw = OutputsOfRank(graph, 5);
  if (decoded.size() != 1 && raw.size() != 3) {
    return DoesNotFit(forced, "yolov5",
                      "it has neither one [N, predictions, 5 + classes] nor three raw levels");
  }
  if (std::any_of(graph.outputs.begin(), graph.outputs.end(),
                  [](const TensorSpec& spec) { return spec.shape.size() == 4; })) {
    return DoesNotFit(forced, "yolov5", "it has prototypes; the masks of YOLOv5 exports are not read");
  }
  const TensorSpec& output = graph.outputs[decoded.size() == 1 ? decoded[0].index : raw[0].index];
  const int64_t columns = Extent(output, -1);
  Recognition found = StartRecognition("yolov5", graph, *picture, {640, 640});
  SetCustomary({ColorOrder::kRgb, ResizeMode::kLetterbox, LetterboxAnchor::kCenter, 114, 1 / 255.f}, &found);
  SetLabels(graph, columns < 0 ? -1 : columns - 5, {}, &found);
  if (decoded.size() == 1) {
    const int64_t rows = Extent(output, 1), cells = CellsOf(picture->size, kStrides);
    const bool three_anchors =
        cells >= 0 && (rows == 3 * cells || rows == 3 * CellsOf(picture->size, kStrides4));
    const bool one_anchor = cells >= 0 && rows == cells;
    const auto named = static_cast<int64_t>(MetadataLabels(graph).size());
    const bool names_fit = named > 0 && (columns < 0 || named == columns - 5);
    if (!forced && (cells < 0 || rows < 0) && columns < 0) return std::optional<Recognition>();
    if (!forced && cells >= 0 && rows >= 0 && !three_anchors && !one_anchor)
      return std::optional<Recognition>();
    found.confidence = three_anchors ? 95 : one_anchor ? 15 : names_fit ? 75 : 40;
    if (named > 0 && !names_fit) found.confidence = std::min(found.confidence, 20);
    found.reason = fmt::format("output {}: 4 box values, objectness and {} classes{}", ToString(output.shape),
                               columns < 0 ? "?" : fmt::format("{}", columns - 5),
                               three_anchors ? ", three anchors a cell" : "");
  } else {
    found.head.strides = kStrides;
    found.head.anchors = kAnchors;
    found.confidence = 80;
    found.reason = fmt::format("three raw levels such as {}", ToString(output.shape));
    found.unknown.emplace_back(
        "anchors: not in the signature; those of YOLOv5 for COCO are assumed (head.anchors)");
  }
  return found;
}

absl::Status CheckAnchors(const HeadCard& head, const GraphSignature& graph, const OutputUses& levels) {
  const auto& anchors = head.anchors.empty() ? kAnchors : head.anchors;
  const size_t strides = StridesOr(head, kStrides).size();
  if (levels.size() != strides || anchors.size() != strides) {
    return absl::InvalidArgumentError(
        fmt::format("yolov5: {} raw outputs, {} strides and {} groups of anchors", levels.size(), strides,
                    anchors.size()));
  }
  for (size_t l = 0; l < strides; ++l) {
    const TensorSpec& spec = graph.outputs[levels[l].index];
    const int64_t in_graph = Extent(spec, 1);
    if (anchors[l].empty() || anchors[l].size() % 2 != 0 || anchors[l].size() > 64 ||
        (in_graph >= 0 && static_cast<int64_t>(anchors[l].size() / 2) != in_graph)) {
      return absl::InvalidArgumentError(fmt::format(
          "head.anchors[{}]: {} numbers; output {} {} needs a width and a height for each of its anchors", l,
          anchors[l].size(), spec.name, ToString(spec.shape)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Head>> Create(const ModelCard& card, const GraphSignature& graph) {
  RETURN_IF_ERROR(CheckDetectorCard(card.head));
  ASSIGN_OR_RETURN(const int named, OutputForRole(card, graph, "predictions"));
  OutputUses decoded = OutputsOfRank(graph, 3), raw = OutputsOfRank(graph, 5);
  if (named >= 0) decoded = {{named}};
  if (decoded.empty() && raw.empty()) {
    return absl::InvalidArgumentError(
        "yolov5: no output is [N, predictions, 5 + classes] or [N, anchors, rows, columns, 5 + classes]");
  }
  OutputUses& uses = decoded.empty() ? raw : decoded;
  if (!decoded.empty()) uses.resize(1);
  RETURN_IF_ERROR(CheckOutputTypes(graph, uses));
  const TensorSpec& spec = graph.outputs[uses[0].index];
  const int64_t columns = Extent(spec, -1);
  if (columns >= 0 && columns < 6) {
    return absl::InvalidArgumentError(fmt::format("yolov5: output {} is {}, expected 5 + classes columns",
                                                  spec.name, ToString(spec.shape)));
  }
  ASSIGN_OR_RETURN(const int classes, ClassCount(card.head, columns < 0 ? -1 : columns - 5));
  if (!decoded.empty()) return std::make_unique<Yolov5Decoded>(card, graph, std::move(uses), classes);
  RETURN_IF_ERROR(CheckAnchors(card.head, graph, uses));
  return std::make_unique<Yolov5Raw>(card, graph, std::move(uses), classes);
}

}  // namespace

constinit const HeadFamily kYolov5 = {
    "yolov5",  Task::kDetect, "YOLOv5 and YOLOv7 detectors (decoded or raw with anchors)",
    Recognise, Create,        /*any_size=*/true};

}  // namespace sightline::postprocess
