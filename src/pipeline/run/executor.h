// Runs an engine over inputs with several workers and hands the results on in the order of the inputs and
// frames.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "data/limits.h"
#include "pipeline/run/engine.h"
#include "pipeline/run/frame_result.h"
#include "pipeline/run/stage_times.h"
#include "pipeline/run/video_input.h"
#include "stages/ingest/input_list.h"

namespace sightline::pipeline {

struct RunOptions {
  int workers = 1;
  Sampling sampling;
  bool animations = false;   // give every frame (every Nth by `sampling`), not only the first
  int64_t limit = 0;         // stop after so many frames (a picture is one); 0: no limit
  bool keep_pixels = false;  // results come with full-size pixels, for drawing
  MediaLimits limits;
  // How inputs of kind kSimulated are opened; without it they fail.
  std::function<absl::StatusOr<std::unique_ptr<FrameSource>>(const ingest::Input&)> open_simulated;
  // What is done to every video and picture before it is analysed (fault injection); may be empty.
  std::function<std::unique_ptr<FrameSource>(std::unique_ptr<FrameSource>)> wrap_source;
  std::function<FramePtr(FramePtr)> alter_picture;
};

struct InputSummary {
  std::string name;
  bool video = false;
  std::optional<int64_t> frames_estimate;  // of a video
};

// Gets results in order, one call at a time, from changing threads.
class ResultConsumer {
 public:
  virtual ~ResultConsumer() = default;
  // `result.status` may be an error: the frame, or the whole input, failed. A failure returned here ends the
  // run.
  virtual absl::Status OnFrame(const InputSummary& input, const FrameResult& result) = 0;
  virtual absl::Status OnInputEnd(const InputSummary& input) = 0;
};

struct RunReport {
  int64_t inputs = 0;         // ended, with or without failure
  int64_t inputs_failed = 0;  // with at least one error
  int64_t frames = 0;         // analysed
  bool stopped = false;       // by `stop`, before the end
  StageTimes times{0};
};

// Blocks until all is done, `*stop` becomes true (what was begun is finished and handed on) or the consumer
// fails (its status comes back). Memory is bounded whatever the number of inputs and frames.
absl::StatusOr<RunReport> RunInputs(const std::shared_ptr<const Engine>& engine, ingest::InputList* inputs,
                                    const RunOptions& options, ResultConsumer* consumer,
                                    const std::atomic<bool>* stop);

}  // namespace sightline::pipeline
