#include "stages/postprocess/detector.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/status.h"
#include "base/text.h"
#include "stages/postprocess/nms.h"

namespace sightline::postprocess {
namespace {

constexpr float kCoordinateMax = 1e7f;  // far outside any picture; keeps areas finite

bool IsUsable(const InputTransform& transform) {
  const auto positive = [](float x) { return std::isfinite(x) && x > 0; };
  return positive(transform.scale_x) && positive(transform.scale_y) && std::isfinite(transform.offset_x) &&
         std::isfinite(transform.offset_y) && !transform.source.empty() && !transform.input.empty();
}

}  // namespace

void CandidateSink::Add(const Box& input_box, float score, int class_id, int64_t row) {
  const Box box = transform_.ToSource(input_box);
  if (!std::isfinite(score) || !std::isfinite(box.x1) || !std::isfinite(box.y1) || !std::isfinite(box.x2) ||
      !std::isfinite(box.y2)) {
    return;
  }
  const Box clipped = Clip(box, transform_.source);
  if (!(clipped.x2 > clipped.x1 && clipped.y2 > clipped.y1)) return;
  if (candidates_->size() == 2 * kCandidatesMax)
    CutToBest(candidates_);  // memory has a limit; the outcome is the same
  const auto bounded = [](float x) { return std::clamp(x, -kCoordinateMax, kCoordinateMax); };
  candidates_->push_back({{bounded(box.x1), bounded(box.y1), bounded(box.x2), bounded(box.y2)},
                          score,
                          class_id,
                          static_cast<int>(row)});
}

absl::Status DetectorHead::Decode(absl::Span<const TensorView> outputs, int batch,
                                  const InputTransform& transform, Scratch* scratch,
                                  HeadResult* result) const {
  result->Clear();
  if (!IsUsable(transform)) return absl::InvalidArgumentError("the picture or the input has no size");
  Outputs read;
  RETURN_IF_ERROR(ReadOutputs(outputs, uses_, graph_outputs_, batch, &scratch->converted, &read));
  scratch->candidates.clear();
  CandidateSink sink(transform, &scratch->candidates);
  RETURN_IF_ERROR(Collect(read, transform, scratch, &sink));
  if (suppression_ == Suppression::kInGraph) {
    KeepBest(head_.max_detections, &scratch->candidates);
  } else {
    SuppressNonMaxima({head_.iou, head_.class_agnostic, head_.max_detections}, &scratch->candidates);
  }
  for (const Candidate& candidate : scratch->candidates) {
    Detection& detection = result->detections.emplace_back();
    detection.box = Clip(candidate.box, transform.source);
    detection.score = std::clamp(candidate.score, 0.f, 1.f);
    detection.class_id = candidate.class_id;
    Complete(read, transform, candidate, scratch, &detection);
  }
  return absl::OkStatus();
}

void AddKeypoint(const InputTransform& transform, float x, float y, float score, Detection* detection) {
  const Box point = transform.ToSource({x, y, x, y});
  Keypoint& keypoint = detection->keypoints.emplace_back();
  if (std::isfinite(point.x1) && std::isfinite(point.y1) && std::isfinite(score)) {
    const Box clipped = Clip(point, transform.source);
    keypoint = {clipped.x1, clipped.y1, std::clamp(score, 0.f, 1.f)};
  } else {
    const Box& box = detection->box;
    keypoint = {(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2, 0};
  }
}

absl::Status CheckDetectorCard(const HeadCard& head) {
  const auto fraction = [](float x) { return x >= 0 && x <= 1; };
  if (!fraction(head.min_score)) return absl::InvalidArgumentError("head.min_score: not between 0 and 1");
  if (!fraction(head.iou)) return absl::InvalidArgumentError("head.iou: not between 0 and 1");
  if (head.max_detections < 1 || head.max_detections > 100'000) {
    return absl::InvalidArgumentError("head.max_detections: not between 1 and 100000");
  }
  if (head.strides.size() > 16) return absl::InvalidArgumentError("head.strides: more than 16");
  for (const int stride : head.strides) {
    if (stride < 1 || stride > 4096)
      return absl::InvalidArgumentError("head.strides: not between 1 and 4096");
  }
  return absl::OkStatus();
}

absl::StatusOr<int> ClassCount(const HeadCard& head, int64_t graph_classes) {
  const int64_t labels = static_cast<int64_t>(head.labels.size());
  if (graph_classes == 0 || graph_classes > 1'000'000) {
    return absl::InvalidArgumentError(
        fmt::format("the graph's outputs leave room for {} classes", graph_classes));
  }
  if (graph_classes < 0) {
    if (labels > 0) return static_cast<int>(labels);
    return absl::InvalidArgumentError(
        "head.labels: needed, because the graph leaves the number of classes open");
  }
  if (labels > 0 && labels != graph_classes) {
    return absl::InvalidArgumentError(
        fmt::format("head.labels: {} labels, but the graph has {} classes", labels, graph_classes));
  }
  return static_cast<int>(graph_classes);
}

std::vector<int> StridesOr(const HeadCard& head, const std::vector<int>& customary) {
  return head.strides.empty() ? customary : head.strides;
}

BestClass FindBestClass(const float* scores, int count, int64_t step) {
  BestClass best{0, -std::numeric_limits<float>::infinity()};
  for (int c = 0; c < count; ++c) {
    const float score = scores[c * step];
    if (score > best.score) best = {c, score};
  }
  return best;
}

float Sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

}  // namespace sightline::postprocess
