// For tests only: the pipeline that ships, frames without anything on them, and a rule that tells of its
// life.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "cameras/watch/watcher.h"
#include "pipeline/spec/pipeline_spec.h"
#include "registry/model_store.h"

namespace sightline::cameras {

// kFixed: as of a model that runs at one size only. kBroken: as of one that gives something else than its
// file says, so that each frame fails.
enum class TestModel { kShipped, kFixed, kBroken };

inline std::shared_ptr<const pipeline::Engine> StreetEngine(TestModel kind = TestModel::kShipped) {
  const registry::ModelStore store({"models"});
  auto plan = pipeline::LoadPipeline("examples/street.yaml", store);
  EXPECT_TRUE(plan.ok()) << plan.status();
  if (!plan.ok()) return nullptr;
  auto model = std::make_shared<pipeline::CatalogModel>(*plan->steps[0].model);
  if (kind == TestModel::kFixed) model->card.input.cut_padding = false;
  if (kind == TestModel::kBroken) {
    --model->graph.outputs[0].shape[1];  // channels: a class less
    plan->steps[0].head.labels.pop_back();
  }
  plan->steps[0].model = std::move(model);
  auto engine = pipeline::Engine::Create(*std::move(plan), {});
  EXPECT_TRUE(engine.ok()) << engine.status();
  return engine.ok() ? *engine : nullptr;
}

inline LiveFrame GreyFrame(FramePool& pool, int64_t index, Size size = {640, 360}, uint32_t epoch = 0) {
  auto frame = pool.Acquire();
  frame->Allocate(PixelFormat::kYuv420, size);
  for (int i = 0; i < 3; ++i) {
    const Size plane = PlaneSize(frame->format, size, i);
    for (int y = 0; y < plane.height; ++y) {
      std::memset(
          frame->mutable_plane(i) + static_cast<ptrdiff_t>(y) * frame->planes[static_cast<size_t>(i)].stride,
          i == 0 ? 90 + static_cast<int>(index % 7) : 128, static_cast<size_t>(plane.width));
    }
  }
  LiveFrame live;
  live.frame = std::move(frame);
  live.index = index;
  live.epoch = epoch;
  live.stream_s = 0.04 * static_cast<double>(index);
  live.captured = std::chrono::system_clock::now();
  live.arrived = MonotonicClock::now();
  return live;
}

// Begins a state with its first moment and ends it at a reset; tells which topics came.
class LifeRule final : public rules::Rule {
 public:
  const rules::RuleConfig& config() const override { return config_; }
  std::unique_ptr<rules::RuleState> NewState() const override { return std::make_unique<State>(); }

 private:
  class State final : public rules::RuleState {
   public:
    void Update(const rules::Moment& moment, std::vector<Event>* events) override {
      if (!open_) events->push_back(Told(EventPhase::kBegin, moment.time_s));
      open_ = true;
      for (std::string& topic : topics_) {
        events->push_back(Told(EventPhase::kMoment, moment.time_s));
        events->back().zone = std::move(topic);
      }
      topics_.clear();
    }
    void OnTopic(const rules::TopicValue& value) override { topics_.push_back(value.value); }
    void Reset(std::vector<Event>* events) override {
      if (open_) events->push_back(Told(EventPhase::kEnd, 0));
      open_ = false;
    }

   private:
    static Event Told(EventPhase phase, double time_s) {
      Event event;
      event.id = "life";
      event.phase = phase;
      event.time_s = time_s;
      return event;
    }
    bool open_ = false;
    std::vector<std::string> topics_;
  };
  rules::RuleConfig config_;
};

}  // namespace sightline::cameras
