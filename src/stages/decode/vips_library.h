// The only place that knows how libvips is started, what of it may be reached, and what its errors mean.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace sightline::decode {

// Starts libvips once: no cache, no threads of its own, no warnings on stderr, and every loader blocked but
// those for PNG, WebP, TIFF, GIF, HEIF/AVIF, JPEG XL, JPEG 2000, PNM and Radiance HDR. So neither ImageMagick
// nor the PDF, SVG, OpenSlide, Matlab, FITS, NIfTI, CSV and raw loaders can be reached by what a file
// contains. Errors: Internal where the library does not start. Threads: safe.
absl::Status StartVips();

// libvips keeps its messages in one buffer for the whole process; this takes what is there as one line for a
// person. Unimplemented where the message says that the picture is of an unsupported kind, DataLoss
// otherwise.
absl::Status TakeVipsError(std::string_view format);

// "domain: text" lines, several times the same, with trailing blanks -> "text; other text". For
// TakeVipsError.
std::string OneLine(std::string_view messages);

}  // namespace sightline::decode
