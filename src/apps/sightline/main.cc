// The program: every command in one place.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/sightline/commands.h"
#include "apps/sightline/hidden_arguments.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"
#include "base/version.h"

namespace {

// For a word that nothing fits, what it may have been meant to be; "" where the message says enough.
std::string ExplainWord(const CLI::App& app, int argc, char** argv) {
  const CLI::App* command = &app;
  std::string name = "sightline";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--") return "";
    if (word.size() > 1 && word.front() == '-') {
      const bool letter = word[1] != '-';  // -o, also with its value attached
      const std::string option = word.substr(0, letter ? 2 : word.find('='));
      const CLI::Option* known = command->get_option_no_throw(option);
      if (known == nullptr) {
        std::vector<std::string> options;
        for (const CLI::Option* each : command->get_options())
          options.push_back("--" + each->get_single_name());
        const std::string near = sightline::NearestName(option, options);
        return fmt::format("{}: unknown option {}{}", name, option,
                           near.empty() ? "" : fmt::format("; did you mean {}?", near));
      }
      if (word == option && known->get_items_expected_max() > 0) ++i;  // its value
      continue;
    }
    const auto commands =
        command->get_subcommands([](const CLI::App* each) { return !each->get_name().empty(); });
    if (commands.empty()) continue;
    std::vector<std::string> names;
    const CLI::App* found = nullptr;
    for (const CLI::App* each : commands) {
      names.push_back(each->get_name());
      if (each->get_name() == word) found = each;
    }
    if (found == nullptr) {
      const std::string near = sightline::NearestName(word, names);
      return fmt::format("{}: unknown command '{}'{}", name, sightline::ToValidUtf8(word),
                         near.empty() ? "; there are " + sightline::Join(names, ", ")
                                      : fmt::format("; did you mean '{}'?", near));
    }
    command = found;
    name += " " + word;
  }
  return "";
}

// A standard stream that our caller closed would be the next file that we open: results would go there. What
// stands in fails when it is used.
void HoldStandardStreams() {
  for (const auto& [descriptor, flags] :
       {std::pair(STDIN_FILENO, O_WRONLY), std::pair(STDOUT_FILENO, O_RDONLY),
        std::pair(STDERR_FILENO, O_WRONLY)}) {
    if (fcntl(descriptor, F_GETFD) < 0) [[maybe_unused]]
      const int held = open("/dev/null", flags);
  }
}

}  // namespace

int main(int argc, char** argv) {
  HoldStandardStreams();
  CLI::App app{"Sightline runs computer-vision models on pictures, videos and cameras.", "sightline"};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("sightline ") + sightline::kVersion);
  app.footer(
      "Each command has its own --help.\n"
      "Exit status: 0 all good, 2 bad usage or a bad specification, 3 some inputs failed, 4 nothing could be "
      "done,\n"
      "130 interrupted (what is done is kept).");
  std::string log_level, log_format = "text";
  app.add_option(
         "--log-level", log_level,
         "trace, debug, info, warning, error or off, on standard error (default: info for serve, else "
         "warning)")
      ->type_name("LEVEL");
  app.add_option("--log-format", log_format, "text, or json (an object a line)")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  app.parse_complete_callback([&] {
    sightline::app::HideCredentials(argc, argv);
    if (log_level.empty()) log_level = app.got_subcommand("serve") ? "info" : "warning";
    const absl::Status status = sightline::SetUpLog(log_level, log_format == "json");
    if (!status.ok()) throw CLI::ValidationError("--log-level", std::string(sightline::MessageOf(status)));
  });

  int exit_code = sightline::app::kExitOk;
  sightline::app::AddRunCommand(app, &exit_code);
  sightline::app::AddPipelineCommand(app, &exit_code);
  sightline::app::AddEvalCommand(app, &exit_code);
  sightline::app::AddSimulateCommand(app, &exit_code);
  sightline::app::AddModelCommand(app, &exit_code);
  sightline::app::AddServeCommand(app, &exit_code);
  sightline::app::AddCameraCommand(app, &exit_code);
  sightline::app::AddCompletionCommand(app, &exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      if (const std::string words = ExplainWord(app, argc, argv); !words.empty()) {
        std::cerr << words << "\nRun with --help for more information.\n";
        return sightline::app::kExitUsage;
      }
    }
    return app.exit(error) == 0 ? sightline::app::kExitOk : sightline::app::kExitUsage;
  }
  return exit_code;
}
