// A running node as the command line talks to it: its HTTP API.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace sightline::app {

struct NodeClientOptions {
  std::string node, config, authorities;
};
// --node, --config and --authorities.
void AddNodeOptions(CLI::App& command, NodeClientOptions* options);

// Threads: one at a time. Errors are what the node says (NotFound, AlreadyExists, InvalidArgument with all
// diagnostics,
// ...), or Unavailable with a hint how to start one.
class NodeClient {
 public:
  // --node, else the address in --config, else $SIGHTLINE_NODE, else http://127.0.0.1:8080. The token is of
  // --config or $SIGHTLINE_TOKEN: never of the command line, where others could read it.
  static absl::StatusOr<std::unique_ptr<NodeClient>> Create(const NodeClientOptions& options);
  virtual ~NodeClient() = default;
  // `body` is YAML or JSON; "" none. The answer's body, null where it has none.
  virtual absl::StatusOr<nlohmann::json> Call(const std::string& method, const std::string& path,
                                              const std::string& body = "") = 0;
  virtual const std::string& address() const = 0;
};

}  // namespace sightline::app
