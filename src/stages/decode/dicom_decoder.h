// DICOM pictures, through DCMTK.
#pragma once

#include <memory>

#include "stages/decode/picture_decoder.h"

namespace sightline::decode {

// Same contract as PictureDecoder. Grey pictures come as they are meant to be looked at: rescaled, through
// the first window of the file (else its first VOI table, else from the frame's least to its greatest value),
// MONOCHROME1 inverted. Colour (RGB, YBR, palette) becomes kRgb24. Files without preamble or meta header are
// read. Each DICOM frame is a page; the file is parsed once as long as pages of the same file are asked for
// in a row.
//
// Transfer syntaxes: uncompressed (little and big endian), deflated, RLE, JPEG, JPEG-LS, JPEG 2000. Others
// (video, JPIP) and objects without pixels are Unimplemented; the message names the transfer syntax or the
// kind of object.
std::unique_ptr<PictureDecoder> CreateDicomDecoder(const MediaLimits& limits);

}  // namespace sightline::decode
