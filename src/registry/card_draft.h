// From a graph to a card: the family recognised or named, what the user says on top, what remains unknown.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "data/model_card.h"
#include "registry/onnx_graph.h"
#include "stages/postprocess/head.h"

namespace sightline::registry {

struct DraftOptions {
  std::string name;
  std::string family;  // "" means recognised
  std::string labels;  // "", a built-in list (coco80), or a text file with one name a line
  std::vector<std::pair<std::string, std::string>> set;  // card key path, YAML value
};

struct CardDraft {
  ModelCard card;
  std::map<std::string, std::string> comments;  // key path -> what was assumed there
  std::string reason;                           // why this family
  int confidence = 0;                           // 0..100; 100 when it was named
  std::vector<std::string> unknown;  // what nobody knows yet, each with the option that supplies it
  std::string not_usable;            // why the card can't be run as it is; "" when it can
};

// The best family over all, and what the graph's operators say beyond its signature; nullopt when none fits.
std::optional<std::pair<const postprocess::HeadFamily*, postprocess::Recognition>> RecogniseGraph(
    const GraphSummary& graph);

// Errors: FailedPrecondition (no family fits and none was named; the message lists the outputs and the
// families), InvalidArgument (an option is wrong, or contradicts the graph).
absl::StatusOr<CardDraft> DraftCard(const GraphSummary& graph, const DraftOptions& options);

// One name a line; blank lines at the end are dropped. InvalidArgument for a file that is no such list.
absl::StatusOr<std::vector<std::string>> ReadLabelFile(const std::string& path);

}  // namespace sightline::registry
