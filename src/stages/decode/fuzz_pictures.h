// For fuzzers only: everything that a caller may do with a picture file, under small limits.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "base/status.h"
#include "stages/decode/picture_decoder.h"

namespace sightline::decode {

inline MediaLimits FuzzLimits() {
  MediaLimits limits;
  limits.pixels_max = 1 << 18;
  limits.side_max = 1 << 12;
  limits.bytes_max = 1 << 20;
  limits.pages_max = 64;
  return limits;
}

inline uint32_t SumOfSamples(const Frame& frame) {
  uint32_t sum = 0;
  for (int i = 0; i < PlaneCount(frame.format); ++i) {
    const Size size = PlaneSize(frame.format, frame.size, i);
    for (int y = 0; y < size.height; ++y) {
      const uint8_t* row = frame.planes[i].data + static_cast<ptrdiff_t>(frame.planes[i].stride) * y;
      for (int x = 0; x < size.width; ++x) sum += row[x];
    }
  }
  return sum;
}

// Aborts where the contract of PictureDecoder is broken.
inline void DecodeEverything(PictureDecoder& decoder, absl::Span<const uint8_t> bytes) {
  const auto header = decoder.ReadHeader(bytes);
  if (!header.ok()) {
    if (MessageOf(header.status()).empty()) std::abort();
    return;
  }
  for (int64_t page = 0; page < std::min<int64_t>(header->pages, 3); ++page) {
    for (const Size need : {Size{}, Size{1, 1}}) {
      const auto frame = decoder.Decode(bytes, *header, {page, need});
      if (!frame.ok()) {
        if (MessageOf(frame.status()).empty()) std::abort();
        continue;
      }
      volatile uint32_t sum = SumOfSamples(**frame);  // every sample can be read
      static_cast<void>(sum);
      if (page == 0 && (*frame)->source_size != header->size) std::abort();
    }
  }
}

}  // namespace sightline::decode
