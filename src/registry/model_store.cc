#include "registry/model_store.h"

#include <cstdlib>
#include <map>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/spec/card_declaration.h"
#include "pipeline/spec/model_card_spec.h"
#include "registry/onnx_graph.h"
#include "registry/sha256.h"
#include "stages/infer/model_file.h"

namespace sightline::registry {
namespace {

constexpr uint64_t kCardBytesMax = 4 << 20;
constexpr size_t kFoldersMax = 100'000;  // looked at in one root

std::filesystem::path UserModels() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data == '/') {
    return std::filesystem::path(data) / "sightline/models";
  }
  const char* home = std::getenv("HOME");
  return home == nullptr ? std::filesystem::path()
                         : std::filesystem::path(home) / ".local/share/sightline/models";
}

absl::StatusOr<std::shared_ptr<const pipeline::CatalogModel>> ReadFolder(
    const std::filesystem::path& folder) {
  auto model = std::make_shared<pipeline::CatalogModel>();
  model->folder = folder;
  model->graph_file = folder / "model.onnx";
  const std::filesystem::path card_file = folder / "model.yaml";
  ASSIGN_OR_RETURN(const std::string yaml, ReadTextFile(card_file, kCardBytesMax));
  ASSIGN_OR_RETURN(model->card, pipeline::ParseModelCard(yaml, card_file.string()));
  const std::string folder_name = folder.filename().string();
  if (model->card.name.empty()) model->card.name = folder_name;
  if (model->card.name != folder_name) {
    return absl::InvalidArgumentError(
        fmt::format("{}: name: the card says '{}', but its folder is '{}'; make them the same",
                    card_file.string(), model->card.name, folder_name));
  }
  GraphReadOptions options;
  ASSIGN_OR_RETURN(const Bytes bytes, infer::ReadModelFile(model->graph_file, options.bytes_max));
  if (!model->card.sha256.empty()) {
    if (const std::string actual = Sha256Hex(bytes); actual != model->card.sha256) {
      return absl::DataLossError(
          fmt::format("{} is not the file that its card was made for (sha256 {}…, the card says {}…): put "
                      "the right file back, or "
                      "set sha256 in {} after checking it",
                      model->graph_file.string(), actual.substr(0, 12), model->card.sha256.substr(0, 12),
                      card_file.string()));
    }
  }
  auto graph = ReadGraph(bytes, options);
  if (!graph.ok()) return Annotate(graph.status(), fmt::format("cannot read {}", model->graph_file.string()));
  model->graph = std::move(graph->signature);
  return model;
}

// Names of the folders of a root that hold a card or a graph.
std::vector<std::string> NamesIn(const std::filesystem::path& root) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entries(root, error);
  for (size_t i = 0; !error && entries != std::filesystem::directory_iterator() && i < kFoldersMax; ++i) {
    const std::filesystem::path folder = entries->path();
    const std::string name = folder.filename().string();
    std::error_code ignored;
    if (pipeline::IsModelName(name) && (std::filesystem::exists(folder / "model.yaml", ignored) ||
                                        std::filesystem::exists(folder / "model.onnx", ignored))) {
      names.push_back(name);
    }
    entries.increment(error);
  }
  return names;
}

std::string JoinPaths(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::string> texts;
  for (const auto& path : paths) texts.push_back(path.string());
  return Join(texts, ", ");
}

}  // namespace

struct ModelStore::Cache {
  absl::Mutex mutex;
  std::map<std::string, std::shared_ptr<const pipeline::CatalogModel>> models
      ABSL_GUARDED_BY(mutex);  // by folder
};

std::vector<std::filesystem::path> ModelRoots(const std::filesystem::path& explicit_root) {
  if (!explicit_root.empty()) return {explicit_root};
  std::vector<std::filesystem::path> roots;
  if (const char* named = std::getenv("SIGHTLINE_MODELS"); named != nullptr) {
    for (const std::string& root : Split(named, ':')) {
      if (!root.empty()) roots.emplace_back(root);
    }
  }
  if (auto user = UserModels(); !user.empty()) roots.push_back(std::move(user));
  // Those that come with the program: beside it as it was built, or as it is installed.
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* beside : {"models", "../share/sightline/models"}) {
    const auto folder = (program / beside).lexically_normal();
    if (!program.empty() && std::filesystem::is_directory(folder, error)) roots.push_back(folder);
  }
  return roots;
}

ModelStore::ModelStore(std::vector<std::filesystem::path> roots)
    : roots_(std::move(roots)), cache_(std::make_unique<Cache>()) {}
ModelStore::~ModelStore() = default;

absl::StatusOr<std::shared_ptr<const pipeline::CatalogModel>> ModelStore::Load(
    const std::filesystem::path& folder) const {
  // Held while reading: a second caller would read the same files.
  const absl::MutexLock lock(&cache_->mutex);
  auto& cached = cache_->models[folder.string()];
  if (cached != nullptr) return cached;
  ASSIGN_OR_RETURN(cached, ReadFolder(folder));
  return cached;
}

absl::StatusOr<std::shared_ptr<const pipeline::CatalogModel>> ModelStore::Find(std::string_view name) const {
  const size_t at = name.find('@');
  const std::string_view plain = name.substr(0, at);
  const std::string_view version = at == std::string_view::npos ? std::string_view() : name.substr(at + 1);
  if (!pipeline::IsModelName(plain)) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is no model name (letters, digits, '.', '_' and '-'); `sightline model add` gives "
                    "a file a name",
                    ToValidUtf8(plain)));
  }
  std::string other_version;
  for (const std::filesystem::path& root : roots_) {
    const std::filesystem::path folder = root / std::string(plain);
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored)) continue;
    ASSIGN_OR_RETURN(auto model, Load(folder));
    if (version.empty() || model->card.version == version) return model;
    other_version = model->card.version;
  }
  if (!other_version.empty()) {
    return absl::NotFoundError(
        fmt::format("model '{}' is there in version {}, not {}", plain, other_version, version));
  }
  std::vector<std::string> names;
  for (const std::filesystem::path& root : roots_) {
    for (std::string& each : NamesIn(root)) names.push_back(std::move(each));
  }
  const std::string near = NearestName(plain, names);
  return absl::NotFoundError(
      fmt::format("no model '{}' in {}{}", plain,
                  roots_.empty() ? "any folder (no folder of models is set)" : JoinPaths(roots_),
                  !near.empty()   ? fmt::format("; did you mean '{}'?", near)
                  : names.empty() ? "; there are none yet: `sightline model add FILE.onnx` makes one"
                                  : "; `sightline model list` says what there is"));
}

std::vector<ModelStore::Listing> ModelStore::List() const {
  std::map<std::string, Listing> found;  // the first root that has a name wins, as in Find
  for (const std::filesystem::path& root : roots_) {
    for (const std::string& name : NamesIn(root)) {
      if (found.count(name) != 0) continue;
      Listing& listing = found[name];
      listing.name = name;
      listing.folder = root / name;
      auto model = Load(listing.folder);
      listing.status = model.status();
      if (model.ok()) listing.model = *std::move(model);
    }
  }
  std::vector<Listing> listings;
  for (auto& [name, listing] : found) listings.push_back(std::move(listing));
  return listings;
}

}  // namespace sightline::registry
