// Regions of several frames on one picture, detected in one run of the model.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "pipeline/run/frame_result.h"
#include "pipeline/run/step_runner.h"
#include "stages/attention/attention.h"

namespace sightline::cameras {

// The picture is as wide as the frames, and as high as its regions need: a model whose letterbox may leave
// out padding has less to do, and sees regions no smaller than in their frames. Threads: one at a time.
class PackedLook {
 public:
  PackedLook() : canvas_(attention::Canvas::Create()) {}

  void Begin(const Frame& like);
  // All regions of a frame, or none (false): no room, or a frame of another kind. `result` gets its
  // detections.
  bool Add(const Frame& frame, absl::Span<const Box> regions, pipeline::FrameResult* result);
  float rows() const;  // that are filled so far
  // Share of the regions' area that is the frame's, in the order in which they were added.
  double ShareOf(size_t index) const { return areas_[index] / std::max(1.0, area_); }
  // Detects with one step: detections go where their regions come from, in source pixels of theirs. Those
  // that are cut by a region's edge are dropped.
  absl::Status Run(int step, pipeline::StepRunner& runner, size_t step_count);

 private:
  void TakeBack(int step);

  std::unique_ptr<attention::Canvas> canvas_;
  std::vector<pipeline::FrameResult*> results_;
  std::vector<double> areas_;
  double area_ = 0;
  pipeline::FrameResult on_canvas_;
};

}  // namespace sightline::cameras
