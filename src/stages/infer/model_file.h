// Reading model.onnx: its bytes, or what the file is instead, in words that help.
#pragma once

#include <filesystem>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/file.h"

namespace sightline::infer {

// Reads the file and refuses what is plainly no ONNX: empty files, git-lfs pointers, web pages, archives,
// other formats. Messages begin with the path. Errors: NotFound, ResourceExhausted, InvalidArgument.
absl::StatusOr<Bytes> ReadModelFile(const std::filesystem::path& path, uint64_t bytes_max);

// Why these bytes are plainly no ONNX model; OK when they may be one.
absl::Status CheckLooksLikeOnnx(absl::Span<const uint8_t> bytes);

}  // namespace sightline::infer
