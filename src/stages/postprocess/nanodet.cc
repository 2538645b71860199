// NanoDet: generalized focal loss (Li et al. 2020). A side's distance from the cell's centre is the
// expectation over `regression_bins` bins (softmax), times the stride; class scores have been through a
// sigmoid.
//   NanoDet       cls_pred_stride_S [N, cells, C] and dis_pred_stride_S [N, cells, 4 * bins] per stride 8,
//   16, 32;
//                 centre = cell * stride + (stride - 1) / 2
//   one output    [N, cells, C + 4 * bins], all levels. Four levels (8 to 64) are NanoDet-Plus, whose centre
//   is
//                 cell * stride; three are NanoDet 1.0, whose centre is (cell + 0.5) * stride
// Sides are left, top, right, bottom. The class is the best one; no cell gives two boxes.
#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "base/text.h"
#include "stages/postprocess/detector.h"
#include "stages/postprocess/families.h"
#include "stages/postprocess/grid.h"
#include "stages/postprocess/row_max.h"
#include "stages/postprocess/signature.h"

namespace sightline::postprocess {
namespace {

const std::vector<int> kStrides = {8, 16, 32}, kStridesPlus = {8, 16, 32, 64};

// Expectation of the softmax over `bins` logits.
float Expectation(const float* logits, int bins) {
  const float largest = RowMax(logits, bins);
  float sum = 0, weighted = 0;
  for (int i = 0; i < bins; ++i) {
    const float weight = std::exp(logits[i] - largest);
    sum += weight;
    weighted += weight * static_cast<float>(i);
  }
  return weighted / sum;
}

enum class Centers { kPixelCenter, kCorner, kCellCenter };

class Nanodet final : public DetectorHead {
 public:
  // `separate`: uses are class scores of each stride, then distances of each; otherwise one output with both.
  Nanodet(const ModelCard& card, const GraphSignature& graph, OutputUses uses, int classes,
          std::vector<int> strides, bool separate)
      : DetectorHead(card, graph, std::move(uses)),
        classes_(classes),
        bins_(card.head.regression_bins),
        strides_(std::move(strides)),
        separate_(separate),
        centers_(separate              ? Centers::kPixelCenter
                 : strides_.size() > 3 ? Centers::kCorner
                                       : Centers::kCellCenter) {}

 private:
  absl::Status Collect(const Outputs& outputs, const InputTransform& transform, Scratch*,
                       CandidateSink* sink) const override {
    const Levels levels = MakeLevels(transform.input, strides_);
    if (!separate_) {
      const int columns = classes_ + 4 * bins_;
      RETURN_IF_ERROR(Check("NanoDet predictions", outputs[0], CellCount(levels), columns));
      for (const Level& level : levels) {
        const float* rows = outputs[0].data + level.begin * columns;
        CollectLevel(level, rows, columns, rows + classes_, columns, sink);
      }
      return absl::OkStatus();
    }
    for (size_t l = 0; l < levels.size(); ++l) {
      const Output& scores = outputs[l];
      const Output& distances = outputs[levels.size() + l];
      RETURN_IF_ERROR(Check("NanoDet class scores", scores, levels[l].cells(), classes_));
      RETURN_IF_ERROR(Check("NanoDet distances", distances, levels[l].cells(), 4 * bins_));
      CollectLevel(levels[l], scores.data, classes_, distances.data, 4 * bins_, sink);
    }
    return absl::OkStatus();
  }

  static absl::Status Check(std::string_view what, const Output& output, int64_t rows, int columns) {
    if (output.shape.size() == 2 && output.shape[0] == rows && output.shape[1] == columns)
      return absl::OkStatus();
    return ShapeError(what, output, fmt::format("[{},{}]", rows, columns));
  }

