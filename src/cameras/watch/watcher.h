// Analyses the frames of all cameras of a node with one set of workers and one engine a pipeline: picks
// frames fairly, decides where to look, detects, tracks and applies rules.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "cameras/stream/camera_stream.h"
#include "data/event.h"
#include "pipeline/run/engine.h"
#include "pipeline/run/frame_result.h"
#include "stages/attention/attention.h"
#include "stages/rules/rule.h"

namespace sightline::cameras {

enum class AttentionMode { kFull, kAuto };

struct WatchedCamera {
  std::string name;
  std::shared_ptr<const pipeline::Engine> engine;  // its first detect step is what attention steers
  std::string pipeline;                            // name@revision, for events
  AttentionMode attention = AttentionMode::kAuto;
  double rate = 5;    // analyses a second; 0: each frame
  double weight = 1;  // of its share under overload
  rules::SceneGeometry geometry;
  std::vector<std::shared_ptr<const rules::Rule>> rules;
};

// One analysed frame. Borrowed for the call.
struct Analysis {
  int64_t camera = 0;
  const WatchedCamera* setup = nullptr;
  const LiveFrame* frame = nullptr;
  const attention::Look* look = nullptr;
  // The tracks as they are at this frame (boxes predicted where nobody looked), of confirmed tracks only.
  absl::Span<const rules::Object> objects;
  const pipeline::FrameResult* result = nullptr;  // of what was looked at; null where nothing was
  absl::Span<const Event> events;
  double delay_s = 0;  // from arrival to now
};

struct CameraCounts {
  uint64_t frames = 0, analysed = 0, dropped = 0;  // dropped: replaced by a newer one, or too old
  uint64_t failed = 0;                             // of the analysed: a step ended with an error
  bool waiting = false;                            // a frame waits to be analysed
  uint64_t looks_full = 0, looks_regions = 0, looks_predicted = 0, looks_skipped = 0;
  double rate = 0, wanted_rate = 0;
  double delay_p50_s = 0, delay_p99_s = 0;  // over the last minute
  uint64_t events = 0;
  double cpu_s = 0;
  bool degraded = false;  // served less often than wanted, for lack of CPU
};

// Calls come in the order of a camera's frames, from changing threads; cameras in parallel.
class WatchConsumer {
 public:
  virtual ~WatchConsumer() = default;
  virtual void OnAnalysis(const Analysis& analysis) = 0;
};

// Where the CPU time of analysis goes, over all cameras since the start.
struct WatchStage {
  std::string_view
      name;  // plan, preprocess, infer, postprocess, track, rules, tell (evidence, events, pages)
  double cpu_s = 0;
  uint64_t calls = 0;
};

struct WatchOptions {
  int workers = 1;
  double age_max_s = 0.5;
  int pack_max = 8;  // cameras whose regions share one model input; 1: no packing
  const Clock* clock = &Clock::Real();
};

// Threads: methods from anywhere.
class Watcher {
 public:
  static std::unique_ptr<Watcher> Create(const WatchOptions& options, WatchConsumer* consumer);
  virtual ~Watcher() = default;  // finishes what was begun

  virtual int64_t Add(WatchedCamera camera) = 0;
  // No call for this camera comes after it returns; open states end (events by OnAnalysis with a null frame).
  // Waits for an analysis that is under way: not to be called from one of its own.
  virtual void Remove(int64_t camera) = 0;
  virtual void Offer(int64_t camera, const LiveFrame& frame) = 0;  // never blocks
  // Until no frame of the camera waits, at most so long. True: none does, and what is offered next replaces
  // none.
  virtual bool WaitForRoom(int64_t camera, double seconds) = 0;
  virtual void Publish(int64_t camera, const rules::TopicValue& value) = 0;
  virtual CameraCounts counts(int64_t camera) const = 0;
  virtual double served_share() const = 0;
  virtual std::vector<WatchStage> stages() const = 0;
  // Waits until nothing is queued, at most so long. True: nothing is.
  virtual bool Drain(double seconds) = 0;
};

}  // namespace sightline::cameras
