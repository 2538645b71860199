// Who works on what, and in which order results leave: inputs are claimed in order, the frames of one video
// by all workers together, and results are handed on in order whoever finishes first.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/file.h"
#include "pipeline/run/executor.h"
#include "stages/decode/picture_decoder.h"

namespace sightline::pipeline {

// One input on its way. Frames are numbered 0, 1, 2, ... in the order in which they leave ("ordinals").
struct WorkInput {
  ingest::Input input;
  InputSummary summary;
  bool failed = false;  // touched by the one that hands on
  std::vector<std::unique_ptr<track::Tracker>> trackers;

  // What several workers share once it is open. A video is decoded by one worker at a time; of a file with
  // pages each worker decodes its own page.
  absl::Mutex mutex;
  std::unique_ptr<VideoInput> video ABSL_GUARDED_BY(mutex);
  Bytes bytes;                   // of a file with pages; constant once shared
  decode::PictureHeader header;  // likewise
  int64_t next_ordinal ABSL_GUARDED_BY(mutex) = 0;
  bool exhausted ABSL_GUARDED_BY(mutex) = false;
};

// Threads: any number of workers. `Emit` (given at construction) runs on whichever worker completes the
// order, one call at a time.
class WorkOrder {
 public:
  struct Emitter {
    virtual ~Emitter() = default;
    virtual void EmitFrame(WorkInput& input, FrameResult& result) = 0;
    virtual void EmitEnd(WorkInput& input) = 0;
  };
  WorkOrder(ingest::InputList* inputs, size_t window, Emitter* emitter, const std::atomic<bool>* stop);

  // A claim: a fresh input to open, or one that is open and has frames left. nullptr: no work is left. Waits
  // while too many results wait for their turn. Every claim is given back with exactly one Release.
  struct Claim {
    std::shared_ptr<WorkInput> input;
    bool fresh = false;
  };
  Claim Next();
  // Lets other workers join (a video or a file with pages).
  void Share(const std::shared_ptr<WorkInput>& input);
  std::unique_ptr<FrameResult> NewResult();
  void Deliver(WorkInput* input, int64_t ordinal, std::unique_ptr<FrameResult> result);
  // No more claims on this input; `total` results in all. Called once, by the worker that found the end.
  void End(WorkInput* input, int64_t total);
  void Release(const Claim& claim);
  void StopClaiming();
  // After the workers have gone: ends the input that was cut short (by `stop`), if one was.
  void Abandon();

 private:
  struct Slot {
    std::shared_ptr<WorkInput> input;
    int64_t next_emit = 0;
    int64_t total = -1;
    bool shared = false;
    std::vector<std::pair<int64_t, std::unique_ptr<FrameResult>>> ready;
  };
  Slot& SlotOf(const WorkInput* input) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void HandOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  ingest::InputList* inputs_;
  const size_t window_;
  Emitter* emitter_;
  const std::atomic<bool>* stop_;

  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::deque<Slot> slots_ ABSL_GUARDED_BY(mutex_);  // in order; the front is the one being handed on
  std::vector<std::unique_ptr<FrameResult>> spare_ ABSL_GUARDED_BY(mutex_);
  size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;  // delivered, not yet handed on
  size_t claimed_ ABSL_GUARDED_BY(mutex_) = 0;
  bool list_ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool handing_on_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sightline::pipeline
