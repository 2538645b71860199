// YuNet (Wu et al. 2023), the face detector of libfacedetection. For each stride S in 8, 16, 32: cls_S and
// obj_S [N, cells, 1] (after the sigmoid), bbox_S [N, cells, 4], kps_S [N, cells, 10]. Score = sqrt(cls *
// obj); centre = (cell + xy) * stride, size = exp(wh) * stride; point = (cell + xy) * stride, five points:
// right eye, left eye, nose, right and left corner of the mouth.
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

const std::vector<int> kStrides = {8, 16, 32};
constexpr int kPoints = 5;
constexpr std::string_view kRoles[] = {"cls", "obj", "bbox", "kps"};
constexpr int kColumns[] = {1, 1, 4, 2 * kPoints};

class Yunet final : public DetectorHead {
 public:
  Yunet(const ModelCard& card, const GraphSignature& graph, OutputUses uses)
      : DetectorHead(card, graph, std::move(uses)), strides_(StridesOr(card.head, kStrides)) {}

 private:
  absl::Status Collect(const Outputs& outputs, const InputTransform& transform, Scratch*,
                       CandidateSink* sink) const override {
    const Levels levels = MakeLevels(transform.input, strides_);
    for (size_t l = 0; l < levels.size(); ++l) {
      const Level& level = levels[l];
      for (int role = 0; role < 4; ++role) {
        const Output& output = outputs[role * levels.size() + l];
        if (output.shape.size() != 2 || output.shape[0] != level.cells() ||
            output.shape[1] != kColumns[role]) {
          return ShapeError(fmt::format("YuNet {}_{}", kRoles[role], level.stride), output,
                            fmt::format("[{},{}]", level.cells(), kColumns[role]));
        }
      }
      const float* cls = outputs[l].data;
      const float* obj = outputs[levels.size() + l].data;
      const float* boxes = outputs[2 * levels.size() + l].data;
      const float stride = static_cast<float>(level.stride), least = 0.999f * min_score() * min_score();
      for (int64_t i = 0; i < level.cells(); ++i) {
        const float product = cls[i] * obj[i];
        if (!(product >= least && std::isfinite(product))) continue;
        const float score = std::sqrt(std::clamp(cls[i], 0.f, 1.f) * std::clamp(obj[i], 0.f, 1.f));
        if (!(score >= min_score())) continue;
        const float x = static_cast<float>(level.ColumnOf(i)), y = static_cast<float>(level.RowOf(i));
        const float* box = boxes + 4 * i;
        sink->AddCentered((x + box[0]) * stride, (y + box[1]) * stride, std::exp(box[2]) * stride,
                          std::exp(box[3]) * stride, score, 0, level.begin + i);
      }
    }
    return absl::OkStatus();
  }

  void Complete(const Outputs& outputs, const InputTransform& transform, const Candidate& candidate, Scratch*,
                Detection* detection) const override {
    const Levels levels = MakeLevels(transform.input, strides_);
    const Level& level = LevelOf(levels, candidate.row);
    const int64_t cell = candidate.row - level.begin;
    const float stride = static_cast<float>(level.stride);
    const float x = static_cast<float>(level.ColumnOf(cell)), y = static_cast<float>(level.RowOf(cell));
    const size_t l = static_cast<size_t>(&level - levels.data());
    const float* offsets = outputs[3 * levels.size() + l].data + 2 * kPoints * cell;
    for (int k = 0; k < kPoints; ++k) {
      AddKeypoint(transform, (x + offsets[2 * k]) * stride, (y + offsets[2 * k + 1]) * stride, 1, detection);
    }
  }

  const std::vector<int> strides_;
};

// cls of each stride, then obj, bbox, kps.
absl::StatusOr<OutputUses> FindOutputs(const ModelCard& card, const GraphSignature& graph) {
  OutputUses uses;
  const std::vector<int> strides = StridesOr(card.head, kStrides);
  for (int role = 0; role < 4; ++role) {
    for (const int stride : strides) {
      const std::string name = fmt::format("{}_{}", kRoles[role], stride);
      ASSIGN_OR_RETURN(const int index, OutputForRole(card, graph, name));
      if (index < 0) return absl::InvalidArgumentError(fmt::format("the graph has no output {}", name));
      const TensorSpec& spec = graph.outputs[index];
      const int64_t columns = Extent(spec, 2);
      if (spec.shape.size() != 3 || (columns >= 0 && columns != kColumns[role])) {
        return absl::InvalidArgumentError(fmt::format("output {} is {}, expected [N, cells, {}]", spec.name,
                                                      ToString(spec.shape), kColumns[role]));
      }
      uses.push_back({index});
    }
  }
  return uses;
}

absl::StatusOr<std::optional<Recognition>> Recognise(const GraphSignature& graph, bool forced) {
  const auto picture = FindPictureInput(graph);
  if (!picture) return DoesNotFit(forced, "yunet", "it has no picture input");
  const absl::StatusOr<OutputUses> uses = FindOutputs(ModelCard(), graph);
  if (!uses.ok()) return DoesNotFit(forced, "yunet", MessageOf(uses.status()));
  Recognition found = StartRecognition("yunet", graph, *picture, {});  // open sizes follow the picture
  SetCustomary({ColorOrder::kBgr, ResizeMode::kLetterbox, LetterboxAnchor::kTopLeft, 0}, &found);
  found.head.min_score = 0.6f;
  found.head.iou = 0.3f;
  found.head.labels = {"face"};
  found.head.keypoints = kPoints;
  found.confidence = 97;
  found.reason = "outputs cls_, obj_, bbox_ and kps_ of strides 8, 16, 32";
  return found;
}

absl::StatusOr<std::unique_ptr<Head>> Create(const ModelCard& card, const GraphSignature& graph) {
  RETURN_IF_ERROR(CheckDetectorCard(card.head));
  absl::StatusOr<OutputUses> uses = FindOutputs(card, graph);
  if (!uses.ok()) return Annotate(uses.status(), "yunet");
  if (card.head.keypoints != 0 && card.head.keypoints != kPoints) {
    return absl::InvalidArgumentError("head.keypoints: YuNet has 5");
  }
  RETURN_IF_ERROR(ClassCount(card.head, 1).status());
  RETURN_IF_ERROR(CheckOutputTypes(graph, *uses));
  return std::make_unique<Yunet>(card, graph, *std::move(uses));
}

}  // namespace

constinit const HeadFamily kYunet = {"yunet",   Task::kDetect, "YuNet face detectors with five points",
                                     Recognise, Create,        /*any_size=*/true};

}  // namespace sightline::postprocess
