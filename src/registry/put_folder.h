// A model's folder appears whole.
#pragma once

#include <filesystem>

#include "absl/status/status.h"

namespace sightline::registry {

// Renames the finished folder `ready` to `folder`. With `replace` an old one goes aside first, and comes back
// when that fails; without it, a folder that is there is an error.
absl::Status PutFolderInPlace(const std::filesystem::path& ready, const std::filesystem::path& folder,
                              bool replace);

}  // namespace sightline::registry
