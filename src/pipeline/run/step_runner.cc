#include "pipeline/run/step_runner.h"

#include <algorithm>

#include "base/check.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::pipeline {
namespace {

constexpr float kCutInputPixels = 1.5f;  // a box that ends so near to a part's edge was cut by it
constexpr size_t kBatchMax = 16;         // regions in one Run of a model with an open batch axis

Box RegionAround(const Box& box, const Step& step) {
  const float cx = (box.x1 + box.x2) / 2, cy = (box.y1 + box.y2) / 2;
  float w = box.width() * (1 + 2 * step.margin), h = box.height() * (1 + 2 * step.margin);
  if (step.square) w = h = std::max(w, h);
  return {cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2};
}

bool Contains(const std::vector<int>& ids, int id) {
  return ids.empty() || std::find(ids.begin(), ids.end(), id) != ids.end();
}

// A part's edge that is not the picture's cuts what reaches it: how far that goes on is not known.
bool IsCut(const Box& box, const Box& part, const InputTransform& transform) {
  const float x = kCutInputPixels / transform.scale_x, y = kCutInputPixels / transform.scale_y;
  return (part.x1 > 0 && box.x1 < part.x1 + x) || (part.y1 > 0 && box.y1 < part.y1 + y) ||
         (part.x2 < static_cast<float>(transform.source.width) && box.x2 > part.x2 - x) ||
         (part.y2 < static_cast<float>(transform.source.height) && box.y2 > part.y2 - y);
}

// Parts overlap a little: what two of them show is given once, as the better of both.
bool IsKnown(const Detection& detection, float iou, std::vector<Detection>* known) {
  for (Detection& other : *known) {
    if (other.class_id != detection.class_id || IntersectionOverUnion(other.box, detection.box) <= iou)
      continue;
    if (detection.score > other.score) other = detection;
    return true;
  }
  return false;
}

}  // namespace

struct StepRunner::ModelState {
  std::unique_ptr<infer::Session::Runner> runner;
  preprocess::Preprocessor::Scratch preprocess;
  postprocess::Head::Scratch head;
  Tensor input;
  HeadResult detections;
};

StepRunner::StepRunner(std::shared_ptr<const Engine> engine, StageTimes* times)
    : engine_(std::move(engine)), times_(times), inputs_(1) {
  for (int i = 0; i < engine_->steps(); ++i) {
    models_.push_back(std::make_unique<ModelState>());
    if (engine_->step(i).session != nullptr) models_.back()->runner = engine_->step(i).session->NewRunner();
  }
}

StepRunner::~StepRunner() = default;

Size StepRunner::WholePictureNeed(Size source) const {
  Size need{1, 1};
  for (int i = 0; i < engine_->steps(); ++i) {
    const LoadedStep& loaded = engine_->step(i);
    if (loaded.session == nullptr || engine_->plan().steps[static_cast<size_t>(i)].on >= 0) continue;
    const Size one = loaded.preprocessor->Need(loaded.preprocessor->Transform(WholeBox(source), source));
    need = {std::max(need.width, one.width), std::max(need.height, one.height)};
  }
  return need;
}

bool StepRunner::CanTakeParts() const {
  for (int i = 0; i < engine_->steps(); ++i) {
    const Step& step = engine_->plan().steps[static_cast<size_t>(i)];
    if (step.kind == StepKind::kDetect && step.on < 0 && !engine_->step(i).preprocessor->CanTakeParts()) {
      return false;
    }
  }
  return true;
}

absl::Status StepRunner::RunUnordered(PixelSource& pixels, FrameResult* result, const track::Looked& looked,
                                      int done) {
  result->source_size = pixels.source_size();
  for (int i = 0; i < engine_->steps(); ++i) {
    if (engine_->step(i).ordered || i == done) continue;
    RETURN_IF_ERROR(RunStep(i, pixels, looked, result));
  }
  return absl::OkStatus();
}

absl::Status StepRunner::RunOrdered(std::vector<std::unique_ptr<track::Tracker>>* trackers,
                                    FrameResult* result, const track::Looked& looked) {
  trackers->resize(static_cast<size_t>(engine_->steps()));
  for (int i = 0; i < engine_->steps(); ++i) {
    if (!engine_->step(i).ordered) continue;
    if (engine_->plan().steps[static_cast<size_t>(i)].kind == StepKind::kTrack) {
      Track(i, trackers, looked, result);
    } else {
      CHECK(result->pixels != nullptr) << "pixels were not kept for an ordered step";
      FixedPixels pixels(result->pixels);
      RETURN_IF_ERROR(RunStep(i, pixels, {}, result));
    }
  }
  return absl::OkStatus();
}

void StepRunner::CollectRegions(int index, Size source, const track::Looked& looked,
                                const FrameResult& result) {
  const Step& step = engine_->plan().steps[static_cast<size_t>(index)];
  const auto& preprocessor = *engine_->step(index).preprocessor;
  regions_.clear();
  if (step.on < 0 && step.kind == StepKind::kDetect && !looked.whole) {
    for (const Box& asked : looked.regions) {
      Box part = Clip(asked, source);
      if (!(part.area() > 0)) continue;
      const InputTransform transform = preprocessor.TransformPart(source, &part);
      regions_.push_back({part, -1, transform, true});
    }
    return;
  }
  if (step.on < 0) {
    const Box whole = WholeBox(source);
    regions_.push_back({whole, -1, preprocessor.Transform(whole, source), false});
    return;
  }
  const auto& detections = result.steps[static_cast<size_t>(step.on)].detections;
  for (size_t i = 0; i < detections.size(); ++i) {
    const Detection& detection = detections[i];
    if (!Contains(step.on_classes, detection.class_id)) continue;
    if (std::min(detection.box.width(), detection.box.height()) < std::max(step.min_box, 1.f)) continue;
    const Box region = RegionAround(detection.box, step);
    regions_.push_back({region, static_cast<int>(i), preprocessor.Transform(region, source), false});
  }
}

