// Any bytes as a model: the walker must end, in bounds, and what it finds must never resolve outside the
// folder.
#include <filesystem>

#include "base/check.h"
#include "stages/infer/external_data.h"
#include "stages/infer/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sightline;  // NOLINT
  const absl::Span<const uint8_t> bytes(data, size);
  (void)infer::CheckLooksLikeOnnx(bytes).ok();
  const auto files = infer::FindExternalData(bytes);
  if (!files.ok()) return 0;
  static const std::filesystem::path folder = std::filesystem::temp_directory_path();
  size_t looked = 0;
  for (const infer::ExternalFile& file : *files) {
    if (++looked > 8) break;  // the file system is slow; the first few say enough
    const auto path = infer::ResolveExternalFile(folder, file);
    if (path.ok())
      CHECK(path->lexically_normal().string().rfind(folder.lexically_normal().string(), 0) == 0) << *path;
  }
  return 0;
}
