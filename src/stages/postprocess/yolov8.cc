// YOLOv8 and its kin (YOLO11, YOLOv10 and YOLO26 exports), whose graphs have decoded the boxes (input
// pixels).
//   [N, 4 + C + M + 3K, predictions]  x, y, w, h, class scores (already through a sigmoid), M mask weights, K
//   keypoints [N, predictions, 4 + C + M + 3K]  the same, transposed [N, predictions, 6 + M]           end to
//   end: x1, y1, x2, y2, score, class; already suppressed
// Segmentation exports have the prototypes [N, M, rows, columns] as another output; keypoints are x, y,
// score.
#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "base/text.h"
#include "stages/postprocess/detector.h"
#include "stages/postprocess/families.h"
#include "stages/postprocess/grid.h"
#include "stages/postprocess/mask.h"
#include "stages/postprocess/row_max.h"
#include "stages/postprocess/signature.h"

namespace sightline::postprocess {
namespace {

const std::vector<int> kStrides = {8, 16, 32}, kStrides4 = {8, 16, 32, 64}, kStridesFine = {4, 8, 16, 32};

enum class Arrangement { kChannelsFirst, kChannelsLast, kEndToEnd };

// How the predictions lie in memory; `channels` and `predictions` are -1 where the graph leaves them open.
struct Layout {
  Arrangement arrangement = Arrangement::kChannelsFirst;
  int64_t channels = -1, predictions = -1;
  int predictions_output = -1, prototypes_output = -1;
  int masks = 0;  // mask weights
};

bool IsCellCount(Size size, int64_t count) {
  return count > 0 && (count == CellsOf(size, kStrides) || count == CellsOf(size, kStrides4) ||
                       count == CellsOf(size, kStridesFine));
}

// `classes` < 0: not known. Error: why no arrangement fits.
absl::StatusOr<Layout> FindLayout(const GraphSignature& graph, Size input, int64_t classes, int keypoints,
                                  int predictions_output) {
  Layout layout;
  layout.predictions_output = predictions_output;
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const TensorSpec& spec = graph.outputs[i];
    if (spec.shape.size() == 3 && layout.predictions_output < 0)
      layout.predictions_output = static_cast<int>(i);
    if (spec.shape.size() == 4 && layout.prototypes_output < 0)
      layout.prototypes_output = static_cast<int>(i);
  }
  if (layout.predictions_output < 0) return absl::InvalidArgumentError("no output has three axes");
  if (layout.prototypes_output >= 0) {
    const int64_t masks = Extent(graph.outputs[layout.prototypes_output], 1);
    if (masks < 1 || masks > 1024) return absl::InvalidArgumentError("the prototypes' number is not fixed");
    layout.masks = static_cast<int>(masks);
  }
  const TensorSpec& spec = graph.outputs[layout.predictions_output];
  if (spec.shape.size() != 3)
    return absl::InvalidArgumentError(fmt::format("output {} is {}", spec.name, ToString(spec.shape)));
  const int64_t a = Extent(spec, 1), b = Extent(spec, 2);
  const int64_t extra = layout.masks + 3 * int64_t{keypoints};
  const int64_t wanted = classes < 0 ? -1 : 4 + classes + extra;
  const auto set = [&](Arrangement arrangement) {
    const bool first = arrangement == Arrangement::kChannelsFirst;
    layout.arrangement = arrangement;
    layout.channels = first ? a : b;
    layout.predictions = first ? b : a;
  };
  const bool end_to_end =
      b == 6 + layout.masks && keypoints == 0 && a > 6 && a <= 1000 && !IsCellCount(input, a);
  const bool told = IsUltralytics(graph) && Lower(Metadata(graph, "end2end")) == "true";
  if (end_to_end || (told && b == 6 + layout.masks)) {
    set(Arrangement::kEndToEnd);
  } else if (wanted >= 0 && (a == wanted) != (b == wanted)) {
    set(a == wanted ? Arrangement::kChannelsFirst : Arrangement::kChannelsLast);
  } else if (IsCellCount(input, a) != IsCellCount(input, b)) {
    set(IsCellCount(input, b) ? Arrangement::kChannelsFirst : Arrangement::kChannelsLast);
  } else if (a >= 0 && b >= 0) {
    set(a < b ? Arrangement::kChannelsFirst : Arrangement::kChannelsLast);
  } else if (a >= 0 || b >= 0) {
    set(a >= 0 ? Arrangement::kChannelsFirst
               : Arrangement::kChannelsLast);  // predictions are what is left open
  } else if (wanted >= 0) {
    set(Arrangement::kChannelsFirst);
  } else {
    return absl::InvalidArgumentError(
        fmt::format("output {} is {}: nothing says where the classes are (head.labels)", spec.name,
                    ToString(spec.shape)));
  }
  const int64_t least = layout.arrangement == Arrangement::kEndToEnd ? 6 + layout.masks : 5 + extra;
  if (layout.channels >= 0 && layout.channels < least) {
    return absl::InvalidArgumentError(fmt::format("output {} is {}: {} channels are too few", spec.name,
                                                  ToString(spec.shape), layout.channels));
  }
  return layout;
}

class Yolov8 final : public DetectorHead {
 public:
  Yolov8(const ModelCard& card, const GraphSignature& graph, OutputUses uses, const Layout& layout,
         int classes)
      : DetectorHead(
            card, graph, std::move(uses),
            layout.arrangement == Arrangement::kEndToEnd ? Suppression::kInGraph : Suppression::kGreedy),
        arrangement_(layout.arrangement),
        classes_(classes),
        masks_(layout.masks),
        keypoints_(card.head.keypoints),
        first_extra_(arrangement_ == Arrangement::kEndToEnd ? 6 : 4 + classes),
        channels_(first_extra_ + masks_ + 3 * keypoints_) {}

