// What a camera sees now, as JPEG: small or whole, with what was found drawn on it, redacted for who is
// elsewhere.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "cameras/node/node.h"

namespace sightline::serving {

struct PictureStyle {
  bool overlay = true;  // boxes, ids, labels, zones, lines
  bool redact = true;   // as the camera's evidence is
  int width_max = 0;    // pixels; 0: as it is
};

// Half, a third, ... of the frame, so that it is at most so wide; the same frame where it is already. Each
// pixel is the mean of those it stands for; `source_size` stays.
FramePtr Shrunk(const FramePtr& frame, int width_max);

// Threads: safe. One picture is made at a time, so that people who look never take more than one core from
// the analysis; viewers of the same picture share it.
class LivePictures {
 public:
  using Jpeg = std::shared_ptr<const std::string>;
  // Unavailable: nothing is known yet of what must be hidden.
  absl::StatusOr<Jpeg> Encode(const std::string& camera, const cameras::LiveView& view,
                              const PictureStyle& style);

 private:
  using Key = std::tuple<std::string, int, bool, bool>;
  struct Kept {
    double stream_s = 0;
    WallTime captured;
    Jpeg jpeg;
  };
  static constexpr size_t kBytesMax = 64 << 20;

  absl::Mutex encode_;
  absl::Mutex mutex_ ABSL_ACQUIRED_AFTER(encode_);
  std::map<Key, Kept> kept_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Without the node: a frame as it came.
absl::StatusOr<std::string> EncodePlain(const FramePtr& frame, int width_max);

}  // namespace sightline::serving
