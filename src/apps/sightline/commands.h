// The commands of the program. Each adds itself to the command line and sets the exit status when it ran.
#pragma once

#include <CLI/CLI.hpp>

namespace sightline::app {

enum ExitCode {
  kExitOk = 0,
  kExitUsage = 2,       // bad usage or a bad specification
  kExitSomeFailed = 3,  // some inputs failed
  kExitNothingDone = 4,
  kExitInterrupted = 130,
};

void AddRunCommand(CLI::App& app, int* exit_code);
void AddPipelineCommand(CLI::App& app, int* exit_code);
void AddEvalCommand(CLI::App& app, int* exit_code);
void AddSimulateCommand(CLI::App& app, int* exit_code);
void AddModelCommand(CLI::App& app, int* exit_code);
void AddServeCommand(CLI::App& app, int* exit_code);
void AddCameraCommand(CLI::App& app, int* exit_code);
void AddCameraReplayCommand(CLI::App& camera, int* exit_code);  // of `camera`
void AddCompletionCommand(CLI::App& app, int* exit_code);

// --models, common to all commands that look models up.
inline void AddModelsOption(CLI::App& command, std::string* folder) {
  command
      .add_option("--models", *folder,
                  "Folder of models (default: SIGHTLINE_MODELS, then the user's data folder)")
      ->type_name("DIR");
}

}  // namespace sightline::app
