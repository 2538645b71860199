// A plan with its models loaded: what all workers share.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/plan.h"
#include "stages/infer/session.h"
#include "stages/postprocess/head.h"
#include "stages/preprocess/preprocessor.h"

namespace sightline::pipeline {

struct EngineOptions {
  int inference_threads = 1;  // inside one Run; leave at 1 where several workers run
};

// One step, ready to run. Of a track step only `ordered` is set.
struct LoadedStep {
  ModelCard card;  // with the step's overrides in `head`
  std::shared_ptr<const infer::Session> session;
  std::optional<preprocess::Preprocessor> preprocessor;
  std::unique_ptr<postprocess::Head> head;
  int input = 0;         // index among the session's inputs
  int64_t batch = 1;     // the graph's fixed batch size; -1: open
  bool ordered = false;  // works on tracks (or is one): runs in the order of the frames
};

// Threads: immutable, shared by all. Lifetime: results point into its cards.
class Engine {
 public:
  // Errors name the step and the model.
  static absl::StatusOr<std::shared_ptr<const Engine>> Create(Plan plan, const EngineOptions& options);

  const Plan& plan() const { return plan_; }
  const LoadedStep& step(int index) const { return *steps_[static_cast<size_t>(index)]; }
  int steps() const { return static_cast<int>(steps_.size()); }
  bool has_ordered_models() const;  // steps that need pixels after tracking

 private:
  Engine() = default;
  Plan plan_;
  std::vector<std::unique_ptr<const LoadedStep>> steps_;
};

}  // namespace sightline::pipeline
