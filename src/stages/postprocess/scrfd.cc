// SCRFD (Guo et al. 2021), the face detector of InsightFace. For each stride: scores [cells * A, 1] (after
// the sigmoid), distances [cells * A, 4] and, where it has them, points [cells * A, 10]; A boxes a cell, with
// or without a batch axis before them. Anchor = (column, row) * stride, box = anchor -/+ distances * stride
// (left, top, right, bottom), point = anchor + offset * stride. The outputs are called score_S, bbox_S,
// kps_S, or (InsightFace's own exports) numbered: all scores, all boxes, all points.
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

constexpr int kPoints = 5;
constexpr int64_t kAnchorsMax = 16;  // boxes a cell

// Strides by the number of levels, as InsightFace pairs them.
std::vector<int> CustomaryStrides(size_t levels) {
  if (levels == 5) return {8, 16, 32, 64, 128};
  if (levels == 4) return {8, 16, 32, 64};
  return {8, 16, 32};
}

// Output numbers, one of each kind per stride; no points where the model has none.
struct Form {
  std::vector<int> strides;
  std::vector<int> scores, boxes, points;
  bool named = false;
  bool batched = true;
};

absl::StatusOr<Form> FindForm(const ModelCard& card, const GraphSignature& graph) {
  Form form;
  size_t rank = 0;
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const TensorSpec& spec = graph.outputs[i];
    const size_t axes = spec.shape.size();
    if ((axes != 2 && axes != 3) || (rank != 0 && axes != rank)) {
      return absl::InvalidArgumentError(fmt::format("output {} is {}", spec.name, ToString(spec.shape)));
    }
    rank = axes;
    const int64_t columns = Extent(spec, -1);
    std::vector<int>* kind = columns == 1             ? &form.scores
                             : columns == 4           ? &form.boxes
                             : columns == 2 * kPoints ? &form.points
                                                      : nullptr;
    if (kind == nullptr) {
      return absl::InvalidArgumentError(
          fmt::format("output {} {} is neither scores, boxes nor 5 points", spec.name, ToString(spec.shape)));
    }
    kind->push_back(static_cast<int>(i));
  }
  const size_t levels = form.scores.size();
  if (levels < 3 || levels > 8 || form.boxes.size() != levels ||
      (!form.points.empty() && form.points.size() != levels)) {
    return absl::InvalidArgumentError(
        "its outputs are not scores, boxes and points for each of 3 to 8 strides");
  }
  form.batched = rank == 3;
  form.strides = StridesOr(card.head, CustomaryStrides(levels));
  if (form.strides.size() != levels) {
    return absl::InvalidArgumentError(
        fmt::format("{} strides, but {} outputs with scores", form.strides.size(), levels));
  }
  size_t named = 0;
  for (size_t l = 0; l < levels; ++l) {
    ASSIGN_OR_RETURN(const int score, OutputForRole(card, graph, fmt::format("score_{}", form.strides[l])));
    ASSIGN_OR_RETURN(const int box, OutputForRole(card, graph, fmt::format("bbox_{}", form.strides[l])));
    ASSIGN_OR_RETURN(const int point, OutputForRole(card, graph, fmt::format("kps_{}", form.strides[l])));
    if (score >= 0) form.scores[l] = score;
    if (box >= 0) form.boxes[l] = box;
    if (point >= 0 && !form.points.empty()) form.points[l] = point;
    named += score >= 0 && box >= 0 ? 1 : 0;
  }
  form.named = named == levels;
  if (named != 0 && named != levels)
    return absl::InvalidArgumentError("only some of its outputs are named after their stride");
  return form;
}

class Scrfd final : public DetectorHead {
 public:
  Scrfd(const ModelCard& card, const GraphSignature& graph, OutputUses uses, std::vector<int> strides,
        bool points)
      : DetectorHead(card, graph, std::move(uses)), strides_(std::move(strides)), points_(points) {}

 private:
  absl::Status Collect(const Outputs& outputs, const InputTransform& transform, Scratch*,
                       CandidateSink* sink) const override {
    const Levels levels = MakeLevels(transform.input, strides_);
    int64_t begin = 0;  // rows of the levels before
    for (size_t l = 0; l < levels.size(); ++l) {
      const Output& scores = outputs[l];
      const Output& boxes = outputs[levels.size() + l];
      const int64_t rows = scores.extent(0);
      if (scores.shape.size() != 2 || scores.shape[1] != 1 || levels[l].cells() == 0 ||
          rows % levels[l].cells() != 0 || rows == 0 || rows / levels[l].cells() > kAnchorsMax) {
        return ShapeError("SCRFD scores", scores, fmt::format("[{} times the anchors,1]", levels[l].cells()));
      }
      RETURN_IF_ERROR(CheckRows("SCRFD boxes", boxes, rows, 4));
      if (points_)
        RETURN_IF_ERROR(CheckRows("SCRFD points", outputs[2 * levels.size() + l], rows, 2 * kPoints));
      const int64_t anchors = rows / levels[l].cells();
      const float stride = static_cast<float>(levels[l].stride);
      for (int64_t i = 0; i < rows; ++i) {
        if (!(scores.data[i] >= min_score())) continue;
        const float x = static_cast<float>(levels[l].ColumnOf(i / anchors)) * stride;
        const float y = static_cast<float>(levels[l].RowOf(i / anchors)) * stride;
        const float* d = boxes.data + 4 * i;
        sink->Add({x - d[0] * stride, y - d[1] * stride, x + d[2] * stride, y + d[3] * stride},
                  scores.data[i], 0, begin + i);
      }
      begin += rows;
    }
    return absl::OkStatus();
  }