 private:
  absl::Status Collect(const Outputs& outputs, const InputTransform&, Scratch*,
                       CandidateSink* sink) const override {
    const Output& output = outputs[0];
    const bool first = arrangement_ == Arrangement::kChannelsFirst;
    if (output.shape.size() != 2 || output.shape[first ? 0 : 1] != channels_) {
      return ShapeError("YOLOv8 predictions", output,
                        first ? fmt::format("[{},?]", channels_) : fmt::format("[?,{}]", channels_));
    }
    if (masks_ > 0) {
      const Output& prototypes = outputs[1];
      if (prototypes.shape.size() != 3 || prototypes.shape[0] != masks_ || prototypes.shape[1] < 1 ||
          prototypes.shape[2] < 1) {
        return ShapeError("YOLOv8 prototypes", prototypes, fmt::format("[{},?,?]", masks_));
      }
    }
    switch (arrangement_) {
      case Arrangement::kChannelsFirst:
        CollectChannelsFirst(output, sink);
        break;
      case Arrangement::kChannelsLast:
        CollectChannelsLast(output, sink);
        break;
      case Arrangement::kEndToEnd:
        CollectEndToEnd(output, sink);
        break;
    }
    return absl::OkStatus();
  }

  void CollectChannelsFirst(const Output& output, CandidateSink* sink) const {
    const int64_t count = output.shape[1];
    const float* scores = output.data + 4 * count;
    float best[kTile];
    for (int64_t begin = 0; begin < count; begin += kTile) {
      const int width = static_cast<int>(std::min<int64_t>(kTile, count - begin));
      ColumnMax(scores + begin, classes_, count, width, best);
      for (int i = 0; i < width; ++i) {
        if (!(best[i] >= min_score())) continue;
        const float* at = output.data + begin + i;
        const BestClass found = FindBestClass(scores + begin + i, classes_, count);
        sink->AddCentered(at[0], at[count], at[2 * count], at[3 * count], found.score, found.id, begin + i);
      }
    }
  }