  void CollectLevel(const Level& level, const float* scores, int scores_step, const float* distances,
                    int distances_step, CandidateSink* sink) const {
    const float stride = static_cast<float>(level.stride);
    const float shift = centers_ == Centers::kPixelCenter  ? (stride - 1) / 2
                        : centers_ == Centers::kCellCenter ? stride / 2
                                                           : 0;
    for (int64_t i = 0; i < level.cells(); ++i, scores += scores_step, distances += distances_step) {
      if (!(RowMax(scores, classes_) >= min_score())) continue;
      const BestClass best = FindBestClass(scores, classes_);
      const float x = static_cast<float>(level.ColumnOf(i)) * stride + shift;
      const float y = static_cast<float>(level.RowOf(i)) * stride + shift;
      float sides[4];
      for (int s = 0; s < 4; ++s) sides[s] = Expectation(distances + s * bins_, bins_) * stride;
      sink->Add({x - sides[0], y - sides[1], x + sides[2], y + sides[3]}, best.score, best.id,
                level.begin + i);
    }
  }

  const int classes_, bins_;
  const std::vector<int> strides_;
  const bool separate_;
  const Centers centers_;
};

// Class scores of each stride, then distances of each: by the names that NanoDet's exporter gives, else by
// the shapes.
absl::StatusOr<OutputUses> SeparateOutputs(const ModelCard& card, const GraphSignature& graph,
                                           const std::vector<int>& strides) {
  OutputUses scores, distances;
  for (const int stride : strides) {
    ASSIGN_OR_RETURN(const int cls, OutputForRole(card, graph, fmt::format("cls_pred_stride_{}", stride)));
    ASSIGN_OR_RETURN(const int dis, OutputForRole(card, graph, fmt::format("dis_pred_stride_{}", stride)));
    if (cls >= 0) scores.push_back({cls});
    if (dis >= 0) distances.push_back({dis});
  }
  if (scores.size() != strides.size() || distances.size() != strides.size()) {
    scores.clear();
    distances.clear();
    for (size_t i = 0; i < graph.outputs.size(); ++i) {
      const bool distance = Extent(graph.outputs[i], -1) == 4 * int64_t{card.head.regression_bins};
      (distance ? distances : scores).push_back({static_cast<int>(i)});
    }
  }
  if (scores.size() != strides.size() || distances.size() != strides.size()) {
    return absl::InvalidArgumentError(
        fmt::format("nanodet: expected one output, or class scores and distances for each of {} strides",
                    strides.size()));
  }
  scores.insert(scores.end(), distances.begin(), distances.end());
  return scores;
}

// What the graph alone shows: one output or pairs; strides by the number of cells.
struct Form {
  bool separate = false;
  int64_t columns = -1;  // classes, or with one output classes + 4 * bins
  std::vector<int> strides;
  bool proven = false;  // cells and input agree, or the outputs have NanoDet's names
};

absl::StatusOr<Form> FindForm(const GraphSignature& graph, Size input, const HeadCard& head) {
  Form form;
  if (graph.outputs.size() == 1) {
    const TensorSpec& spec = graph.outputs[0];
    const int64_t cells = Extent(spec, 1);
    form.columns = Extent(spec, 2);
    if (spec.shape.size() != 3 || (form.columns >= 0 && form.columns <= 4 * int64_t{head.regression_bins})) {
      return absl::InvalidArgumentError(
          fmt::format("output {} is not [N, cells, classes + 4 * bins]", ToString(spec.shape)));
    }
    const bool plus = cells >= 0 && cells == CellsOf(input, kStridesPlus);
    const bool three = cells >= 0 && cells == CellsOf(input, kStrides);
    form.strides = StridesOr(head, three ? kStrides : kStridesPlus);
    form.proven = plus || three;
    if (cells >= 0 && !input.empty() && cells != CellsOf(input, form.strides)) {
      return absl::InvalidArgumentError(fmt::format(
          "the input has {} cells of strides 8 to 64, the output {}", CellsOf(input, form.strides), cells));
    }
    return form;
  }
  if (graph.outputs.size() % 2 != 0 || graph.outputs.size() > 16 || graph.outputs.empty()) {
    return absl::InvalidArgumentError(fmt::format("it has {} outputs", graph.outputs.size()));
  }
  form.separate = true;
  form.strides = StridesOr(head, graph.outputs.size() == 8 ? kStridesPlus : kStrides);
  size_t distances = 0, named = 0;
  for (const TensorSpec& spec : graph.outputs) {
    if (spec.shape.size() != 3)
      return absl::InvalidArgumentError(fmt::format("output {} is {}", spec.name, ToString(spec.shape)));
    if (Extent(spec, 2) == 4 * int64_t{head.regression_bins}) {
      ++distances;
    } else {
      form.columns = Extent(spec, 2);
    }
    if (spec.name.starts_with("cls_pred_stride") || spec.name.starts_with("dis_pred_stride")) ++named;
  }
  // With as many classes as distances have columns, only the names tell them apart.
  if (distances == graph.outputs.size()) form.columns = 4 * int64_t{head.regression_bins};
  form.proven = named == graph.outputs.size();
  if (!form.proven && distances * 2 != graph.outputs.size()) {
    return absl::InvalidArgumentError("its outputs are not pairs of class scores and distances");
  }
  return form;
}

absl::StatusOr<std::optional<Recognition>> Recognise(const GraphSignature& graph, bool forced) {
  const auto picture = FindPictureInput(graph);
  if (!picture) return DoesNotFit(forced, "nanodet", "it has no picture input");
  const absl::StatusOr<Form> form = FindForm(graph, picture->size, HeadCard());
  if (!form.ok()) return DoesNotFit(forced, "nanodet", MessageOf(form.status()));
  Recognition found = StartRecognition("nanodet", graph, *picture,
                                       form->strides.size() == 3 ? Size{320, 320} : Size{416, 416});
  const LetterboxAnchor anchor = LetterboxAnchor::kCenter;
  SetCustomary({ColorOrder::kBgr,
                ResizeMode::kLetterbox,
                anchor,
                0,
                1,
                {103.53f, 116.28f, 123.675f},
                {57.375f, 57.12f, 58.395f}},
               &found);
  found.head.iou = 0.5f;
  found.head.strides = form->strides;
  const int64_t bins = found.head.regression_bins;
  const int64_t classes = form->separate || form->columns < 0 ? form->columns : form->columns - 4 * bins;
  SetLabels(graph, classes, {}, &found);
  const bool coco = classes == 80;
  if (form->separate) {
    found.confidence = form->proven ? 95 : 70;
  } else {
    // Three levels and one output is the form of YOLOX and others as well: only COCO's 80 classes single it
    // out.
    const bool plus = form->strides.size() == 4;
    found.confidence = IsUltralytics(graph) ? 5
                       : !form->proven      ? (coco ? 60 : 15)
                       : coco               ? (plus ? 92 : 90)
                       : plus               ? 70
                                            : 30;
  }
  found.reason = form->separate ? fmt::format("pairs of class scores and distances with {} bins a side", bins)
                                : fmt::format("output {}: {} classes and 4 sides of {} bins",
                                              ToString(graph.outputs[0].shape), classes, bins);
  return found;
}

absl::StatusOr<std::unique_ptr<Head>> Create(const ModelCard& card, const GraphSignature& graph) {
  RETURN_IF_ERROR(CheckDetectorCard(card.head));
  if (card.head.regression_bins < 2 || card.head.regression_bins > 256) {
    return absl::InvalidArgumentError("head.regression_bins: not between 2 and 256");
  }
  const absl::StatusOr<Form> form = FindForm(graph, {card.input.width, card.input.height}, card.head);
  if (!form.ok()) return Annotate(form.status(), "nanodet");
  OutputUses uses = {{0}};
  if (form->separate) {
    ASSIGN_OR_RETURN(uses, SeparateOutputs(card, graph, form->strides));
  }
  RETURN_IF_ERROR(CheckOutputTypes(graph, uses));
  const int64_t columns = Extent(graph.outputs[uses[0].index], 2);
  const int64_t in_graph =
      columns < 0 || form->separate ? columns : columns - 4 * int64_t{card.head.regression_bins};
  ASSIGN_OR_RETURN(const int classes, ClassCount(card.head, in_graph));
  return std::make_unique<Nanodet>(card, graph, std::move(uses), classes, form->strides, form->separate);
}

}  // namespace

constinit const HeadFamily kNanodet = {"nanodet", Task::kDetect, "NanoDet and NanoDet-Plus detectors",
                                       Recognise, Create,        /*any_size=*/true};

}  // namespace sightline::postprocess