absl::Status StepRunner::RunStep(int index, PixelSource& pixels, const track::Looked& looked,
                                 FrameResult* result) {
  const LoadedStep& loaded = engine_->step(index);
  CollectRegions(index, pixels.source_size(), looked, *result);
  if (regions_.empty()) return absl::OkStatus();
  Size need{1, 1};
  for (const Region& region : regions_) {
    const Size one = loaded.preprocessor->Need(region.transform);
    need = {std::max(need.width, one.width), std::max(need.height, one.height)};
  }
  ASSIGN_OR_RETURN(const FramePtr frame, pixels.AtLeast(need));
  const size_t batch_max = loaded.batch > 0 ? static_cast<size_t>(loaded.batch) : kBatchMax;
  for (size_t begin = 0; begin < regions_.size();) {
    // With an open size the regions of a batch must share theirs.
    size_t end = begin + 1;
    while (end < regions_.size() && end - begin < batch_max &&
           regions_[end].transform.input == regions_[begin].transform.input) {
      ++end;
    }
    RETURN_IF_ERROR(RunBatch(index, *frame, begin, end, result));
    begin = end;
  }
  return absl::OkStatus();
}

absl::Status StepRunner::RunBatch(int index, const Frame& frame, size_t begin, size_t end,
                                  FrameResult* result) {
  const Step& step = engine_->plan().steps[static_cast<size_t>(index)];
  const LoadedStep& loaded = engine_->step(index);
  ModelState& state = *models_[static_cast<size_t>(index)];
  Shape shape = loaded.preprocessor->TensorShape(regions_[begin].transform.input);
  const size_t slot_bytes = static_cast<size_t>(ElementCount(shape)) * BytesOf(loaded.card.input.type);
  shape[0] = loaded.batch > 0 ? loaded.batch : static_cast<int64_t>(end - begin);
  {
    StageTimer timer(&times_->at(Stage::kPreprocess, index));
    state.input.Reset(loaded.card.input.type, shape);
    auto* slots = static_cast<uint8_t*>(state.input.view().data);
    for (size_t i = begin; i < end; ++i) {
      loaded.preprocessor->Run(frame, regions_[i].transform, regions_[i].box,
                               slots + (i - begin) * slot_bytes, &state.preprocess);
    }
    const size_t used = (end - begin) * slot_bytes;  // a fixed batch may have slots to spare
    std::memset(slots + used, 0, static_cast<size_t>(shape[0]) * slot_bytes - used);
  }
  absl::Span<const TensorView> outputs;
  {
    StageTimer timer(&times_->at(Stage::kInfer, index));
    inputs_[0] = state.input.view();
    ASSIGN_OR_RETURN(outputs, state.runner->Run(inputs_));
  }
  StageTimer timer(&times_->at(Stage::kPostprocess, index));
  StepResult& step_result = result->steps[static_cast<size_t>(index)];
  for (size_t i = begin; i < end; ++i) {
    const int slot = static_cast<int>(i - begin);
    HeadResult* head = step.kind == StepKind::kDetect ? &state.detections
                                                      : &step_result.AddRegion(regions_[i].detection).head;
    RETURN_IF_ERROR(Annotate(loaded.head->Decode(outputs, slot, regions_[i].transform, &state.head, head),
                             fmt::format("step '{}'", step.id)));
    if (step.kind != StepKind::kDetect) continue;
    for (Detection& detection : head->detections) {
      if (!Contains(step.keep_classes, detection.class_id)) continue;
      if (regions_[i].part && (IsCut(detection.box, regions_[i].box, regions_[i].transform) ||
                               IsKnown(detection, loaded.card.head.iou, &step_result.detections))) {
        continue;
      }
      step_result.detections.push_back(std::move(detection));
    }
  }
  return absl::OkStatus();
}

void StepRunner::Track(int index, std::vector<std::unique_ptr<track::Tracker>>* trackers,
                       const track::Looked& looked, FrameResult* result) {
  StageTimer timer(&times_->at(Stage::kTrack, index));
  const Step& step = engine_->plan().steps[static_cast<size_t>(index)];
  auto& tracker = (*trackers)[static_cast<size_t>(index)];
  if (tracker == nullptr) tracker = track::Tracker::Create(step.tracker);
  const auto& detections = result->steps[static_cast<size_t>(step.on)].detections;
  auto& tracked = result->steps[static_cast<size_t>(index)].detections;
  tracked.assign(detections.begin(), detections.end());
  embeddings_.clear();
  if (step.appearance >= 0) {
    const StepResult& appearance = result->steps[static_cast<size_t>(step.appearance)];
    embeddings_.resize(tracked.size());
    for (size_t i = 0; i < appearance.region_count; ++i) {
      const RegionResult& region = appearance.regions[i];
      embeddings_[static_cast<size_t>(region.detection)] = region.head.embedding;
    }
  }
  tracker->UpdatePart(result->time_s.value_or(static_cast<double>(result->frame)), absl::MakeSpan(tracked),
                      embeddings_, looked);
  std::erase_if(tracked, [](const Detection& detection) { return detection.track_id < 0; });
}

}  // namespace sightline::pipeline