  void CollectChannelsLast(const Output& output, CandidateSink* sink) const {
    const float* row = output.data;
    for (int64_t i = 0; i < output.shape[0]; ++i, row += channels_) {
      if (!(RowMax(row + 4, classes_) >= min_score())) continue;
      const BestClass found = FindBestClass(row + 4, classes_);
      sink->AddCentered(row[0], row[1], row[2], row[3], found.score, found.id, i);
    }
  }

  void CollectEndToEnd(const Output& output, CandidateSink* sink) const {
    const float* row = output.data;
    for (int64_t i = 0; i < output.shape[0]; ++i, row += channels_) {
      const float class_id = std::round(row[5]);
      if (!(row[4] >= min_score() && class_id >= 0 && class_id < static_cast<float>(classes_))) continue;
      sink->Add({row[0], row[1], row[2], row[3]}, row[4], static_cast<int>(class_id), i);
    }
  }

  void Complete(const Outputs& outputs, const InputTransform& transform, const Candidate& candidate,
                Scratch* scratch, Detection* detection) const override {
    const Output& output = outputs[0];
    const bool first = arrangement_ == Arrangement::kChannelsFirst;
    const int64_t step = first ? output.shape[1] : 1;
    const float* extra = output.data + (first ? first_extra_ * step + candidate.row
                                              : candidate.row * channels_ + first_extra_);
    if (masks_ > 0) {
      absl::InlinedVector<float, 32> weights(masks_);
      bool finite = true;
      for (int m = 0; m < masks_; ++m) {
        weights[m] = extra[m * step];
        finite = finite && std::isfinite(weights[m]);
      }
      if (finite)
        detection->mask = MakeMask(outputs[1], weights.data(), transform, detection->box, &scratch->work);
    }
    extra += masks_ * step;
    for (int k = 0; k < keypoints_; ++k, extra += 3 * step) {
      AddKeypoint(transform, extra[0], extra[step], extra[2 * step], detection);
    }
  }

