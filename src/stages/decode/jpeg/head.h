// The head of a JPEG file: everything from SOI up to and including the first SOS, as ITU-T T.81 annex B lays
// it out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "data/geometry.h"

namespace sightline::decode::jpeg {

struct HuffmanSpec {
  bool defined = false;
  std::array<uint8_t, 17> counts{};    // codes of each length, 1..16
  std::array<uint8_t, 256> symbols{};  // in code order
  bool operator==(const HuffmanSpec&) const = default;
};

struct QuantTable {
  bool defined = false;
  bool wide = false;  // 16-bit entries
  std::array<uint16_t, 64> zigzag{};
};

struct ComponentHead {
  int id = 0;
  int h = 1, v = 1;  // sampling factors, 1..4
  int quant = 0;     // table numbers, 0..3
  int dc_table = 0, ac_table = 0;
};

struct Head {
  Size stored;           // as coded, before the orientation
  int orientation = 1;   // EXIF, 1..8
  int frame_marker = 0;  // 0xC0: baseline, 0xC1: extended sequential, 0xC2: progressive, ...
  int precision = 8;     // bits a sample
  int component_count = 0;
  std::array<ComponentHead, 4> components{};
  bool jfif = false;
  bool adobe = false;
  int adobe_transform = 0;
  int restart_interval = 0;  // in MCUs; 0: none
  std::array<QuantTable, 4> quant{};
  std::array<HuffmanSpec, 4> dc{}, ac{};
  // Of the first scan:
  int scan_component_count = 0;  // its components are in the frame's order when `scan_in_order`
  bool scan_in_order = false;
  int spectral_start = 0, spectral_end = 63, approximation = 0;
  size_t scan_offset = 0;  // of the first entropy-coded byte
};

// Orientation 5..8 turns the picture by a quarter.
inline Size Displayed(Size stored, int orientation) {
  return orientation >= 5 ? Size{stored.height, stored.width} : stored;
}

// False where anything is unusual (fill bytes, garbage between markers, lengths that do not fit, a height of
// 0, ...): such a file is for libjpeg-turbo to judge. `orientation` is then still what was found up to there.
bool ParseHead(absl::Span<const uint8_t> bytes, Head* head);

// The orientation of a TIFF structure in an APP1 segment (after "Exif\0\0"): 1..8, or 0 where there is none.
int ExifOrientation(absl::Span<const uint8_t> tiff);

}  // namespace sightline::decode::jpeg
