// What kind of step each head family serves.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/plan.h"

namespace sightline::pipeline {

std::optional<StepKind> FindTask(
    std::string_view family);  // kDetect, kClassify or kEmbed; nullopt: no such family
std::vector<std::string> FamilyNames();

}  // namespace sightline::pipeline
