// What an ONNX file says of itself, read without running it: for `model inspect`, and for drafting a card.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/geometry.h"
#include "data/model_card.h"

namespace sightline::registry {

struct GraphReadOptions {
  uint64_t bytes_max = (2ull << 30) - 1;  // what protobuf can parse
  int64_t nodes_max = 1'000'000;
  bool estimate_flops = false;
  Size open_size = {640,
                    640};  // stands for open picture extents in the estimate; other open extents count as 1
};

struct FlopsEstimate {
  double flops = 0;           // 2 x multiply-accumulates of convolutions and matrix products, one run
  int64_t counted = 0;        // nodes that it covers
  int64_t unknown = 0;        // such nodes whose shapes could not be inferred: then the truth is higher
  bool assumed_open = false;  // open extents were filled in
};

struct GraphSummary {
  GraphSignature signature;
  std::string graph_name;
  std::string producer_version;
  int64_t ir_version = 0;
  std::map<std::string, int64_t> opsets;  // domain ("ai.onnx" for the standard one) -> version
  std::map<std::string, int64_t>
      operators;  // type, with its domain unless standard -> nodes, subgraphs included
  std::map<std::string, std::string>
      output_operators;  // output -> the operator that computes it, behind reshapes
  int64_t nodes = 0;
  int64_t parameters = 0;  // elements of initializers and Constant nodes
  uint64_t file_bytes = 0;
  std::vector<std::string> external_files;  // as the graph names them, whether they are there or not
  std::optional<FlopsEstimate> flops;       // none where it was not asked for or could not be made
};

// Errors: InvalidArgument (cut, no ONNX file, no graph), ResourceExhausted (a limit). Messages do not name
// the file.
absl::StatusOr<GraphSummary> ReadGraph(absl::Span<const uint8_t> bytes, const GraphReadOptions& options);

// The same for a file; messages begin with its path. External data files need not be there.
absl::StatusOr<GraphSummary> ReadGraphFile(const std::filesystem::path& path,
                                           const GraphReadOptions& options);

}  // namespace sightline::registry
