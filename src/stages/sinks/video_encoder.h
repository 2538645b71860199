// Encodes frames and canvases as H.264 in an MP4 file that appears when it is finished.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stages/sinks/annotate/canvas.h"

namespace sightline::sinks {

// Frames keep their own times, to 1/90000 s. Sides that are odd get one more column or row, which repeats the
// last. Threads: one at a time.
class VideoEncoder {
 public:
  static absl::StatusOr<std::unique_ptr<VideoEncoder>> Create(const std::filesystem::path& path, Size size,
                                                              std::string_view comment);
  virtual ~VideoEncoder() = default;
  // Times rise; one that does not follows the last frame by 1/90000 s. A frame of another size is scaled.
  virtual absl::Status Write(const Canvas& canvas, std::optional<double> time_s) = 0;
  // The frame's pixels under its own time. What is BT.709 limited-range kYuv420 of the video's size goes in
  // as it is; anything else is converted.
  virtual absl::Status WriteFrame(const Frame& frame) = 0;
  virtual absl::Status Finish() = 0;
};

}  // namespace sightline::sinks
