// What goes on from frame to frame of one watched camera: motion, plan, tracks, states of rules.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "cameras/watch/watcher.h"
#include "pipeline/run/frame_result.h"
#include "pipeline/run/step_runner.h"
#include "stages/attention/attention.h"
#include "stages/rules/rule.h"
#include "stages/track/tracker.h"

namespace sightline::cameras {

const attention::Look& FullLook();  // lives for ever

// Which steps of a pipeline a watcher deals with; -1: none.
struct WatchedSteps {
  int track = -1;   // the first: its tracks are the objects of rules
  int detect = -1;  // what it follows, or the first detect step
  // Attention can steer `detect`: it is the only step on the whole picture, and tracked.
  bool steerable = false;
};
WatchedSteps FindWatchedSteps(const pipeline::Engine& engine);

// Threads: one at a time. Each frame: Plan, detect, Conclude. Frames come in the stream's order.
class WatchedStream {
 public:
  explicit WatchedStream(WatchedCamera setup);

  const WatchedCamera& setup() const { return setup_; }
  const WatchedSteps& steps() const { return steps_; }
  // Where to look in this frame; stays until the next plan. A new epoch begins everything anew.
  const attention::Look& Plan(const LiveFrame& frame);
  // `result` holds what the unordered steps say of what `looked` covers; a result that failed counts as if
  // nobody had looked. Runs the ordered steps, then the rules. `topics`: what was published since.
  void Conclude(const LiveFrame& frame, const track::Looked& looked,
                absl::Span<const rules::TopicValue> topics, pipeline::StepRunner& runner,
                pipeline::FrameResult* result);
  absl::Span<const rules::Object> objects() const { return objects_; }
  absl::Span<const Event> events() const { return events_; }  // of the last Conclude, or End
  double rules_cpu_s() const { return rules_cpu_s_; }         // of the last Conclude
  void End();                                                 // open states end

 private:
  void BeginEpoch(uint32_t epoch);
  void GiveIds(pipeline::FrameResult* result);
  void CollectObjects(double time_s, const pipeline::FrameResult& result);
  void AddObject(int64_t id, int class_id, float score, const Box& box, Size picture, bool seen);

  const WatchedCamera setup_;
  const WatchedSteps steps_;
  std::unique_ptr<attention::MotionDetector> motion_;  // null: always a full look
  std::unique_ptr<attention::Planner> planner_;
  std::vector<std::unique_ptr<track::Tracker>> trackers_;
  rules::RuleStates rules_;
  bool started_ = false;
  uint32_t epoch_ = 0;
  // Trackers count from 1 in each epoch: no id is given twice all the same.
  int64_t id_base_ = 0, id_max_ = 0;
  std::vector<track::TrackState> states_;
  std::vector<attention::TrackedBox> boxes_;
  std::vector<rules::Object> objects_;
  std::vector<Event> events_;
  double rules_cpu_s_ = 0;
};

}  // namespace sightline::cameras
