// `model add`: an ONNX file becomes a model folder with a drafted card.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "data/model_card.h"

namespace sightline::registry {

struct AddOptions {
  std::filesystem::path root;  // of models; made when it is not there
  std::string name;            // "" means from the file's name
  std::string family;          // "" means recognised from the graph
  std::string labels;          // "", a built-in list (coco80), or a text file with one name a line
  std::vector<std::pair<std::string, std::string>> set;  // card key path, YAML value
  bool replace = false;                                  // an existing model of that name
  bool dry_run = false;                                  // draft, write nothing
};

struct AddedModel {
  std::filesystem::path folder;
  ModelCard card;
  std::string yaml;                  // model.yaml as written
  std::string reason;                // why this family
  int confidence = 0;                // 0..100; 100 for --family
  std::vector<std::string> unknown;  // what the graph does not say and nobody supplied
  std::string not_usable;            // why the card can't be run as it is; "" when it can
};

// The folder appears whole or not at all. The file is hashed, its external data (beneath its own folder only)
// copied along. Errors: AlreadyExists without `replace`; InvalidArgument when it is no ONNX file or an option
// is wrong; FailedPrecondition when the family is not recognised and none was named; PermissionDenied for
// external data elsewhere.
absl::StatusOr<AddedModel> AddModel(const std::filesystem::path& onnx, const AddOptions& options);

// Deletes the folder of a model in `root`. NotFound; FailedPrecondition when the folder is no model folder.
absl::Status RemoveModel(const std::filesystem::path& root, std::string_view name);

}  // namespace sightline::registry
