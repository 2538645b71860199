// The version of the program, for --version, events and metrics.
#pragma once

namespace sightline {
inline constexpr const char* kVersion = "0.1.0";
}  // namespace sightline
