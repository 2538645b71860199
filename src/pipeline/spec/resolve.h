// From what a pipeline file says to a plan: names become indices and models, steps stand after what they work
// on.
#pragma once

#include "pipeline/plan.h"
#include "pipeline/spec/pipeline_declaration.h"

namespace sightline::pipeline {

// Reports all that does not fit together; the plan is meaningful only where `report` stays clean. Runs on a
// spec with faults too, so that one check names everything.
Plan Resolve(const PipelineSpec& spec, const ModelCatalog& catalog, Report* report);

}  // namespace sightline::pipeline
