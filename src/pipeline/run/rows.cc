#include "pipeline/run/rows.h"

#include <cmath>

#include "base/status.h"
#include "base/text.h"

namespace sightline::pipeline {
namespace {

std::string_view LabelOf(const HeadCard& head, int class_id) {
  const auto index = static_cast<size_t>(class_id);
  return class_id >= 0 && index < head.labels.size() ? std::string_view(head.labels[index])
                                                     : std::string_view();
}

// The head whose labels name the boxes of a step: its own, or for tracks that of the step tracked.
const HeadCard& LabellingHead(const Engine& engine, int index) {
  while (engine.plan().steps[static_cast<size_t>(index)].kind == StepKind::kTrack) {
    index = engine.plan().steps[static_cast<size_t>(index)].on;
  }
  return engine.step(index).card.head;
}

std::string AttributeText(const Attribute& attribute) {
  if (!attribute.value.empty()) return std::string(attribute.value);
  return fmt::format("{} {:.0f}", attribute.name, attribute.number);
}

void AppendRegionText(const Engine& engine, int index, const RegionResult& region, std::string* text) {
  for (const Attribute& attribute : region.head.attributes) {
    *text += (text->empty() ? "" : ", ") + AttributeText(attribute);
  }
  if (region.head.classifications.empty()) return;
  const Classification& top = region.head.classifications.front();
  const std::string_view label = LabelOf(engine.step(index).card.head, top.class_id);
  *text += fmt::format("{}{} {:.2f}", text->empty() ? "" : ", ",
                       label.empty() ? fmt::format("class {}", top.class_id) : std::string(label), top.score);
}

}  // namespace

RowMaker::RowMaker(std::shared_ptr<const Engine> engine) : engine_(std::move(engine)) {
  for (const Step& step : engine_->plan().steps)
    model_ids_.push_back(step.model ? step.model->card.Id() : "");
  // A track is what the tracker made of a model's boxes: the model is named.
  for (size_t i = 0; i < model_ids_.size(); ++i) {
    const Step& step = engine_->plan().steps[i];
    if (step.kind == StepKind::kTrack) model_ids_[i] = model_ids_[static_cast<size_t>(step.on)];
  }
}

absl::Status RowMaker::Put(const ResultRow& row, sinks::ResultWriter* writer) {
  ++rows_;
  return writer->Write(row);
}

absl::Status RowMaker::Write(const InputSummary& input, const FrameResult& result,
                             sinks::ResultWriter* writer) {
  ResultRow row;
  row.source = input.name;
  row.frame = result.frame;
  row.time_s = result.time_s;
  if (!result.status.ok()) {
    row.kind = ResultKind::kError;
    error_ = MessageOf(result.status);
    row.error = error_;
    return Put(row, writer);
  }
  for (int i = 0; i < engine_->steps(); ++i) RETURN_IF_ERROR(WriteStep(i, result, row, writer));
  return absl::OkStatus();
}

absl::Status RowMaker::WriteStep(int index, const FrameResult& result, ResultRow row,
                                 sinks::ResultWriter* writer) {
  const Step& step = engine_->plan().steps[static_cast<size_t>(index)];
  const StepResult& step_result = result.steps[static_cast<size_t>(index)];
  row.step = step.id;
  row.model = model_ids_[static_cast<size_t>(index)];
  row.kind = step.kind == StepKind::kTrack ? ResultKind::kTrack : ResultKind::kDetection;
  for (const Detection& detection : step_result.detections) {
    row.label = LabelOf(LabellingHead(*engine_, index), detection.class_id);
    row.score = detection.score;
    row.box = detection.box;
    row.track_id = detection.track_id >= 0 ? std::optional<int64_t>(detection.track_id) : std::nullopt;
    row.keypoints = detection.keypoints;
    row.mask = detection.mask.get();
    RETURN_IF_ERROR(Put(row, writer));
  }
  ResultRow region_row;
  region_row.source = row.source;
  region_row.frame = row.frame;
  region_row.time_s = row.time_s;
  region_row.step = row.step;
  region_row.model = row.model;
  for (size_t i = 0; i < step_result.region_count; ++i) {
    const RegionResult& region = step_result.regions[i];
    ResultRow one = region_row;
    if (region.detection >= 0) {
      const auto& on =
          result.steps[static_cast<size_t>(step.on)].detections[static_cast<size_t>(region.detection)];
      one.box = on.box;
      if (on.track_id >= 0) one.track_id = on.track_id;
    }
    RETURN_IF_ERROR(WriteRegion(engine_->step(index), region, one, writer));
  }
  return absl::OkStatus();
}

absl::Status RowMaker::WriteRegion(const LoadedStep& loaded, const RegionResult& region, ResultRow row,
                                   sinks::ResultWriter* writer) {
  if (!region.head.embedding.empty()) {
    row.kind = ResultKind::kEmbedding;
    row.embedding = region.head.embedding;
    return Put(row, writer);
  }
  row.kind = ResultKind::kClassification;
  if (!region.head.attributes.empty()) {
    row.attributes = region.head.attributes;
    return Put(row, writer);
  }
  std::string name;
  for (const Classification& classification : region.head.classifications) {
    row.label = LabelOf(loaded.card.head, classification.class_id);
    if (row.label.empty()) {
      name = fmt::format("{}", classification.class_id);
      row.label = name;
    }
    row.score = classification.score;
    RETURN_IF_ERROR(Put(row, writer));
  }
  return absl::OkStatus();
}

namespace {

// Collects marks step by step; remembers which mark shows which detection of which step.
class MarkMaker {
 public:
  MarkMaker(const Engine& engine, const FrameResult& result)
      : engine_(engine), result_(result), mark_of_(result.steps.size()) {}

