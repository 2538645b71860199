// `model pull`: a model of the catalogue is fetched, checked against its checksum, and becomes a model
// folder.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/net/http_client.h"
#include "registry/catalogue.h"

namespace sightline::registry {

struct PullOptions {
  std::filesystem::path root;  // of models; made when it is not there
  // "" means the catalogue's origins. Else a mirror: a folder or an http(s) address under which NAME.onnx
  // lies, or (ending in .onnx) the file itself.
  std::string from;
  bool replace = false;                  // a model of that name, also one with the right file
  int attempts = 6;                      // in a row that bring next to nothing, for each origin
  std::chrono::milliseconds wait{1000};  // before the second attempt; doubles with each, up to 30 s
  HttpOptions http;                      // its bytes_max is set from the catalogue
  // Called now and then on the caller's thread. `done` counts what was there before.
  std::function<void(uint64_t done, uint64_t bytes)> on_progress;
  std::function<void(const std::string& line)> on_message;  // what went wrong and is tried again
};

struct PulledModel {
  std::filesystem::path folder;
  std::string origin;       // without credentials; "" when it was there
  bool was_there = false;   // with the right file: nothing was done
  uint64_t resumed_at = 0;  // bytes that an earlier attempt had left
};

// The folder appears whole or not at all; what was fetched of a file stays in `root` as NAME.onnx.part for
// the next call. A second call at the same time, in any program, waits for the first.
//
// Errors: AlreadyExists (another model of that name, without `replace`), NotFound (a mirror's folder has no
// such file), Unavailable (every origin failed; the message says how, and how to go without a network),
// DataLoss (a wrong file: it is deleted), ResourceExhausted (the disk is full, the part stays).
absl::StatusOr<PulledModel> PullModel(const CatalogueEntry& entry, const PullOptions& options);

}  // namespace sightline::registry
