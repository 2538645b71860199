// The program: every command in one place.
#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/sightline/commands.h"
#include "base/log.h"
#include "base/status.h"

namespace {

constexpr const char* kVersion = "0.1.0";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Sightline runs computer-vision models on pictures, videos and cameras.", "sightline"};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("sightline ") + kVersion);
  app.footer(
      "Each command has its own --help.\n"
      "Exit status: 0 all good, 2 bad usage or a bad specification, 3 some inputs failed, 4 nothing could be "
      "done,\n"
      "130 interrupted (what is done is kept).");
  std::string log_level = "warning";
  app.add_option("--log-level", log_level, "trace, debug, info, warning, error or off (on standard error)")
      ->type_name("LEVEL")
      ->capture_default_str();
  app.parse_complete_callback([&log_level] {
    const absl::Status status = sightline::SetUpLog(log_level);
    if (!status.ok()) throw CLI::ValidationError("--log-level", std::string(sightline::MessageOf(status)));
  });

  int exit_code = sightline::app::kExitOk;
  sightline::app::AddRunCommand(app, &exit_code);
  sightline::app::AddPipelineCommand(app, &exit_code);
  sightline::app::AddModelCommand(app, &exit_code);
  sightline::app::AddCompletionCommand(app, &exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? sightline::app::kExitOk : sightline::app::kExitUsage;
  }
  return exit_code;
}
