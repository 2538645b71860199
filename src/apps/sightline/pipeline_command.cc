// sightline pipeline: look at pipeline files without running them.
#include <iostream>
#include <set>

#include "apps/sightline/commands.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/spec/model_card_spec.h"
#include "pipeline/spec/pipeline_spec.h"
#include "registry/model_store.h"

namespace sightline::app {
namespace {

std::string Count(size_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

// FILE: ok (3 steps, 2 models)
std::string Summary(const pipeline::Plan& plan) {
  std::set<const pipeline::CatalogModel*> models;
  for (const pipeline::Step& step : plan.steps) {
    if (step.model != nullptr) models.insert(step.model.get());
  }
  return fmt::format("{}: ok ({}, {})", plan.file, Count(plan.steps.size(), "step"),
                     Count(models.size(), "model"));
}

// A message that does not name the file yet gets its name; diagnostics do already, line by line.
void PrintFailure(const std::string& file, const absl::Status& status) {
  const std::string_view message = MessageOf(status);
  if (message.find(file) == std::string_view::npos) std::cerr << file << ": ";
  std::cerr << message << "\n";
}

int Check(const std::vector<std::string>& files, const std::string& models) {
  const registry::ModelStore store(registry::ModelRoots(models));
  int exit_code = kExitOk;
  for (const std::string& file : files) {
    const auto plan = pipeline::LoadPipeline(file, store);
    if (plan.ok()) {
      std::cout << Summary(*plan) << "\n";
    } else {
      PrintFailure(file, plan.status());
      exit_code = kExitUsage;
    }
  }
  return exit_code;
}

int ShowFile(const std::string& file, const std::string& models) {
  const registry::ModelStore store(registry::ModelRoots(models));
  const auto plan = pipeline::LoadPipeline(file, store);
  if (!plan.ok()) {
    PrintFailure(file, plan.status());
    return kExitUsage;
  }
  std::cout << pipeline::ShowPlan(*plan);
  return kExitOk;
}

struct Arguments {
  std::vector<std::string> files;
  std::string file, models;
  bool card = false;
};

}  // namespace

void AddPipelineCommand(CLI::App& app, int* exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("pipeline", "Check and print pipeline files");
  command->require_subcommand(1);

  CLI::App* check =
      command->add_subcommand("check", "Say all that is wrong with pipeline files, before anything runs");
  check->add_option("FILE", arguments->files, "Pipeline files")->required();
  AddModelsOption(*check, &arguments->models);
  check->callback([arguments, exit_code] { *exit_code = Check(arguments->files, arguments->models); });

  CLI::App* show = command->add_subcommand("show", "Print a pipeline with every default filled in");
  show->add_option("FILE", arguments->file, "Pipeline file")->required();
  AddModelsOption(*show, &arguments->models);
  show->callback([arguments, exit_code] { *exit_code = ShowFile(arguments->file, arguments->models); });

  CLI::App* schema =
      command->add_subcommand("schema", "Print the JSON Schema of pipeline files, for editors");
  schema->add_flag("--card", arguments->card, "That of model cards (model.yaml)");
  schema->callback([arguments] {
    std::cout << (arguments->card ? pipeline::ModelCardJsonSchema() : pipeline::PipelineJsonSchema());
  });

  CLI::App* reference =
      command->add_subcommand("reference", "Print the reference of pipeline files, in Markdown");
  reference->add_flag("--card", arguments->card, "That of model cards (model.yaml)");
  reference->callback([arguments] {
    std::cout << (arguments->card ? pipeline::ModelCardReference() : pipeline::PipelineReference());
  });
}

}  // namespace sightline::app
