// JPEG: a fast path of our own for baseline files, libjpeg-turbo for all others.
#pragma once

#include <memory>

#include "stages/decode/picture_decoder.h"

namespace sightline::decode {

// Same contract as PictureDecoder, for JPEG only. PictureHeader::pages is 1.
std::unique_ptr<PictureDecoder> CreateJpegDecoder(const MediaLimits& limits);

}  // namespace sightline::decode
