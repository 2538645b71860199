// One frame to a JPEG file.
#pragma once

#include <cstdint>
#include <filesystem>

#include "absl/status/statusor.h"
#include "data/frame.h"

namespace sightline::cameras {

// 1..100. The file is there when it is complete; until then it is PATH.partial. Its bytes.
absl::StatusOr<uint64_t> WriteSnapshot(const Frame& frame, int quality, const std::filesystem::path& path);

}  // namespace sightline::cameras