  std::vector<sinks::Mark> Make() {
    for (int i = 0; i < engine_.steps(); ++i) {
      if (StepAt(i).kind == StepKind::kTrack) {
        AddTracks(i);
      } else {
        AddDetections(i);
        AddRegions(i);
      }
    }
    for (size_t i = 0; i < marks_.size(); ++i) {
      if (!drawn_[i]) marks_[i].detection = nullptr;
    }
    std::erase_if(marks_, [](const sinks::Mark& mark) { return mark.detection == nullptr; });
    if (!caption_.empty()) marks_.push_back({nullptr, caption_, 0});
    return std::move(marks_);
  }

 private:
  const Step& StepAt(int index) const { return engine_.plan().steps[static_cast<size_t>(index)]; }
  const StepResult& ResultAt(int index) const { return result_.steps[static_cast<size_t>(index)]; }

  void AddDetections(int index) {
    for (const Detection& detection : ResultAt(index).detections) {
      mark_of_[static_cast<size_t>(index)].push_back(marks_.size());
      const std::string_view label = LabelOf(engine_.step(index).card.head, detection.class_id);
      marks_.push_back({&detection,
                        fmt::format("{}{}{:.2f}", label, label.empty() ? "" : " ", detection.score),
                        detection.class_id});
      drawn_.push_back(true);
    }
  }

  // A track takes over the mark of its detection; detections without a track are not drawn in a video.
  void AddTracks(int index) {
    const int on = StepAt(index).on;
    const auto& detections = ResultAt(on).detections;
    const auto& on_marks = mark_of_[static_cast<size_t>(on)];
    if (result_.time_s) {
      for (const size_t mark : on_marks) drawn_[mark] = false;
    }
    for (const Detection& track : ResultAt(index).detections) {
      const auto same = std::find_if(detections.begin(), detections.end(), [&](const Detection& detection) {
        return detection.box == track.box && detection.score == track.score;
      });
      const size_t mark = on_marks[static_cast<size_t>(same - detections.begin())];
      marks_[mark].detection = &track;
      const std::string_view label = LabelOf(LabellingHead(engine_, index), track.class_id);
      marks_[mark].label =
          fmt::format("#{} {}{}{:.2f}", track.track_id, label, label.empty() ? "" : " ", track.score);
      marks_[mark].color_key = static_cast<int>(track.track_id);
      drawn_[mark] = true;
      mark_of_[static_cast<size_t>(index)].push_back(mark);
    }
  }

  void AddRegions(int index) {
    for (size_t i = 0; i < ResultAt(index).region_count; ++i) {
      const RegionResult& region = ResultAt(index).regions[i];
      const auto on = static_cast<size_t>(StepAt(index).on);
      AppendRegionText(engine_, index, region,
                       region.detection < 0
                           ? &caption_
                           : &marks_[mark_of_[on][static_cast<size_t>(region.detection)]].label);
    }
  }

  const Engine& engine_;
  const FrameResult& result_;
  std::vector<std::vector<size_t>> mark_of_;
  std::vector<sinks::Mark> marks_;
  std::vector<bool> drawn_;
  std::string caption_;
};

}  // namespace

std::vector<sinks::Mark> MakeMarks(const Engine& engine, const FrameResult& result) {
  return MarkMaker(engine, result).Make();
}

}  // namespace sightline::pipeline
