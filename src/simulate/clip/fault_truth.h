// The truth about injected faults: what, when, where.
#pragma once

#include <filesystem>
#include <vector>

#include "absl/status/status.h"
#include "simulate/faults/fault.h"

namespace sightline::simulate {

// JSON Lines, one fault a line: kind, severity (1..5), begin_s, full_s (after the ramp), end_s (null: to the
// end), region (x1, y1, x2, y2 as shares of the picture), seed, text (as ParseFault takes it).
std::string FaultTruth(const std::vector<Fault>& faults);
absl::Status WriteFaultTruth(const std::filesystem::path& path, const std::vector<Fault>& faults);

}  // namespace sightline::simulate
