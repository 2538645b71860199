// What a pipeline said of one frame.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "data/detection.h"
#include "data/frame.h"

namespace sightline::pipeline {

// What a classify or embed step said of the whole picture or of one box.
struct RegionResult {
  int detection = -1;  // index into the detections of the step that this one works on; -1: the whole picture
  HeadResult head;
};

struct StepResult {
  std::vector<Detection> detections;  // of a detect or track step
  std::vector<RegionResult> regions;  // of a classify or embed step; the first `region_count` are in use
  size_t region_count = 0;

  RegionResult& AddRegion(int detection) {
    if (region_count == regions.size()) regions.emplace_back();
    RegionResult& region = regions[region_count++];
    region.detection = detection;
    region.head.Clear();
    return region;
  }
};

// Reused from frame to frame: Clear keeps the memory.
struct FrameResult {
  int64_t frame = 0;
  std::optional<double> time_s;
  Size source_size;
  std::vector<StepResult> steps;
  FramePtr pixels;      // kept only where a later stage needs them
  absl::Status status;  // not OK: this frame (or its input) failed; steps may be partly filled

  void Clear(size_t step_count) {
    steps.resize(step_count);
    for (StepResult& step : steps) {
      step.detections.clear();
      step.region_count = 0;
    }
    frame = 0;
    time_s.reset();
    source_size = {};
    pixels.reset();
    status = absl::OkStatus();
  }
};

}  // namespace sightline::pipeline
