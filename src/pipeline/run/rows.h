// From a frame's results to rows and to marks for drawing.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "pipeline/run/engine.h"
#include "pipeline/run/executor.h"
#include "pipeline/run/frame_result.h"
#include "stages/sinks/annotate.h"
#include "stages/sinks/result_writer.h"

namespace sightline::pipeline {

// One row for each detection, class, attribute set, embedding and track, in the plan's order; one for an
// error. Threads: one at a time (the message buffer is reused).
class RowMaker {
 public:
  explicit RowMaker(std::shared_ptr<const Engine> engine);
  absl::Status Write(const InputSummary& input, const FrameResult& result, sinks::ResultWriter* writer);
  int64_t rows() const { return rows_; }

 private:
  absl::Status WriteStep(int index, const FrameResult& result, ResultRow row, sinks::ResultWriter* writer);
  absl::Status WriteRegion(const LoadedStep& loaded, const RegionResult& region, ResultRow row,
                           sinks::ResultWriter* writer);
  absl::Status Put(const ResultRow& row, sinks::ResultWriter* writer);

  std::shared_ptr<const Engine> engine_;
  std::vector<std::string> model_ids_;  // one a step
  std::string error_;
  int64_t rows_ = 0;
};

// What to draw: each detection once (as a track where it is one), with what later steps said of it.
std::vector<sinks::Mark> MakeMarks(const Engine& engine, const FrameResult& result);

}  // namespace sightline::pipeline
