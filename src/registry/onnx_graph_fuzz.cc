// Any bytes as an ONNX file: reading, recognising and drafting a card must end without a crash.
#include "registry/card_draft.h"
#include "registry/onnx_graph.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sightline;  // NOLINT
  registry::GraphReadOptions options;
  options.nodes_max = 10'000;
  const auto graph = registry::ReadGraph(absl::Span<const uint8_t>(data, size), options);
  if (!graph.ok()) return 0;
  registry::DraftOptions draft;
  draft.name = "fuzzed";
  (void)registry::DraftCard(*graph, draft).ok();
  return 0;
}
