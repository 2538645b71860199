// `sightline model`: looking into ONNX files, and the folders that models live in.
#include "apps/sightline/model_command.h"

#include "apps/sightline/commands.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/spec/labels.h"
#include "pipeline/spec/model_card_spec.h"
#include "registry/add_model.h"
#include "registry/card_draft.h"
#include "registry/model_store.h"
#include "registry/onnx_graph.h"
#include "registry/verify_model.h"
#include "stages/postprocess/head.h"

namespace sightline::app {
namespace {

// What the user has wrong is 2; a file that nothing can be done with is 4.
int Complain(const absl::Status& status) {
  fmt::print(stderr, "sightline: {}\n", MessageOf(status));
  switch (status.code()) {
    case absl::StatusCode::kFailedPrecondition:  // not recognised
    case absl::StatusCode::kAlreadyExists:
      return kExitUsage;
    default:
      return kExitNothingDone;
  }
}

// For commands whose argument is a model's name or an option: those mistakes are usage.
int ComplainOfModel(const absl::Status& status) {
  const int code = Complain(status);
  return absl::IsNotFound(status) || absl::IsInvalidArgument(status) ? kExitUsage : code;
}

std::string FamilyNames() {
  std::vector<std::string> names;
  for (const postprocess::HeadFamily& family : postprocess::HeadFamilies()) names.emplace_back(family.name);
  return Join(names, ", ");
}

std::string FamilyHelp() {
  std::string text = "Head families (--family):\n";
  for (const postprocess::HeadFamily& family : postprocess::HeadFamilies()) {
    text += fmt::format("  {:<12} {}\n", family.name, family.summary);
  }
  return text;
}

// "640x480" or "640".
absl::StatusOr<Size> ParseSize(std::string_view text) {
  const size_t cross = text.find('x');
  const auto width = ParseInteger(text.substr(0, cross));
  const auto height = cross == std::string_view::npos ? width : ParseInteger(text.substr(cross + 1));
  if (!width || !height || *width < 1 || *height < 1 || *width > 65'500 || *height > 65'500) {
    return absl::InvalidArgumentError(fmt::format("--size {}: give WIDTHxHEIGHT, such as 640x480", text));
  }
  return Size{static_cast<int>(*width), static_cast<int>(*height)};
}

void AddInspect(CLI::App& model, int* exit_code) {
  struct Options {
    std::string file, size = "640x640";
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = model.add_subcommand("inspect",
                                           "Show what an ONNX file says of itself: inputs, outputs, "
                                           "operators, opset, parameters, arithmetic, metadata");
  command->add_option("FILE", options->file, "An .onnx file")->required();
  command->add_option("--size", options->size, "Picture size for the estimate where the graph leaves it open")
      ->type_name("WxH")
      ->capture_default_str();
  command->add_flag("--json", options->json, "As JSON");
  command->callback([options, exit_code] {
    const auto size = ParseSize(options->size);
    if (!size.ok()) {
      Complain(size.status());
      *exit_code = kExitUsage;
      return;
    }
    registry::GraphReadOptions read;
    read.estimate_flops = true;
    read.open_size = *size;
    const auto graph = registry::ReadGraphFile(options->file, read);
    if (!graph.ok()) {
      *exit_code = Complain(graph.status());
      return;
    }
    const auto recognised = registry::RecogniseGraph(*graph);
    fmt::print("{}", options->json ? GraphJson(options->file, *graph, recognised)
                                   : GraphText(options->file, *graph, recognised));
    *exit_code = kExitOk;
  });
}

// "key=value" pairs; empty optional key when one is malformed.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ParseSet(
    const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(
          fmt::format("--set {}: give KEY=VALUE, such as input.color=bgr", text));
    }
    pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return pairs;
}

void PrintAdded(const registry::AddedModel& added, bool dry_run) {
  fmt::print("{}\n", added.yaml);
  fmt::print("family {} ({} % sure): {}\n", added.card.head.family, added.confidence, added.reason);
  if (!added.unknown.empty()) {
    fmt::print("\nWhat the file does not say:\n");
    for (const std::string& line : added.unknown) fmt::print("  - {}\n", line);
    fmt::print("Supply it with --labels, --family or --set KEY=VALUE (and --force), or edit model.yaml.\n");
  }
  if (!added.not_usable.empty()) fmt::print("\nNot usable yet: {}\n", added.not_usable);
  if (dry_run) {
    fmt::print("\nNothing was written (--dry-run).\n");
  } else {
    fmt::print("\nAdded {} in {}\nNext: sightline model verify {}\n", added.card.name, added.folder.string(),
               added.card.name);
  }
}

void AddAdd(CLI::App& model, int* exit_code) {
  struct Options {
    std::string file, models;
    std::vector<std::string> set;
    registry::AddOptions add;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = model.add_subcommand(
      "add", "Make a model folder from an ONNX file: copy it and draft its card (model.yaml)");
  command->add_option("FILE", options->file, "An .onnx file")->required();
  command->add_option("--name", options->add.name, "Name of the model (default: from the file's name)");
  command->add_option("--family", options->add.family,
                      fmt::format("How its outputs are read: {}", FamilyNames()));
  command
      ->add_option("--labels", options->add.labels,
                   fmt::format("Class names: {}, or a text file with one a line",
                               Join(pipeline::BuiltinLabelNames(), ", ")))
      ->type_name("LIST");
  command
      ->add_option("--set", options->set,
                   "A value of the card, e.g. input.color=bgr or head.min_score=0.5; repeatable")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--force", options->add.replace, "Replace a model of that name");
  command->add_flag("--dry-run", options->add.dry_run, "Show the card, write nothing");
  AddModelsOption(*command, &options->models);
  command->footer(FamilyHelp());
  command->callback([options, exit_code] {
    const auto roots = registry::ModelRoots(options->models);
    auto set = ParseSet(options->set);
    if (!set.ok() || roots.empty()) {
      Complain(!set.ok() ? set.status()
                         : absl::InvalidArgumentError("no folder of models is set: give --models"));
      *exit_code = kExitUsage;
      return;
    }
    options->add.set = *std::move(set);
    options->add.root = roots.front();
    // First by itself: a file that cannot be read is not the command line's fault.
    if (const auto graph = registry::ReadGraphFile(options->file, {}); !graph.ok()) {
      *exit_code = Complain(graph.status());
      return;
    }
    const auto added = registry::AddModel(options->file, options->add);
    if (!added.ok()) {
      const int code = Complain(added.status());
      *exit_code = absl::IsInvalidArgument(added.status()) ? kExitUsage : code;
      return;
    }
    PrintAdded(*added, options->add.dry_run);
    *exit_code = kExitOk;
  });
}

void AddVerify(CLI::App& model, int* exit_code) {
  struct Options {
    std::string name, models;
    registry::VerifyOptions verify;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = model.add_subcommand(
      "verify", "Load a model, check its card against its graph, and run one picture through it");
  command->add_option("NAME", options->name, "NAME or NAME@VERSION")->required();
  command->add_option("PICTURE", options->verify.picture, "A picture file (default: a drawn test picture)");
  command->add_option("--runs", options->verify.runs, "How often to run for the timing")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  AddModelsOption(*command, &options->models);
  command->callback([options, exit_code] {
    const registry::ModelStore store(registry::ModelRoots(options->models));
    if (const auto found = store.Find(options->name); !found.ok()) {
      *exit_code = ComplainOfModel(found.status());
      return;
    }
    const auto report = registry::VerifyModel(store, options->name, options->verify);
    if (!report.ok()) {
      *exit_code = absl::IsInvalidArgument(report.status()) ? (Complain(report.status()), kExitUsage)
                                                            : Complain(report.status());
      return;
    }
    fmt::print("{}", VerifyText(*report));
    *exit_code = kExitOk;
  });
}

void AddList(CLI::App& model, int* exit_code) {
  struct Options {
    std::string models;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = model.add_subcommand("list", "List the models, also those whose card is broken");
  AddModelsOption(*command, &options->models);
  command->add_flag("--json", options->json, "As JSON");
  command->callback([options, exit_code] {
    const registry::ModelStore store(registry::ModelRoots(options->models));
    const auto listings = store.List();
    fmt::print("{}", options->json ? ListJson(listings) : ListText(listings, store.roots()));
    *exit_code = kExitOk;
  });
}

void AddShow(CLI::App& model, int* exit_code) {
  struct Options {
    std::string name, models;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      model.add_subcommand("show", "Print a model's card as it is understood, and where it lies");
  command->add_option("NAME", options->name, "NAME or NAME@VERSION")->required();
  AddModelsOption(*command, &options->models);
  command->callback([options, exit_code] {
    const registry::ModelStore store(registry::ModelRoots(options->models));
    const auto found = store.Find(options->name);
    if (!found.ok()) {
      *exit_code = ComplainOfModel(found.status());
      return;
    }
    fmt::print("# {}\n{}", (*found)->folder.string(), pipeline::FormatModelCard((*found)->card, {}));
    *exit_code = kExitOk;
  });
}

void AddRemove(CLI::App& model, int* exit_code) {
  struct Options {
    std::string name, models;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = model.add_subcommand("remove", "Delete a model's folder");
  command->add_option("NAME", options->name, "The model's name")->required();
  AddModelsOption(*command, &options->models);
  command->callback([options, exit_code] {
    const auto roots = registry::ModelRoots(options->models);
    absl::Status status = absl::NotFoundError("no folder of models is set: give --models");
    for (const auto& root : roots) {
      status = registry::RemoveModel(root, options->name);
      if (!absl::IsNotFound(status)) break;
    }
    if (absl::IsNotFound(status) && !roots.empty())
      status = registry::ModelStore(roots).Find(options->name).status();
    *exit_code = status.ok() ? kExitOk : ComplainOfModel(status);
    if (status.ok()) fmt::print("removed {}\n", options->name);
  });
}

}  // namespace

void AddModelCommand(CLI::App& app, int* exit_code) {
  CLI::App* model = app.add_subcommand("model", "Pull, inspect, add, verify, list, show and remove models");
  model->require_subcommand(1);
  AddModelPull(*model, exit_code);
  AddInspect(*model, exit_code);
  AddAdd(*model, exit_code);
  AddVerify(*model, exit_code);
  AddList(*model, exit_code);
  AddShow(*model, exit_code);
  AddRemove(*model, exit_code);
}

}  // namespace sightline::app
