#include "cameras/watch/watched_stream.h"

#include <algorithm>

#include "base/log.h"

namespace sightline::cameras {
namespace {

constexpr float kInsideMin = 0.3f;  // of a predicted box: with less of it in the picture it is gone

// 0.85 to 1.15, by the name: cameras that began in the same moment must not all ask for full looks at the
// same time.
double Phase(const std::string& name) {
  uint32_t hash = 2166136261u;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return 0.85 + 0.3 * static_cast<double>(hash >> 8) / static_cast<double>(1u << 24);
}

}  // namespace

const attention::Look& FullLook() {
  static const auto* look = new attention::Look();
  return *look;
}

WatchedSteps FindWatchedSteps(const pipeline::Engine& engine) {
  WatchedSteps found;
  int on_whole = 0;
  for (int i = 0; i < engine.steps(); ++i) {
    const pipeline::Step& step = engine.plan().steps[static_cast<size_t>(i)];
    on_whole += step.on < 0 ? 1 : 0;
    if (step.kind == pipeline::StepKind::kTrack && found.track < 0) {
      found.track = i;
      found.detect = step.on;
    }
  }
  for (int i = 0; i < engine.steps() && found.detect < 0; ++i) {
    if (engine.plan().steps[static_cast<size_t>(i)].kind == pipeline::StepKind::kDetect) found.detect = i;
  }
  found.steerable = found.track >= 0 && found.detect >= 0 && on_whole == 1 &&
                    engine.plan().steps[static_cast<size_t>(found.detect)].on < 0 &&
                    engine.step(found.detect).session != nullptr;
  return found;
}

WatchedStream::WatchedStream(WatchedCamera setup)
    : setup_(std::move(setup)), steps_(FindWatchedSteps(*setup_.engine)), rules_(setup_.rules) {
  if (steps_.track < 0) {
    spdlog::warn("camera {}: pipeline {} has no track step: rules have nothing to go by", setup_.name,
                 setup_.pipeline);
  }
  if (setup_.attention == AttentionMode::kAuto && steps_.steerable) {
    const InputCard& input = setup_.engine->step(steps_.detect).card.input;
    attention::PlannerOptions options;
    options.model_input = {input.width, input.height};
    options.full_s *= Phase(setup_.name);
    planner_ = attention::Planner::Create(options);
  } else if (setup_.attention == AttentionMode::kAuto) {
    spdlog::warn(
        "camera {}: pipeline {} looks at the whole of each frame: attention: auto needs exactly one step on "
        "the "
        "whole picture, a detect step that a track step follows",
        setup_.name, setup_.pipeline);
  }
}

void WatchedStream::BeginEpoch(uint32_t epoch) {
  if (started_) rules_.Reset(&events_);
  started_ = true;
  epoch_ = epoch;
  id_base_ += id_max_;
  id_max_ = 0;
  trackers_.clear();
  if (planner_ == nullptr) return;
  motion_ = attention::MotionDetector::Create();
  planner_->Reset();
}

const attention::Look& WatchedStream::Plan(const LiveFrame& frame) {
  events_.clear();
  if (!started_ || frame.epoch != epoch_) BeginEpoch(frame.epoch);
  if (planner_ == nullptr) return FullLook();
  const attention::Motion& motion = motion_->Update(*frame.frame, frame.stream_s);
  states_.clear();
  if (!trackers_.empty()) trackers_[static_cast<size_t>(steps_.track)]->Predict(frame.stream_s, &states_);
  boxes_.clear();
  for (const track::TrackState& state : states_) {
    boxes_.push_back({state.id, state.box, state.speed_px_s, state.looked_s, state.confirmed, state.misses});
  }
  return planner_->Plan(motion, boxes_, frame.frame->source_size, frame.stream_s);
}

void WatchedStream::Conclude(const LiveFrame& frame, const track::Looked& looked,
                             absl::Span<const rules::TopicValue> topics, pipeline::StepRunner& runner,
                             pipeline::FrameResult* result) {
  result->frame = frame.index;
  result->time_s = frame.stream_s;
  result->source_size = frame.frame->source_size;
  result->pixels = frame.frame;
  const bool failed = !result->status.ok();
  if (failed) {
    for (pipeline::StepResult& step : result->steps) {
      step.detections.clear();
      step.region_count = 0;
    }
  }
  const track::Looked nowhere{false, {}};
  const absl::Status ordered = runner.RunOrdered(&trackers_, result, failed ? nowhere : looked);
  if (!failed) result->status = ordered;
  GiveIds(result);
  CollectObjects(frame.stream_s, *result);
  const double begin_s = ThreadCpuSeconds();
  rules::Moment moment;
  moment.time_s = frame.stream_s;
  moment.captured = frame.captured;
  moment.picture = frame.frame->source_size;
  moment.objects = objects_;
  moment.frame = frame.frame.get();
  for (const rules::TopicValue& topic : topics) rules_.OnTopic(topic);
  rules_.Update(moment, &events_);
  rules_cpu_s_ = ThreadCpuSeconds() - begin_s;
}

void WatchedStream::End() {
  events_.clear();
  objects_.clear();
  rules_.Reset(&events_);
}

void WatchedStream::GiveIds(pipeline::FrameResult* result) {
  for (size_t i = 0; i < result->steps.size(); ++i) {
    if (setup_.engine->plan().steps[i].kind != pipeline::StepKind::kTrack) continue;
    for (Detection& detection : result->steps[i].detections) {
      id_max_ = std::max(id_max_, detection.track_id);
      detection.track_id += id_base_;
    }
  }
}

// Those seen now as they were detected, others where they should be; not those that were looked for in vain
// and again.
void WatchedStream::CollectObjects(double time_s, const pipeline::FrameResult& result) {
  objects_.clear();
  if (steps_.track < 0) return;
  const size_t track = static_cast<size_t>(steps_.track);
  for (const Detection& detection : result.steps[track].detections) {
    AddObject(detection.track_id, detection.class_id, detection.score, detection.box, result.source_size,
              true);
  }
  trackers_[track]->Predict(time_s, &states_);
  for (const track::TrackState& state : states_) {
    if (!state.held() || state.seen_s >= time_s) continue;
    AddObject(state.id + id_base_, state.class_id, state.score, state.box, result.source_size, false);
  }
}

void WatchedStream::AddObject(int64_t id, int class_id, float score, const Box& box, Size picture,
                              bool seen) {
  const auto& labels = setup_.engine->step(steps_.detect).card.head.labels;
  const size_t index = static_cast<size_t>(class_id);
  const Box inside = Clip(box, picture);
  if (!(inside.area() > (seen ? 0 : kInsideMin * box.area()))) return;  // gone out of the picture
  objects_.push_back({id, index < labels.size() ? std::string_view(labels[index]) : std::string_view(), score,
                      inside, seen});
}

}  // namespace sightline::cameras
