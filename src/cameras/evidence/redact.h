// From what was seen to what is hidden.
#pragma once

#include <vector>

#include "absl/types/span.h"
#include "cameras/evidence/evidence.h"
#include "cameras/evidence/pixelate.h"

namespace sightline::cameras {

// In source pixels of a picture of this size; boxes are grown.
std::vector<HiddenRegion> RegionsOf(const Redaction& redaction, absl::Span<const SeenBox> boxes, Size source);

// In place; `frame` owns its pixels. Boxes and zones are in source pixels.
void Redact(const Redaction& redaction, absl::Span<const SeenBox> boxes, Frame* frame);

// For pictures of which it is not known what they show.
void HideWhole(Frame* frame);

// What either hides.
void Join(const Redaction& other, Redaction* redaction);

}  // namespace sightline::cameras
