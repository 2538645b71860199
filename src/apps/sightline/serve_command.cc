// sightline serve: a node.
#include <malloc.h>

#include <iostream>
#include <thread>

#include "apps/sightline/builtin_pipelines.h"
#include "apps/sightline/commands.h"
#include "apps/sightline/stop_signal.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"
#include "cameras/node/node.h"
#include "pipeline/spec/pipeline_spec.h"
#include "serving/http_server.h"
#include "serving/node_api.h"
#include "simulate/clip/street_clip.h"

namespace sightline::app {

absl::StatusOr<pipeline::Plan> OpenPipeline(const std::string& name, const registry::ModelStore& store) {
  if (name != "street") return pipeline::LoadPipeline(name, store);
  auto checked = pipeline::CheckPipeline(kStreetPipeline, "street (built in)", store);
  if (!checked.plan) return pipeline::ToStatus(checked.diagnostics);
  checked.plan->name = name;
  return *std::move(checked.plan);
}

namespace {

// Of the C library's heap. By default it may be eight a core; what hundreds of cameras free in one is not
// used by the next, and memory creeps up for hours.
constexpr int kArenasMax = 4;
constexpr double kDrainSeconds = 8;  // of the ten that a service manager grants

struct ServeArguments {
  std::string config, data_dir, listen, models;
  bool schema = false, reference = false, check = false;
};

int Fail(ExitCode code, std::string_view message) {
  std::cerr << "sightline serve: " << message << "\n";
  return code;
}

absl::StatusOr<cameras::NodeConfig> ConfigOf(const ServeArguments& arguments) {
  cameras::NodeConfig config;
  if (!arguments.config.empty()) {
    ASSIGN_OR_RETURN(config, cameras::ReadNodeConfig(arguments.config));
  }
  if (!arguments.data_dir.empty()) config.data_dir = arguments.data_dir;
  if (!arguments.listen.empty()) config.http.listen = arguments.listen;
  if (!arguments.models.empty()) config.models = arguments.models;
  ASSIGN_OR_RETURN(config.http.token, cameras::WithEnvironment(config.http.token));
  return config;
}

serving::ServerOptions ServerOptionsOf(const cameras::HttpConfig& http) {
  serving::ServerOptions options;
  options.listen = http.listen;
  options.certificate = http.certificate;
  options.key = http.key;
  options.token = http.token;
  options.connections_max = http.connections_max;
  options.requests_per_second = http.requests_per_second;
  return options;
}

int Serve(const ServeArguments& arguments) {
  mallopt(M_ARENA_MAX, kArenasMax);
  if (arguments.schema) {
    std::cout << cameras::NodeConfigSchema();
    return kExitOk;
  }
  if (arguments.reference) {
    std::cout << cameras::NodeReferencePage();
    return kExitOk;
  }
  auto config = ConfigOf(arguments);
  if (!config.ok()) return Fail(kExitUsage, MessageOf(config.status()));
  if (arguments.check) {
    std::cout << (arguments.config.empty() ? "defaults" : arguments.config) << ": ok\n";
    return kExitOk;
  }
  WatchStopSignals(false);
  const cameras::HttpConfig http = config->http;
  auto server = serving::Server::Create(ServerOptionsOf(http));
  if (!server.ok()) return Fail(kExitUsage, MessageOf(server.status()));
  const registry::ModelStore store(registry::ModelRoots(config->models));
  cameras::NodeContext context;
  context.open_pipeline =
      [&store](const std::string& name) -> absl::StatusOr<std::shared_ptr<const pipeline::Engine>> {
    ASSIGN_OR_RETURN(pipeline::Plan plan, OpenPipeline(name, store));
    return pipeline::Engine::Create(std::move(plan), {});
  };
  context.open_simulated = [](const ingest::Input& input) { return simulate::OpenStreet(input.address); };
  auto node = cameras::Node::Create(*std::move(config), std::move(context));
  if (!node.ok()) return Fail(kExitNothingDone, MessageOf(node.status()));
  serving::AddNodeRoutes(node->get(), server->get());
  if (const absl::Status started = (*server)->Start(); !started.ok())
    return Fail(kExitNothingDone, MessageOf(started));
  const size_t colon = http.listen.rfind(':');
  spdlog::info("node {} watches {} cameras; {}://{}:{}/", (*node)->info().name, (*node)->cameras().size(),
               http.certificate.empty() ? "http" : "https", http.listen.substr(0, colon), (*server)->port());
  while (!StopRequested()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  spdlog::info("going down: finishing what was begun");
  (*node)->Drain(kDrainSeconds);
  server->reset();
  node->reset();
  spdlog::info("down");
  return kExitOk;
}

}  // namespace

void AddServeCommand(CLI::App& app, int* exit_code) {
  auto arguments = std::make_shared<ServeArguments>();
  CLI::App* serve = app.add_subcommand("serve", "Run a node: watch cameras, apply rules, tell others");
  serve->footer(
      "Examples:\n"
      "  sightline serve                                  on 127.0.0.1:8080, with a data folder of its own\n"
      "  sightline serve --config node.yaml\n"
      "  sightline camera add north 'sim:street?seed=7'   in another terminal\n"
      "SIGTERM and Ctrl-C finish what was begun, in ten seconds at most; a second one ends at once.");
  serve->add_option("--config", arguments->config, "Configuration (see docs/node.md)")->type_name("FILE");
  serve
      ->add_option("--data-dir", arguments->data_dir,
                   "Folder of cameras, events and evidence (before the file's)")
      ->type_name("DIR");
  serve->add_option("--listen", arguments->listen, "host:port of API, metrics and page (before the file's)")
      ->type_name("ADDRESS");
  AddModelsOption(*serve, &arguments->models);
  serve->add_flag("--check", arguments->check, "Check the configuration and end");
  serve->add_flag("--schema", arguments->schema, "Print the JSON Schema of the configuration and end");
  serve->add_flag("--reference", arguments->reference,
                  "Print every key of the configuration (Markdown) and end");
  serve->callback([arguments, exit_code] { *exit_code = Serve(*arguments); });
}

}  // namespace sightline::app
