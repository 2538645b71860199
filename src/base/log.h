// The log: spdlog to stderr, so that stdout stays the program's output.
#pragma once

#include <spdlog/spdlog.h>

#include "absl/status/status.h"

namespace sightline {

// Call once at start. `level` is one of trace, debug, info, warn, error, off. `json`: an object a line, with
// time, level and message.
absl::Status SetUpLog(std::string_view level, bool json = false);

// A URL without its user name and password, for logs, errors and results: rtsp://user:secret@host/x ->
// rtsp://host/x. Text that is not a URL comes back unchanged.
std::string WithoutCredentials(std::string_view url);

}  // namespace sightline
