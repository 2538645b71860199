// A look at the skeleton of a DICOM file before DCMTK parses it: DCMTK allocates whatever length an element
// claims, and follows nested sequences by recursion until the stack ends.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/limits.h"

namespace sightline::decode {

// ResourceExhausted for sequences nested too deeply, DataLoss for an element that is longer than the file.
absl::Status CheckDicomStructure(absl::Span<const uint8_t> bytes);

// The data set of a deflated file, inflated; empty for other files. ResourceExhausted where it grows beyond
// limits.bytes_max.
absl::StatusOr<std::vector<uint8_t>> InflateDicom(absl::Span<const uint8_t> bytes, const MediaLimits& limits);

}  // namespace sightline::decode
