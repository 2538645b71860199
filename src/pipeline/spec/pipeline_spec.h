// pipeline.yaml to a Plan, checked against the models before anything runs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/plan.h"
#include "pipeline/spec/diagnostic.h"

namespace sightline::pipeline {

struct CheckedPipeline {
  std::optional<Plan> plan;  // present when nothing is wrong
  std::vector<Diagnostic> diagnostics;
};
// All that is wrong, not only the first thing: unknown keys (with a suggestion), types, ranges, missing
// models, labels that the model does not have, steps on steps that give no boxes, cycles.
CheckedPipeline CheckPipeline(std::string_view yaml, std::string_view file, const ModelCatalog& catalog);

// Reads (1 MiB at most) and checks; InvalidArgument with all diagnostics, one a line, or NotFound.
absl::StatusOr<Plan> LoadPipeline(const std::filesystem::path& file, const ModelCatalog& catalog);

// The plan of `sightline run --model NAME`: one step of the kind that the model's family serves.
absl::StatusOr<Plan> PlanForModel(std::string_view model, const ModelCatalog& catalog);

std::string ShowPlan(
    const Plan& plan);  // YAML with every default filled in; CheckPipeline accepts it and gives the same plan
std::string PipelineJsonSchema();
std::string PipelineReference();  // Markdown, for docs/

}  // namespace sightline::pipeline
