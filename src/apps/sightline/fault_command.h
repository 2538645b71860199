// What the commands share that do faults to their input.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "simulate/faults/fault.h"

namespace sightline::app {

absl::StatusOr<std::vector<simulate::Fault>> ParseFaults(const std::vector<std::string>& texts);

inline void AddFaultOption(CLI::App& command, std::vector<std::string>* faults) {
  command
      .add_option("--fault", *faults,
                  "A fault of the camera, lens or line: "
                  "KIND[:severity=1..5,at=20s,ramp=2s,for=30s,region=lower-left]; "
                  "may be given several times (kinds: sightline simulate faults --list)")
      ->type_name("FAULT")
      ->allow_extra_args(false);
}

// simulate faults
void AddFaultsCommand(CLI::App& simulate, int* exit_code);

}  // namespace sightline::app
