// YOLOX (Ge et al. 2021): no anchors, one prediction per cell of strides 8, 16, 32.
// Output [N, cells, 5 + C], rows x, y, w, h, objectness, classes (the last two already through a sigmoid),
// levels one after the other: centre = (xy + cell) * stride, size = exp(wh) * stride, score = objectness *
// class.
#include <cmath>

#include "base/status.h"
#include "base/text.h"
#include "stages/postprocess/detector.h"
#include "stages/postprocess/families.h"
#include "stages/postprocess/grid.h"
#include "stages/postprocess/signature.h"

namespace sightline::postprocess {
namespace {

const std::vector<int> kStrides = {8, 16, 32};

class Yolox final : public DetectorHead {
 public:
  Yolox(const ModelCard& card, const GraphSignature& graph, OutputUses uses, int classes)
      : DetectorHead(card, graph, std::move(uses)),
        classes_(classes),
        strides_(StridesOr(card.head, kStrides)) {}

 private:
  absl::Status Collect(const Outputs& outputs, const InputTransform& transform, Scratch*,
                       CandidateSink* sink) const override {
    const Output& output = outputs[0];
    const Levels levels = MakeLevels(transform.input, strides_);
    if (output.shape.size() != 2 || output.shape[0] != CellCount(levels) || output.shape[1] != 5 + classes_) {
      return ShapeError("YOLOX predictions", output, fmt::format("[{},{}]", CellCount(levels), 5 + classes_));
    }
    const float* row = output.data;
    for (const Level& level : levels) {
      const float stride = static_cast<float>(level.stride);
      for (int y = 0; y < level.rows; ++y) {
        for (int x = 0; x < level.columns; ++x, row += 5 + classes_) {
          if (!(row[4] >= min_score())) continue;
          const BestClass best = FindBestClass(row + 5, classes_);
          const float score = row[4] * best.score;
          if (!(score >= min_score())) continue;
          const int64_t cell = level.begin + int64_t{y} * level.columns + x;
          sink->AddCentered((row[0] + static_cast<float>(x)) * stride,
                            (row[1] + static_cast<float>(y)) * stride, std::exp(row[2]) * stride,
                            std::exp(row[3]) * stride, score, best.id, cell);
        }
      }
    }
    return absl::OkStatus();
  }

  const int classes_;
  const std::vector<int> strides_;
};

absl::StatusOr<std::optional<Recognition>> Recognise(const GraphSignature& graph, bool forced) {
  const auto picture = FindPictureInput(graph);
  if (!picture) return DoesNotFit(forced, "yolox", "it has no picture input");
  if (graph.outputs.size() != 1) return DoesNotFit(forced, "yolox", "it has more than one output");
  const TensorSpec& output = graph.outputs[0];
  const int64_t rows = Extent(output, 1), columns = Extent(output, 2),
                cells = CellsOf(picture->size, kStrides);
  if (output.shape.size() != 3 || (columns >= 0 && columns < 6)) {
    return DoesNotFit(forced, "yolox",
                      fmt::format("output {} is not [N, cells, 5 + classes]", ToString(output.shape)));
  }
  if (cells >= 0 && rows >= 0 && rows != cells) {
    return DoesNotFit(forced, "yolox", fmt::format("its input has {} cells, its output {}", cells, rows));
  }
  Recognition found = StartRecognition("yolox", graph, *picture, {640, 640});
  SetCustomary({ColorOrder::kBgr, ResizeMode::kLetterbox, LetterboxAnchor::kTopLeft, 114}, &found);
  found.head.iou = 0.5f;
  SetLabels(graph, columns < 0 ? -1 : columns - 5, {}, &found);
  const bool proven = rows >= 0 && cells >= 0;
  const int64_t named = static_cast<int64_t>(MetadataLabels(graph).size());
  found.confidence = proven ? 85 : IsUltralytics(graph) ? 20 : 45;
  if (proven && columns == 85) found.confidence = 95;
  if (proven && named > 0 && columns >= 0) found.confidence = named == columns - 5 ? 95 : 20;
  found.reason =
      fmt::format("output {}: {} cells of strides 8, 16, 32 with 4 box values, objectness and {} classes",
                  ToString(output.shape), proven ? fmt::format("the {}", rows) : "perhaps",
                  columns < 0 ? "?" : fmt::format("{}", columns - 5));
  return found;
}

absl::StatusOr<std::unique_ptr<Head>> Create(const ModelCard& card, const GraphSignature& graph) {
  RETURN_IF_ERROR(CheckDetectorCard(card.head));
  ASSIGN_OR_RETURN(const int index, OutputForRole(card, graph, "predictions"));
  if (index < 0 && graph.outputs.size() != 1) {
    return absl::InvalidArgumentError(
        "yolox: the graph has several outputs; name one as head.outputs.predictions");
  }
  OutputUses uses = {{std::max(index, 0)}};
  RETURN_IF_ERROR(CheckOutputTypes(graph, uses));
  const TensorSpec& spec = graph.outputs[uses[0].index];
  const int64_t rows = Extent(spec, 1), columns = Extent(spec, 2);
  if (spec.shape.size() != 3 || (columns >= 0 && columns < 6)) {
    return absl::InvalidArgumentError(fmt::format("yolox: output {} is {}, expected [N, cells, 5 + classes]",
                                                  spec.name, ToString(spec.shape)));
  }
  const std::vector<int> strides = StridesOr(card.head, kStrides);
  const int64_t cells = CellsOf({card.input.width, card.input.height}, strides);
  if (cells >= 0 && rows >= 0 && cells != rows) {
    return absl::InvalidArgumentError(fmt::format(
        "yolox: the card's input and strides make {} cells, output {} has {}", cells, spec.name, rows));
  }
  ASSIGN_OR_RETURN(const int classes, ClassCount(card.head, columns < 0 ? -1 : columns - 5));
  return std::make_unique<Yolox>(card, graph, std::move(uses), classes);
}

}  // namespace

constinit const HeadFamily kYolox = {"yolox",   Task::kDetect, "YOLOX detectors (raw outputs of all sizes)",
                                     Recognise, Create,        /*any_size=*/true};

}  // namespace sightline::postprocess
