// Where an ONNX file keeps weights outside itself, and whether it may: only in files beneath its own folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace sightline::infer {

// One file that tensors of the graph point into.
struct ExternalFile {
  std::string location;       // as the graph says it: relative to the model's folder
  std::string first_tensor;   // one that points here, for messages
  uint64_t bytes_needed = 0;  // the largest offset + length that was named
};

// Finds every external_data location of a serialised ModelProto: initializers, sparse initializers,
// attributes, subgraphs and functions, whatever their data_location says. Sorted by location. Nothing is
// opened. Errors: InvalidArgument (cut, no protobuf, nested too deep), ResourceExhausted (more than 4096
// files).
absl::StatusOr<std::vector<ExternalFile>> FindExternalData(absl::Span<const uint8_t> model);

// The file that `location` names, if it lies beneath `folder` without any symbolic link on the way, is a
// regular file and has at least `bytes_needed` bytes. Errors: PermissionDenied (absolute, '..', a link),
// NotFound, InvalidArgument (no regular file), DataLoss (too short).
absl::StatusOr<std::filesystem::path> ResolveExternalFile(const std::filesystem::path& folder,
                                                          const ExternalFile& file);

// Both of the above for a model in `folder`; the locations that it uses.
absl::StatusOr<std::vector<ExternalFile>> CheckExternalData(absl::Span<const uint8_t> model,
                                                            const std::filesystem::path& folder);

}  // namespace sightline::infer
