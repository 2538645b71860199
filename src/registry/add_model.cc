#include "registry/add_model.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "absl/cleanup/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/spec/card_declaration.h"
#include "pipeline/spec/model_card_spec.h"
#include "registry/card_draft.h"
#include "registry/onnx_graph.h"
#include "registry/put_folder.h"
#include "registry/sha256.h"
#include "stages/infer/external_data.h"
#include "stages/infer/model_file.h"
#include "stages/infer/ort_model.h"

namespace sightline::registry {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNameMax = 100;

// yolox_nano (416).onnx -> yolox_nano-416
std::string NameFromFile(const fs::path& onnx) {
  std::string name;
  for (const char c : onnx.stem().string().substr(0, kNameMax)) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    if (plain && !(name.empty() && c == '.')) {
      name.push_back(c);
    } else if (!name.empty() && name.back() != '-') {
      name.push_back('-');
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name;
}

absl::Status FileError(const std::error_code& error, std::string_view what, const fs::path& path) {
  return ErrnoStatus(error.value(), fmt::format("{} {}", what, path.string()));
}

absl::Status CopyExternal(const std::vector<infer::ExternalFile>& files, const fs::path& from,
                          const fs::path& to) {
  for (const infer::ExternalFile& file : files) {
    ASSIGN_OR_RETURN(const fs::path source, infer::ResolveExternalFile(from, file));
    const fs::path target = (to / file.location).lexically_normal();
    if (target.filename() == "model.onnx" || target.filename() == "model.yaml") {
      return absl::InvalidArgumentError(fmt::format(
          "its external data is called '{}', which is a name of the model folder's own", file.location));
    }
    std::error_code error;
    fs::create_directories(target.parent_path(), error);
    if (!error) fs::copy_file(source, target, error);
    if (error) return FileError(error, "cannot copy", source);
  }
  return absl::OkStatus();
}

absl::Status WriteFolder(const fs::path& onnx, absl::Span<const uint8_t> bytes,
                         const std::vector<infer::ExternalFile>& external, const AddOptions& options,
                         const AddedModel& added) {
  std::error_code error;
  fs::create_directories(options.root, error);
  if (error) return FileError(error, "cannot make", options.root);
  std::string pattern = (options.root / fmt::format(".{}.adding-XXXXXX", added.card.name)).string();
  if (mkdtemp(pattern.data()) == nullptr) {
    return ErrnoStatus(errno, fmt::format("cannot write in {}", options.root.string()));
  }
  const fs::path ready = pattern;
  const auto clean = absl::MakeCleanup([&] {
    std::error_code ignored;
    fs::remove_all(ready, ignored);
  });
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  RETURN_IF_ERROR(WriteFileAtomically(ready / "model.onnx", text));
  RETURN_IF_ERROR(CopyExternal(external, onnx.parent_path(), ready));
  RETURN_IF_ERROR(WriteFileAtomically(ready / "model.yaml", added.yaml));
  if (chmod(ready.c_str(), 0755) != 0)
    return ErrnoStatus(errno, fmt::format("cannot finish {}", ready.string()));
  return PutFolderInPlace(ready, added.folder, options.replace);
}

}  // namespace

absl::StatusOr<AddedModel> AddModel(const fs::path& onnx, const AddOptions& options) {
  const std::string name = options.name.empty() ? NameFromFile(onnx) : options.name;
  if (!pipeline::IsModelName(name) || name.size() > kNameMax) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is no model name: letters, digits, '.', '_' and '-', not starting with '.'; give "
                    "one with --name",
                    ToValidUtf8(name)));
  }
  AddedModel added;
  added.folder = options.root / name;
  std::error_code ignored;
  if (!options.dry_run && !options.replace && fs::exists(added.folder, ignored)) {
    return absl::AlreadyExistsError(fmt::format(
        "{} is there already; choose another --name, or replace it with --force", added.folder.string()));
  }
  const GraphReadOptions limits;
  ASSIGN_OR_RETURN(const Bytes bytes, infer::ReadModelFile(onnx, limits.bytes_max));
  const auto annotate = [&](const absl::Status& status) {
    return Annotate(status, fmt::format("cannot add {}", onnx.string()));
  };
  const auto graph = ReadGraph(bytes, limits);
  if (!graph.ok()) return annotate(graph.status());
  const auto external = infer::CheckExternalData(bytes, onnx.parent_path());
  if (!external.ok()) return annotate(external.status());
  auto draft = DraftCard(*graph, {name, options.family, options.labels, options.set});
  if (!draft.ok()) return annotate(draft.status());

  added.card = std::move(draft->card);
  if (added.card.name != name) {
    return absl::InvalidArgumentError("the name of a model is its folder's: give it with --name, not --set");
  }
  added.card.sha256 = Sha256Hex(bytes);
  if (added.card.source.empty()) added.card.source = ToValidUtf8(onnx.filename().string());
  added.yaml = pipeline::FormatModelCard(added.card, draft->comments);
  added.reason = std::move(draft->reason);
  added.confidence = draft->confidence;
  added.unknown = std::move(draft->unknown);
  added.not_usable = std::move(draft->not_usable);
  // Operators that ONNX Runtime lacks show only there. The model is added all the same: another machine may
  // run it.
  if (added.not_usable.empty()) {
    const infer::QuietTrial quiet;
    if (const auto session = infer::Session::Load(onnx, {}); !session.ok()) {
      added.not_usable = std::string(MessageOf(session.status()));
    }
  }
  if (!options.dry_run) RETURN_IF_ERROR(WriteFolder(onnx, bytes, *external, options, added));
  return added;
}

absl::Status RemoveModel(const fs::path& root, std::string_view name) {
  if (!pipeline::IsModelName(name)) {
    return absl::InvalidArgumentError(fmt::format("'{}' is no model name", ToValidUtf8(name)));
  }
  const fs::path folder = root / std::string(name);
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return absl::NotFoundError(fmt::format("no model '{}' in {}", name, root.string()));
  }
  if (fs::is_symlink(folder, error)) {
    fs::remove(folder, error);
    return error ? FileError(error, "cannot remove", folder) : absl::OkStatus();
  }
  if (!fs::exists(folder / "model.onnx", error) && !fs::exists(folder / "model.yaml", error)) {
    return absl::FailedPreconditionError(
        fmt::format("{} holds neither model.onnx nor model.yaml; not removed", folder.string()));
  }
  // Out of sight in one step, so that a half-removed model is never found.
  const fs::path aside = root / fmt::format(".{}.removing-{}", name, getpid());
  if (std::rename(folder.c_str(), aside.c_str()) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot remove {}", folder.string()));
  }
  fs::remove_all(aside, error);
  return error ? FileError(error, "cannot remove", aside) : absl::OkStatus();
}

}  // namespace sightline::registry
