// A DICOM file in memory: parsed, checked against the limits, its frames rendered. Only dicom_*.cc know
// DCMTK.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/frame.h"
#include "data/limits.h"

namespace sightline::decode {

// Threads: one at a time. Lifetime: the bytes that it was parsed from must outlive it.
class DicomFile {
 public:
  virtual ~DicomFile() = default;
  virtual Size size() const = 0;
  virtual int64_t frames() const = 0;
  virtual absl::Status Render(int64_t frame_index, Frame* frame) = 0;

  static absl::StatusOr<std::unique_ptr<DicomFile>> Parse(absl::Span<const uint8_t> bytes,
                                                          const MediaLimits& limits);
};

}  // namespace sightline::decode
