// Where to look: what a camera's next frame needs of the detector. Pure, per-stream state.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "data/frame.h"
#include "data/geometry.h"

namespace sightline::attention {

// What moved, on a grid over the picture. Cells are true where change is beyond noise, and stays so for more
// than rain, snow or a flicker do.
struct Motion {
  int columns = 0, rows = 0;
  Size picture;                // source pixels
  std::vector<uint8_t> moved;  // columns * rows, row by row; 1: moved
  float share = 0;             // of the picture, 0..1
  bool whole = false;          // light was switched, the camera moved, first frame: the grid says nothing
};

// From luma at small scale: running background and noise level a cell. Threads: one at a time; allocates
// nothing once warm. A frame of another size starts afresh.
class MotionDetector {
 public:
  static std::unique_ptr<MotionDetector> Create();
  virtual ~MotionDetector() = default;
  virtual const Motion& Update(const Frame& frame, double time_s) = 0;
};

struct TrackedBox {
  int64_t id = 0;
  Box predicted;  // at the time of the plan
  float speed_px_s = 0;
  double looked_s = 0;  // when a detector last looked where it was
  bool confirmed = false;
  int misses = 0;  // looks there since it was seen
};

enum class LookKind {
  kFull,
  kRegions,
  kPredict,
  kSkip
};  // kPredict: nothing moved but tracks go on; kSkip: nothing there

struct Look {
  LookKind kind = LookKind::kFull;
  std::vector<Box> regions;  // kRegions: source pixels, disjoint, within the picture, each padded for context
};

struct PlannerOptions {
  double full_s = 2.0;      // a full look at least so often
  double track_s = 0.6;     // each moving track is looked at so often at least
  float full_share = 0.9f;  // regions that cost more than this share of a full look become one
  Size model_input;         // of the detector
  float context = 40;       // around what is looked at, in pixels of the model's input
};

class Planner {
 public:
  static std::unique_ptr<Planner> Create(const PlannerOptions& options);
  virtual ~Planner() = default;
  virtual const Look& Plan(const Motion& motion, absl::Span<const TrackedBox> tracks, Size picture,
                           double time_s) = 0;
  virtual void Reset() = 0;  // next: a full look
};

// Regions of several cameras on one picture of the size and format of theirs, copied at their own scale.
struct Placed {
  int source = 0;    // index among what was offered
  Box from;          // source pixels; even corners
  int x = 0, y = 0;  // where its corner lies on the canvas; even
};
class Canvas {
 public:
  static std::unique_ptr<Canvas> Create();
  virtual ~Canvas() = default;
  // Begins an empty canvas like `like` (size, format, matrix, range), grey.
  virtual void Begin(const Frame& like) = 0;
  // Places and copies all regions of a source, or none (false) where there is no room or the frame is of
  // another kind.
  virtual bool Add(int source, const Frame& frame, absl::Span<const Box> regions) = 0;
  virtual FramePtr Finish() = 0;  // the picture; the next Begin starts another
  virtual absl::Span<const Placed> placed() const = 0;
  // Where a box on the canvas lies in its source: false when it belongs to no region, or is cut by a region's
  // edge that is not the picture's.
  virtual bool ToSource(const Box& on_canvas, int* source, Box* box) const = 0;
};

}  // namespace sightline::attention
