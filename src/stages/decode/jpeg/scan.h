// Decodes the one scan of a baseline file into planes: Huffman codes, coefficients, inverse transform.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "stages/decode/jpeg/tables.h"

namespace sightline::decode::jpeg {

// Bytes that may be read past the last segment: a damaged scan is noticed once a MCU.
inline constexpr size_t kScanPadding = 4096;

struct ScanComponent {
  const SymbolTable* dc = nullptr;
  const SymbolTable* ac = nullptr;
  int blocks_wide = 1, blocks_high = 1;         // of one MCU
  alignas(64) std::array<int16_t, 64> quant{};  // row by row
  alignas(
      64) std::array<float, 16> half{};  // weights of the 4x4 corner at 1/2, [horizontal][vertical] frequency
  std::array<float, 4> quarter{};        // of the 2x2 corner at 1/4, zigzag order, without the unused third
  uint8_t* plane = nullptr;
  ptrdiff_t stride = 0;
  int height = 0;            // rows of the plane
  uint8_t* strip = nullptr;  // room for one row of MCUs, for the last one, which may reach below the plane
};

// The bytes of one restart interval, without stuffing and markers.
struct Segment {
  size_t begin = 0, end = 0;
};

struct ScanPlan {
  absl::Span<ScanComponent> components;
  int mcus_wide = 0, mcus_high = 0;
  int restart_interval = 0;        // in MCUs; 0: one segment holds all
  const uint8_t* bytes = nullptr;  // kScanPadding more bytes than the last segment's end may be read
  absl::Span<const Segment> segments;
  int scale_log2 = 0;
};

// False where the stream is not what its head promised (codes that do not exist, segments that are too short
// or hold more, values out of range): the planes then hold anything. At full size the samples are exactly
// those of libjpeg's `islow` inverse transform; at 1/8 exactly the average of a block's samples before
// rounding and clamping; at 1/2 and 1/4 the average of 2x2 and 4x4 samples of the block's low frequencies
// (its 4x4 and 2x2 corner).
bool DecodeScan(const ScanPlan& plan);

// Copies entropy-coded bytes from `coded` to `clean` (room for all of them and 64 more) without stuffing, up
// to the first marker that is no RST; the RST markers part the segments. Returns false where that marker is
// not EOI, there is none, or the RST markers are not in order. `segments_max` limits what is written to
// `segments`.
bool SplitSegments(absl::Span<const uint8_t> coded, uint8_t* clean, absl::Span<Segment> segments,
                   size_t* segment_count);

}  // namespace sightline::decode::jpeg
