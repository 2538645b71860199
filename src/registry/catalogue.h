// The catalogue of models that `model pull` knows: where each is published, what its file must be, and its
// card.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "data/model_card.h"

namespace sightline::registry {

struct CatalogueEntry {
  std::string name;
  std::string task;                  // for people
  std::vector<std::string> origins;  // http(s) addresses of the file, tried in this order
  int bytes = 0;                     // of the file, exactly
  std::string sha256;                // of the file, lower-case hex; never empty
  std::string licence;
  ModelCard card;  // whole; name, licence, source and sha256 are the entry's
};

// All diagnostics at once, one a line (InvalidArgument).
absl::StatusOr<std::vector<CatalogueEntry>> ParseCatalogue(std::string_view yaml, std::string_view file);

// The one in the program (models/catalogue.yaml).
absl::StatusOr<std::vector<CatalogueEntry>> BuiltinCatalogue();

// NotFound with a near name and the names that there are.
absl::StatusOr<const CatalogueEntry*> FindInCatalogue(const std::vector<CatalogueEntry>& catalogue,
                                                      std::string_view name);

}  // namespace sightline::registry
