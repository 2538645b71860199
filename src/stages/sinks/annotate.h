// Draws results on pictures and videos: boxes, labels, scores, track trails, keypoints, masks.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/detection.h"
#include "data/frame.h"

namespace sightline::sinks {

// One thing to draw. Text may point anywhere that outlives the call.
struct Mark {
  const Detection* detection = nullptr;  // nullptr: a caption for the whole picture
  std::string label;                     // "car 0.87", "female 0.98, 31 years"
  int color_key = 0;                     // same key, same colour: class or track id
};

// Draws onto a copy of `frame` (which must be at full resolution) as BGRX and keeps it for encoding. Line
// width and text size follow the resolution; labels never leave the picture and stay legible on any
// background. Pictures below 320 pixels are enlarged by a whole factor, beyond 32,000 pixels or 100
// megapixels reduced. Threads: one at a time.
class Annotator {
 public:
  static absl::StatusOr<std::unique_ptr<Annotator>> Create(const std::filesystem::path& folder);
  virtual ~Annotator() = default;
  // A picture: FOLDER/NAME.jpg (name made from the source, never outside the folder, never overwriting
  // another's).
  virtual absl::Status WritePicture(const std::string& source, int64_t page, const Frame& frame,
                                    const std::vector<Mark>& marks) = 0;
  // A video: frames in order, FOLDER/NAME.mp4 (H.264, the frames' own times); complete with FinishVideo, else
  // absent.
  virtual absl::Status WriteVideoFrame(const std::string& source, const Frame& frame,
                                       const std::vector<Mark>& marks) = 0;
  virtual absl::Status FinishVideo(const std::string& source) = 0;
};

}  // namespace sightline::sinks
