#include "registry/put_folder.h"

#include <cerrno>
#include <cstdio>

#include "base/status.h"
#include "base/text.h"

namespace sightline::registry {

namespace fs = std::filesystem;

absl::Status PutFolderInPlace(const fs::path& ready, const fs::path& folder, bool replace) {
  if (std::rename(ready.c_str(), folder.c_str()) == 0) return absl::OkStatus();
  if ((errno != ENOTEMPTY && errno != EEXIST) || !replace)
    return ErrnoStatus(errno, fmt::format("cannot make {}", folder.string()));
  const fs::path aside = ready.string() + ".old";
  if (std::rename(folder.c_str(), aside.c_str()) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot replace {}", folder.string()));
  }
  if (std::rename(ready.c_str(), folder.c_str()) != 0) {
    const int error_number = errno;
    std::rename(aside.c_str(), folder.c_str());
    return ErrnoStatus(error_number, fmt::format("cannot make {}", folder.string()));
  }
  std::error_code ignored;
  fs::remove_all(aside, ignored);
  return absl::OkStatus();
}

}  // namespace sightline::registry
