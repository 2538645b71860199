#include "pipeline/spec/pipeline_spec.h"

#include <set>

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/spec/head_tasks.h"
#include "pipeline/spec/pipeline_declaration.h"
#include "pipeline/spec/resolve.h"

namespace sightline::pipeline {
namespace {

std::optional<std::vector<std::string>> LabelsOf(const std::vector<int>& classes, const CatalogModel* model) {
  if (classes.empty() || model == nullptr) return std::nullopt;
  std::vector<std::string> names;
  for (const int id : classes) {
    const std::string& name = model->card.head.labels[id];
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

std::optional<std::vector<std::vector<std::string>>> AlikeLabels(const std::vector<std::vector<int>>& alike,
                                                                 const CatalogModel* model) {
  if (model == nullptr) return std::nullopt;
  std::vector<std::vector<std::string>> names;
  for (const std::vector<int>& classes : alike) names.push_back(*LabelsOf(classes, model));
  return names;
}

// The model whose labels a step's on_classes mean.
const CatalogModel* BoxModel(const Plan& plan, const Step& step) {
  int source = step.on;
  if (source >= 0 && plan.steps[source].kind == StepKind::kTrack) source = plan.steps[source].on;
  return source < 0 ? nullptr : plan.steps[source].model.get();
}

StepSpec SpecOf(const Plan& plan, const Step& step) {
  StepSpec spec;
  spec.id = step.id;
  spec.kind = step.kind;
  if (step.model != nullptr) spec.model = step.model->card.Id();
  spec.min_score = step.head.min_score;
  spec.iou = step.head.iou;
  spec.class_agnostic = step.head.class_agnostic;
  spec.max_detections = step.head.max_detections;
  spec.top_k = step.head.top_k;
  spec.labels = LabelsOf(step.keep_classes, step.model.get());
  if (step.on >= 0) spec.on = plan.steps[step.on].id;
  spec.on_labels = LabelsOf(step.on_classes, BoxModel(plan, step));
  spec.margin = step.margin;
  spec.square = step.square;
  spec.min_box = step.min_box;
  spec.tracker = step.tracker;
  if (step.kind == StepKind::kTrack) spec.alike = AlikeLabels(step.tracker.alike, BoxModel(plan, step));
  if (step.appearance >= 0) spec.appearance = plan.steps[step.appearance].id;
  spec.appearance_weight = step.tracker.appearance_weight;
  return spec;
}

// "on" and "appearance" that name no step are left out: there is no word for "the whole picture".
void DropEmptyIds(Node* steps) {
  for (Node& step : steps->items) {
    for (size_t i = step.keys.size(); i-- > 0;) {
      const bool id = step.keys[i].text == "on" || step.keys[i].text == "appearance";
      if (!id || !step.items[i].text.empty()) continue;
      step.keys.erase(step.keys.begin() + static_cast<long>(i));
      step.items.erase(step.items.begin() + static_cast<long>(i));
    }
  }
}

}  // namespace

std::string_view Name(StepKind kind) {
  switch (kind) {
    case StepKind::kDetect:
      return "detect";
    case StepKind::kClassify:
      return "classify";
    case StepKind::kEmbed:
      return "embed";
    case StepKind::kTrack:
      return "track";
  }
  return "unknown";
}

CheckedPipeline CheckPipeline(std::string_view yaml, std::string_view file, const ModelCatalog& catalog) {
  CheckedPipeline checked;
  auto parsed = ParseYaml(yaml, file);
  if (auto* diagnostic = std::get_if<Diagnostic>(&parsed)) {
    checked.diagnostics.push_back(std::move(*diagnostic));
    return checked;
  }
  const Node& root = std::get<Node>(parsed);
  Report report(file, &root);
  PipelineSpec spec;
  PipelineDeclaration().Read(root, "", &report, &spec);
  Plan plan = Resolve(spec, catalog, &report);
  checked.diagnostics = report.Take();
  if (!checked.diagnostics.empty()) return checked;
  plan.file = file;
  if (plan.name.empty()) plan.name = std::filesystem::path(file).stem().string();
  checked.plan = std::move(plan);
  return checked;
}

absl::StatusOr<Plan> LoadPipeline(const std::filesystem::path& file, const ModelCatalog& catalog) {
  ASSIGN_OR_RETURN(const std::string yaml, ReadTextFile(file, YamlLimits().bytes_max));
  CheckedPipeline checked = CheckPipeline(yaml, file.string(), catalog);
  if (!checked.plan) return ToStatus(checked.diagnostics);
  return *std::move(checked.plan);
}

absl::StatusOr<Plan> PlanForModel(std::string_view model, const ModelCatalog& catalog) {
  ASSIGN_OR_RETURN(auto found, catalog.Find(model));
  const auto kind = FindTask(found->card.head.family);
  if (!kind) {
    return absl::InvalidArgumentError(
        fmt::format("{}: the head family '{}' of its card is not known", model, found->card.head.family));
  }
  Step step;
  step.id = Name(*kind);
  step.kind = *kind;
  step.head = found->card.head;
  step.model = std::move(found);
  Plan plan;
  plan.name = model;
  plan.steps.push_back(std::move(step));
  return plan;
}

std::string ShowPlan(const Plan& plan) {
  PipelineSpec spec;
  spec.name = plan.name;
  for (const Step& step : plan.steps) spec.steps.push_back(SpecOf(plan, step));
  Node root = PipelineDeclaration().Write(&spec, Show::kAll);
  DropEmptyIds(root.Find("steps"));
  return PrintYaml(root);
}

std::string PipelineJsonSchema() { return SchemaDocument(PipelineDeclaration(), "Sightline pipeline"); }

std::string PipelineReference() {
  return "# The pipeline file\n\n"
         "A pipeline is a YAML file: a list of steps, each with an id that other steps may point to. "
         "`sightline pipeline "
         "check FILE` says all that is wrong with one before anything runs, `sightline pipeline show FILE` "
         "prints it with "
         "every default filled in. Faces, then age and gender of each:\n\n"
         "```yaml\n"
         "name: people\n"
         "steps:\n"
         "  - id: faces\n"
         "    kind: detect\n"
         "    model: yunet\n"
         "  - id: who\n"
         "    kind: classify\n"
         "    model: age_gender\n"
         "    on: faces        # each face that the step above finds\n"
         "    margin: 0.4      # with some of what is around it\n"
         "    square: true\n"
         "```\n\n"
         "Labels are texts whatever they look like: `no` and `0123` need no quotes. Anchors, aliases and "
         "tags of YAML are "
         "not supported.\n\n" +
         ReferenceSections(PipelineDeclaration());
}

}  // namespace sightline::pipeline