  void Complete(const Outputs& outputs, const InputTransform& transform, const Candidate& candidate, Scratch*,
                Detection* detection) const override {
    if (!points_) return;
    const Levels levels = MakeLevels(transform.input, strides_);
    int64_t row = candidate.row;
    size_t l = 0;
    while (row >= outputs[l].shape[0]) row -= outputs[l++].shape[0];
    const int64_t cell = row / (outputs[l].shape[0] / levels[l].cells());
    const float stride = static_cast<float>(levels[l].stride);
    const float x = static_cast<float>(levels[l].ColumnOf(cell)) * stride;
    const float y = static_cast<float>(levels[l].RowOf(cell)) * stride;
    const float* offsets = outputs[2 * levels.size() + l].data + 2 * kPoints * row;
    for (int k = 0; k < kPoints; ++k) {
      AddKeypoint(transform, x + offsets[2 * k] * stride, y + offsets[2 * k + 1] * stride, 1, detection);
    }
  }

  static absl::Status CheckRows(std::string_view what, const Output& output, int64_t rows, int columns) {
    if (output.shape.size() == 2 && output.shape[0] == rows && output.shape[1] == columns)
      return absl::OkStatus();
    return ShapeError(what, output, fmt::format("[{},{}]", rows, columns));
  }

  const std::vector<int> strides_;
  const bool points_;
};

absl::StatusOr<std::optional<Recognition>> Recognise(const GraphSignature& graph, bool forced) {
  const auto picture = FindPictureInput(graph);
  if (!picture) return DoesNotFit(forced, "scrfd", "it has no picture input");
  const absl::StatusOr<Form> form = FindForm(ModelCard(), graph);
  if (!form.ok()) return DoesNotFit(forced, "scrfd", MessageOf(form.status()));
  Recognition found = StartRecognition("scrfd", graph, *picture, {640, 640});
  SetCustomary({ColorOrder::kRgb,
                ResizeMode::kLetterbox,
                LetterboxAnchor::kTopLeft,
                0,
                1,
                {127.5f, 127.5f, 127.5f},
                {128, 128, 128}},
               &found);
  found.head.min_score = 0.5f;
  found.head.iou = 0.4f;
  found.head.labels = {"face"};
  found.head.strides = form->strides;
  found.head.keypoints = form->points.empty() ? 0 : kPoints;
  if (form->named) {
    for (const int stride : form->strides) {
      for (const std::string_view role : {"score", "bbox", "kps"}) {
        if (role == "kps" && form->points.empty()) continue;
        found.head.outputs[fmt::format("{}_{}", role, stride)] = fmt::format("{}_{}", role, stride);
      }
    }
  }
  found.confidence = form->named ? 95 : 85;
  found.reason = fmt::format("scores, boxes{} for each of {} strides",
                             form->points.empty() ? "" : " and 5 points", form->strides.size());
  return found;
}

absl::StatusOr<std::unique_ptr<Head>> Create(const ModelCard& card, const GraphSignature& graph) {
  RETURN_IF_ERROR(CheckDetectorCard(card.head));
  const absl::StatusOr<Form> form = FindForm(card, graph);
  if (!form.ok()) return Annotate(form.status(), "scrfd");
  if (card.head.keypoints != 0 && card.head.keypoints != kPoints) {
    return absl::InvalidArgumentError("head.keypoints: SCRFD has 5 or none");
  }
  if (card.head.keypoints == kPoints && form->points.empty()) {
    return absl::InvalidArgumentError("head.keypoints: this graph has no points");
  }
  RETURN_IF_ERROR(ClassCount(card.head, 1).status());
  OutputUses uses;
  for (const std::vector<int>* kind : {&form->scores, &form->boxes, &form->points}) {
    for (const int index : *kind)
      uses.push_back({index, form->batched ? BatchAxis::kFirst : BatchAxis::kNone});
  }
  RETURN_IF_ERROR(CheckOutputTypes(graph, uses));
  return std::make_unique<Scrfd>(card, graph, std::move(uses), form->strides, !form->points.empty());
}

}  // namespace

constinit const HeadFamily kScrfd = {
    "scrfd",   Task::kDetect, "SCRFD face detectors of InsightFace, with or without points",
    Recognise, Create,        /*any_size=*/true};

}  // namespace sightline::postprocess
