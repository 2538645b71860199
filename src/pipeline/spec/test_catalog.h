// For tests only: the model cards of examples/models as a catalogue, without any graph.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/check.h"
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/plan.h"
#include "pipeline/spec/model_card_spec.h"

namespace sightline::pipeline {

class CardCatalog : public ModelCatalog {
 public:
  void Add(ModelCard card) {
    auto model = std::make_shared<CatalogModel>();
    model->card = std::move(card);
    models_[model->card.name] = model;
  }

  absl::StatusOr<std::shared_ptr<const CatalogModel>> Find(std::string_view name) const override {
    const std::string base(name.substr(0, name.find('@')));
    const auto found = models_.find(base);
    if (found != models_.end() && (base == name || found->second->card.Id() == name)) return found->second;
    std::vector<std::string> names;
    for (const auto& [known, model] : models_) names.push_back(known);
    const std::string near = NearestName(base, names);
    return absl::NotFoundError(
        fmt::format("no model '{}'{}", name, near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }

 private:
  std::map<std::string, std::shared_ptr<const CatalogModel>> models_;
};

// Tests run in the repository's root.
inline const CardCatalog& ExampleCatalog() {
  static const auto* catalog = [] {
    auto* made = new CardCatalog;
    for (const auto& folder : std::filesystem::directory_iterator("examples/models")) {
      if (!folder.is_directory()) continue;
      const std::string file = (folder.path() / "model.yaml").string();
      const auto text = ReadTextFile(file, 1 << 20);
      CHECK(text.ok()) << MessageOf(text.status());
      auto card = ParseModelCard(*text, file);
      CHECK(card.ok()) << MessageOf(card.status());
      made->Add(*std::move(card));
    }
    return made;
  }();
  return *catalog;
}

}  // namespace sightline::pipeline
