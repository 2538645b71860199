// The one implementation of Session: a graph in ONNX Runtime.
#pragma once

#include <filesystem>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "stages/infer/session.h"

namespace sightline::infer {

// `bytes` is the ONNX file, checked to open nothing outside the folder of `model` (external_data.h); `model`
// is for messages and for external data. Errors as of Session::Load.
absl::StatusOr<std::shared_ptr<const Session>> LoadOrtModel(absl::Span<const uint8_t> bytes,
                                                            const std::filesystem::path& model,
                                                            const SessionOptions& options);

// While it lives, this thread only tries whether a graph runs: that one does not is logged as debug, not as a
// warning.
class QuietTrial {
 public:
  QuietTrial();
  QuietTrial(const QuietTrial&) = delete;
  ~QuietTrial();
};

}  // namespace sightline::infer
