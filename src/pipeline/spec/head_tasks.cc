#include "pipeline/spec/head_tasks.h"

#include "stages/postprocess/head.h"

namespace sightline::pipeline {

std::optional<StepKind> FindTask(std::string_view family) {
  const postprocess::HeadFamily* found = postprocess::FindHeadFamily(family);
  if (found == nullptr) return std::nullopt;
  switch (found->task) {
    case postprocess::Task::kDetect:
      return StepKind::kDetect;
    case postprocess::Task::kClassify:
      return StepKind::kClassify;
    case postprocess::Task::kEmbed:
      return StepKind::kEmbed;
  }
  return std::nullopt;
}

std::vector<std::string> FamilyNames() {
  std::vector<std::string> names;
  for (const postprocess::HeadFamily& family : postprocess::HeadFamilies()) names.emplace_back(family.name);
  return names;
}

}  // namespace sightline::pipeline