  const Arrangement arrangement_;
  const int classes_, masks_, keypoints_, first_extra_, channels_;
};

int Confidence(const GraphSignature& graph, const PictureInput& picture, const Layout& layout,
               int64_t classes) {
  const auto named = static_cast<int64_t>(MetadataLabels(graph).size());
  if (named > 0 && classes >= 0 && named != classes && layout.arrangement != Arrangement::kEndToEnd)
    return 20;
  if (layout.masks > 0) return 95;
  const bool ultralytics = IsUltralytics(graph);
  if (layout.arrangement == Arrangement::kEndToEnd)
    return ultralytics ? 90 : layout.predictions == 300 ? 80 : 60;
  const bool cells = IsCellCount(picture.size, layout.predictions);
  if (layout.arrangement == Arrangement::kChannelsFirst) {
    if (cells) return 95;
    return ultralytics && named > 0 ? 90 : picture.size.empty() ? 70 : 50;
  }
  // Transposed it looks like YOLOX with one class less: the names or COCO's 80 tell.
  if (cells) return named > 0 || classes == 80 ? 96 : 45;
  return ultralytics && named == classes ? 85 : 30;
}

absl::StatusOr<std::optional<Recognition>> Recognise(const GraphSignature& graph, bool forced) {
  constexpr std::string_view kName = "yolov8";
  const auto picture = FindPictureInput(graph);
  if (!picture) return DoesNotFit(forced, kName, "it has no picture input");
  const std::string task = Lower(Metadata(graph, "task"));
  if (task == "obb" || task == "classify")
    return DoesNotFit(forced, kName, fmt::format("its task is {}", task));
  if (graph.outputs.empty() || graph.outputs.size() > 2) {
    return DoesNotFit(forced, kName, fmt::format("it has {} outputs", graph.outputs.size()));
  }
  Recognition found = StartRecognition(kName, graph, *picture, {640, 640});
  SetCustomary({ColorOrder::kRgb, ResizeMode::kLetterbox, LetterboxAnchor::kCenter, 114, 1 / 255.f}, &found);
  const std::vector<int> keypoint_shape = ParseIntegers(Metadata(graph, "kpt_shape"), 2);
  if (task == "pose" && keypoint_shape.size() == 2 && keypoint_shape[1] == 3 && keypoint_shape[0] <= 1000) {
    found.head.keypoints = keypoint_shape[0];
  }
  const auto named = static_cast<int64_t>(MetadataLabels(graph).size());
  const absl::StatusOr<Layout> layout = FindLayout(graph, {found.input.width, found.input.height},
                                                   named > 0 ? named : -1, found.head.keypoints, -1);
  if (!layout.ok()) return DoesNotFit(forced, kName, MessageOf(layout.status()));
  if (graph.outputs.size() == 2 && layout->masks == 0)
    return DoesNotFit(forced, kName, "it has two outputs, but no prototypes");
  const int64_t cells = CellsOf({found.input.width, found.input.height}, kStrides);
  if (layout->arrangement == Arrangement::kChannelsLast && cells > 0 && layout->predictions == 3 * cells) {
    return DoesNotFit(forced, kName, "it has three anchors a cell (YOLOv5)");
  }
  const bool end_to_end = layout->arrangement == Arrangement::kEndToEnd;
  const int64_t classes = end_to_end || layout->channels < 0
                              ? -1
                              : layout->channels - 4 - layout->masks - 3 * int64_t{found.head.keypoints};
  SetLabels(graph, classes, {}, &found);
  found.confidence = Confidence(graph, *picture, *layout, classes);
  const TensorSpec& output = graph.outputs[layout->predictions_output];
  found.reason = fmt::format("output {}: ", ToString(output.shape));
  found.reason += end_to_end ? "boxes, score and class, already suppressed"
                             : fmt::format("4 box values and {} classes, no objectness",
                                           classes < 0 ? "?" : fmt::format("{}", classes));
  if (layout->masks > 0) found.reason += fmt::format(", {} mask weights and prototypes", layout->masks);
  if (found.head.keypoints > 0) found.reason += fmt::format(", {} keypoints", found.head.keypoints);
  return found;
}

absl::StatusOr<std::unique_ptr<Head>> Create(const ModelCard& card, const GraphSignature& graph) {
  RETURN_IF_ERROR(CheckDetectorCard(card.head));
  if (card.head.keypoints < 0 || card.head.keypoints > 1000) {
    return absl::InvalidArgumentError("head.keypoints: not between 0 and 1000");
  }
  ASSIGN_OR_RETURN(const int named, OutputForRole(card, graph, "predictions"));
  const auto labels = static_cast<int64_t>(card.head.labels.size());
  absl::StatusOr<Layout> layout = FindLayout(graph, {card.input.width, card.input.height},
                                             labels > 0 ? labels : -1, card.head.keypoints, named);
  if (!layout.ok()) return Annotate(layout.status(), "yolov8");
  OutputUses uses = {{layout->predictions_output}};
  if (layout->masks > 0) uses.push_back({layout->prototypes_output});
  RETURN_IF_ERROR(CheckOutputTypes(graph, uses));
  int classes = 0;
  if (layout->arrangement == Arrangement::kEndToEnd) {
    classes = labels > 0 ? static_cast<int>(labels) : 1'000'000;  // the graph names a class by its number
  } else {
    const int64_t in_graph =
        layout->channels < 0 ? -1 : layout->channels - 4 - layout->masks - 3 * card.head.keypoints;
    ASSIGN_OR_RETURN(classes, ClassCount(card.head, in_graph));
  }
  return std::make_unique<Yolov8>(card, graph, std::move(uses), *layout, classes);
}

}  // namespace

constinit const HeadFamily kYolov8 = {
    "yolov8",
    Task::kDetect,
    "YOLOv8, YOLO11 and later Ultralytics detectors, also with masks, keypoints or end to end",
    Recognise,
    Create,
    /*any_size=*/true};

}  // namespace sightline::postprocess
