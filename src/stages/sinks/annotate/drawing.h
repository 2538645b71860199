// Draws marks on a canvas. Sizes follow the resolution, so that a 100-pixel thumbnail and an 8K picture both
// read well.
#pragma once

#include <vector>

#include "absl/types/span.h"
#include "stages/sinks/annotate.h"
#include "stages/sinks/annotate/canvas.h"

namespace sightline::sinks {

struct Point {
  float x = 0, y = 0;  // source pixels
};

// Where a tracked object has been, oldest first.
struct Trail {
  std::vector<Point> points;
  int color_key = 0;
};

// Masks, then trails, boxes, keypoints, and the labels above all. Boxes and trails have a dark edge, labels a
// plate of their colour with text in whichever of black and white stands out; labels keep off each other
// where there is room.
void DrawMarks(const std::vector<Mark>& marks, absl::Span<const Trail* const> trails, Canvas* canvas);

}  // namespace sightline::sinks
