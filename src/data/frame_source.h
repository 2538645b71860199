// Where video frames come from: a file or camera being decoded, the simulator, or another source with
// something done to it.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/frame.h"

namespace sightline {

struct SourceFrame {
  FramePtr frame;     // time_s is set
  int64_t index = 0;  // 0-based among all frames of the source
};

struct SourceFormat {
  Size size;                               // empty: not known before the first frame
  double frames_per_second = 0;            // nominal; 0: not known
  std::optional<int64_t> frames_estimate;  // none: endless or not known
};

// Threads: one at a time; frames may be kept and read anywhere.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  virtual const SourceFormat& format() const = 0;
  // OutOfRange at the end. DataLoss: this frame is lost, calling again may give the next one; others are
  // final.
  virtual absl::StatusOr<SourceFrame> Next() = 0;
  // What was wrong with the source as a whole, once Next() has ended.
  virtual absl::Status Damage() const { return absl::OkStatus(); }
};

}  // namespace sightline
