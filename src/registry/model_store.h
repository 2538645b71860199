// Models as folders: model.onnx + model.yaml under one or several roots.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/plan.h"

namespace sightline::registry {

// --models, then SIGHTLINE_MODELS (paths separated by ':'), then $XDG_DATA_HOME/sightline/models (or
// ~/.local/share/...), then the models that come with the program. With `explicit_root` only that one is
// used, when not empty.
std::vector<std::filesystem::path> ModelRoots(const std::filesystem::path& explicit_root);

// Threads: safe. Cards and signatures are read on first use and kept.
class ModelStore final : public pipeline::ModelCatalog {
 public:
  explicit ModelStore(std::vector<std::filesystem::path> roots);
  ~ModelStore() override;
  absl::StatusOr<std::shared_ptr<const pipeline::CatalogModel>> Find(std::string_view name) const override;
  // Names in all roots, sorted; folders whose card is broken are listed with their error.
  struct Listing {
    std::string name;
    std::filesystem::path folder;
    absl::Status status;
    std::shared_ptr<const pipeline::CatalogModel> model;
  };
  std::vector<Listing> List() const;
  const std::vector<std::filesystem::path>& roots() const { return roots_; }

 private:
  struct Cache;
  absl::StatusOr<std::shared_ptr<const pipeline::CatalogModel>> Load(
      const std::filesystem::path& folder) const;

  std::vector<std::filesystem::path> roots_;
  std::unique_ptr<Cache> cache_;
};

}  // namespace sightline::registry
