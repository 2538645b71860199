// The declaration of pipeline.yaml, and what a file says before it is resolved against the models.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/plan.h"
#include "pipeline/spec/declare.h"

namespace sightline::pipeline {

struct StepSpec {
  std::string id;
  std::optional<StepKind> kind;  // empty only where the file had none that is known
  std::string model;
  std::optional<float> min_score, iou;  // empty: the card's
  std::optional<bool> class_agnostic;
  std::optional<int> max_detections, top_k;
  std::optional<std::vector<std::string>> labels;  // empty: all
  std::string on;                                  // "": the whole picture
  std::optional<std::vector<std::string>> on_labels;
  float margin = 0;
  bool square = false;
  float min_box = 0;
  track::TrackerOptions tracker;  // but for `alike`
  std::optional<std::vector<std::vector<std::string>>> alike;
  std::string appearance;
  std::optional<float> appearance_weight;  // empty: kAppearanceWeight with appearance, else 0
};

// How much appearance counts against overlap where a pipeline gives an appearance step and no weight.
inline constexpr float kAppearanceWeight = 0.5f;

struct PipelineSpec {
  std::string name;
  std::vector<StepSpec> steps;
};

inline constexpr size_t kStepsMax = 64;

const Object<PipelineSpec>& PipelineDeclaration();

}  // namespace sightline::pipeline
