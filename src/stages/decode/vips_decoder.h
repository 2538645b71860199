// PNG, WebP, TIFF, GIF, HEIC, AVIF, JPEG XL, JPEG 2000, PNM and Radiance HDR, through libvips.
#pragma once

#include <memory>

#include "stages/decode/picture_decoder.h"

namespace sightline::decode {

// Same contract as PictureDecoder. Grey pictures become kGray8, all others kRgb24.
//
// Samples: 8-bit as they are, 16-bit scaled; of other integer and floating-point samples the range is found
// first and the smallest of 0..1, 0..255, 0..65535 that holds it is mapped to 0..255, else the range itself.
// CMYK is converted without a profile (R = (1-C)(1-K)), embedded profiles are not applied.
//
// Frames of an animation are decoded in one go as long as they are asked for in rising order; the decoder
// keeps a copy of the file for that.
std::unique_ptr<PictureDecoder> CreateVipsDecoder(const MediaLimits& limits);

}  // namespace sightline::decode
