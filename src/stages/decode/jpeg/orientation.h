// Turns and mirrors frames upright, as EXIF's orientation asks.
#pragma once

#include "data/frame.h"

namespace sightline::decode::jpeg {

// Fills `target` with `source` turned for display; `orientation` 2..8. `source` is used up (its chroma may be
// shifted). kYuv422 turned by a quarter becomes kYuv444, since no format has chroma at half height only.
// Where an odd side with subsampled chroma is mirrored, chroma is averaged between neighbours, so that it
// stays centred on its samples.
void Orient(int orientation, Frame* source, Frame* target);

}  // namespace sightline::decode::jpeg
