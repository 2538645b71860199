// Windows icons and cursors: the largest picture of the folder inside, either a bitmap with a mask or a PNG.
#pragma once

#include <memory>

#include "stages/decode/picture_decoder.h"

namespace sightline::decode {

// Same contract as PictureDecoder; PictureHeader::pages is 1.
std::unique_ptr<PictureDecoder> CreateIconDecoder(const MediaLimits& limits);

}  // namespace sightline::decode
