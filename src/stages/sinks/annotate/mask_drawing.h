// Paints a mask: a translucent fill and an outline.
#pragma once

#include "data/detection.h"
#include "stages/sinks/annotate/canvas.h"
#include "stages/sinks/annotate/palette.h"

namespace sightline::sinks {

// `line` is the outline's width in canvas pixels. A mask whose runs do not fill its area is not drawn.
void DrawMask(const Mask& mask, const Color& color, double line, Canvas* canvas);

}  // namespace sightline::sinks
