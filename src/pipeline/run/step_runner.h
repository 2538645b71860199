// One thread's place to run a plan's steps on frames.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "pipeline/run/engine.h"
#include "pipeline/run/frame_result.h"
#include "pipeline/run/stage_times.h"

namespace sightline::pipeline {

// A picture that can be had at several scales: decoding happens when a step asks, as small as all that asked
// so far need.
class PixelSource {
 public:
  virtual ~PixelSource() = default;
  virtual Size source_size() const = 0;
  // A frame of at least `need` in both axes, or of full size.
  virtual absl::StatusOr<FramePtr> AtLeast(Size need) = 0;
};

// A video frame, or anything else that exists at one scale only.
class FixedPixels final : public PixelSource {
 public:
  explicit FixedPixels(FramePtr frame) : frame_(std::move(frame)) {}
  Size source_size() const override { return frame_->source_size; }
  absl::StatusOr<FramePtr> AtLeast(Size) override { return frame_; }

 private:
  FramePtr frame_;
};

// Threads: one at a time. Allocates nothing per frame once warm (ONNX Runtime's own bookkeeping excepted).
class StepRunner {
 public:
  // `times` outlives it.
  StepRunner(std::shared_ptr<const Engine> engine, StageTimes* times);
  ~StepRunner();

  // What the steps on the whole picture need of one of this size, all together.
  Size WholePictureNeed(Size source) const;
  // The steps that need no order among frames. `result` was cleared for this engine's steps. Where not the
  // whole is to be looked at, detect steps on the picture run once a region, at the scale of the whole
  // picture and at a cost in proportion to the region; what a region's edge cuts is not given. Needs
  // CanTakeParts(). `done`: a step whose part of the result is there already; -1: none.
  absl::Status RunUnordered(PixelSource& pixels, FrameResult* result, const track::Looked& looked = {},
                            int done = -1);
  // One model step, on whatever picture. `result` was cleared for this engine's steps.
  absl::Status RunStep(int index, PixelSource& pixels, const track::Looked& looked, FrameResult* result);
  // Whether all detect steps on the picture can look at a part of it.
  bool CanTakeParts() const;
  // The tracks and what works on them; call in the order of a stream's frames. `trackers` belongs to the
  // stream: one entry a step, made on first use. `looked`: what of the picture the detections are of.
  absl::Status RunOrdered(std::vector<std::unique_ptr<track::Tracker>>* trackers, FrameResult* result,
                          const track::Looked& looked = {});

 private:
  struct ModelState;
  absl::Status RunBatch(int index, const Frame& frame, size_t begin, size_t end, FrameResult* result);
  void Track(int index, std::vector<std::unique_ptr<track::Tracker>>* trackers, const track::Looked& looked,
             FrameResult* result);
  void CollectRegions(int index, Size source, const track::Looked& looked, const FrameResult& result);

  std::shared_ptr<const Engine> engine_;
  StageTimes* times_;
  std::vector<std::unique_ptr<ModelState>> models_;
  struct Region {
    Box box;             // source pixels
    int detection = -1;  // of the step worked on
    InputTransform transform;
    bool part = false;  // of the picture, in a detect step
  };
  std::vector<Region> regions_;
  std::vector<absl::Span<const float>> embeddings_;
  std::vector<TensorView> inputs_;
};

}  // namespace sightline::pipeline
