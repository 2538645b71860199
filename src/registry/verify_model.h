// `model verify`: loads a model, checks its card against its graph and runs a picture all the way through.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/detection.h"
#include "pipeline/plan.h"

namespace sightline::registry {

struct VerifyOptions {
  std::filesystem::path picture;  // "" means a drawn test picture
  int runs = 10;                  // timed, after one that warms up
};

struct OutputStatistics {
  std::string name;
  std::string shape;
  double min = 0, max = 0, mean = 0;
  int64_t not_finite = 0;  // NaN and infinite elements
  int64_t elements = 0;
};

struct VerifyReport {
  std::shared_ptr<const pipeline::CatalogModel> model;  // `result` points into its card
  std::string picture;                                  // what was run, for people
  Size picture_size, input_size;
  double load_ms = 0, decode_ms = 0, preprocess_ms = 0, infer_ms = 0, head_ms = 0;  // medians, one thread
  std::vector<OutputStatistics> outputs;
  HeadResult result;
  std::vector<std::string> warnings;  // it runs, but looks wrong
};

// Errors: whatever makes the model unusable: not found, a card that contradicts its graph, an unreadable
// picture.
absl::StatusOr<VerifyReport> VerifyModel(const pipeline::ModelCatalog& catalog, std::string_view name,
                                         const VerifyOptions& options);

}  // namespace sightline::registry
