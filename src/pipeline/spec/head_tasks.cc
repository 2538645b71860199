#include "pipeline/spec/head_tasks.h"

namespace sightline::pipeline {
namespace {

struct Row {
  const char* family;
  StepKind kind;
};
constexpr Row kRows[] = {
    {"yolox", StepKind::kDetect},    {"yolov5", StepKind::kDetect},     {"yolov8", StepKind::kDetect},
    {"nanodet", StepKind::kDetect},  {"ssd", StepKind::kDetect},        {"scrfd", StepKind::kDetect},
    {"yunet", StepKind::kDetect},    {"classify", StepKind::kClassify}, {"attributes", StepKind::kClassify},
    {"embedding", StepKind::kEmbed},
};

}  // namespace

std::optional<StepKind> FindTask(std::string_view family) {
  for (const Row& row : kRows) {
    if (row.family == family) return row.kind;
  }
  return std::nullopt;
}

std::vector<std::string> FamilyNames() {
  std::vector<std::string> names;
  for (const Row& row : kRows) names.push_back(row.family);
  return names;
}

}  // namespace sightline::pipeline
