#include "registry/catalogue.h"

#include <set>

#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/spec/card_declaration.h"
#include "pipeline/spec/model_card_spec.h"
#include "registry/catalogue_yaml.h"

namespace sightline::registry {
namespace {

using namespace pipeline;  // NOLINT: the words of declarations

struct Catalogue {
  std::vector<CatalogueEntry> models;
};

bool IsDigest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsOrigin(std::string_view text) {
  const auto url = ParseUrl(text);
  return url.ok() && (url->scheme == "http" || url->scheme == "https") && url->credentials.empty();
}

const Object<CatalogueEntry>& EntryDeclaration() {
  static const auto* declaration = [] {
    auto* o = new Object<CatalogueEntry>("model", "A model that can be fetched.");
    o->Add("name", &CatalogueEntry::name,
           Text({.words = "a name of letters, digits, '.', '_' and '-'",
                 .valid = &IsModelName,
                 .bytes_max = 100}),
           "Its name, and that of its folder.")
        .Required();
    o->Add("task", &CatalogueEntry::task, Text({.bytes_max = 64}), "What it finds.").Required();
    o->Add("origins", &CatalogueEntry::origins,
           ListOf(Text({.words = "an http or https address without credentials", .valid = &IsOrigin}), 1, 16),
           "Addresses of the file, tried in this order.")
        .Required();
    o->Add("bytes", &CatalogueEntry::bytes, Integer(1, std::numeric_limits<int>::max()), "Size of the file.")
        .Required();
    o->Add("sha256", &CatalogueEntry::sha256,
           Text({.words = "64 lower-case hexadecimal digits", .valid = &IsDigest, .bytes_max = 64}),
           "Checksum of the file.")
        .Required();
    o->Add("licence", &CatalogueEntry::licence, Text({.bytes_max = 1024}), "Licence of the weights.")
        .Required();
    o->Add("card", &CatalogueEntry::card, Of(ModelCardDeclaration()), "Its model card.").Required();
    return o;
  }();
  return *declaration;
}

const Object<Catalogue>& CatalogueDeclaration() {
  static const auto* declaration = [] {
    auto* o = new Object<Catalogue>("catalogue", "Models that can be fetched.");
    o->Add("models", &Catalogue::models, ListOf(Of(EntryDeclaration()), 0, 1000), "The models.").Required();
    return o;
  }();
  return *declaration;
}

// What stands once in the entry goes into the card, and the card as a whole is checked as a file would be.
absl::Status FinishCard(CatalogueEntry* entry) {
  entry->card.name = entry->name;
  entry->card.licence = entry->licence;
  entry->card.source = entry->origins.front();
  entry->card.sha256 = entry->sha256;
  const auto parsed =
      ParseModelCard(FormatModelCard(entry->card, {}), fmt::format("card of {}", entry->name));
  return parsed.status();
}

}  // namespace

absl::StatusOr<std::vector<CatalogueEntry>> ParseCatalogue(std::string_view yaml, std::string_view file) {
  auto parsed = ParseYaml(yaml, file);
  if (auto* diagnostic = std::get_if<Diagnostic>(&parsed)) return ToStatus({*diagnostic});
  const Node& root = std::get<Node>(parsed);
  Report report(file, &root);
  Catalogue catalogue;
  CatalogueDeclaration().Read(root, "", &report, &catalogue);
  if (report.count() == 0) {
    std::set<std::string_view> names;
    for (size_t i = 0; i < catalogue.models.size(); ++i) {
      CatalogueEntry& entry = catalogue.models[i];
      const std::string path = fmt::format("models[{}]", i);
      if (!names.insert(entry.name).second) {
        report.At(path + ".name", fmt::format("the model '{}' stands twice", entry.name));
      }
      if (const absl::Status status = FinishCard(&entry); !status.ok()) {
        report.At(path + ".card", std::string(MessageOf(status)));
      }
    }
  }
  if (report.count() > 0) return ToStatus(report.Take());
  return std::move(catalogue.models);
}

absl::StatusOr<std::vector<CatalogueEntry>> BuiltinCatalogue() {
  return ParseCatalogue(kCatalogueYaml, "models/catalogue.yaml");
}

absl::StatusOr<const CatalogueEntry*> FindInCatalogue(const std::vector<CatalogueEntry>& catalogue,
                                                      std::string_view name) {
  std::vector<std::string> names;
  for (const CatalogueEntry& entry : catalogue) {
    if (entry.name == name) return &entry;
    names.push_back(entry.name);
  }
  const std::string near = NearName(name, names);
  return absl::NotFoundError(fmt::format(
      "the catalogue has no model '{}'{}", ToValidUtf8(name.substr(0, 100)),
      near.empty() ? "; it has: " + Join(names, ", ") : fmt::format("; did you mean '{}'?", near)));
}

}  // namespace sightline::registry
