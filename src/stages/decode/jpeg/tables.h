// Huffman decoding tables: one look-up gives a whole symbol, its extra bits included, or skips several
// symbols.
#pragma once

#include <array>
#include <cstdint>

#include "stages/decode/jpeg/head.h"

namespace sightline::decode::jpeg {

// Codes that are longer than a look-up, by length. All codes are compared left-aligned in 16 bits.
struct LongCodes {
  std::array<uint32_t, 18> limit{};  // per length: one past its last code
  std::array<int32_t, 18> offset{};  // index of a symbol = (code >> (16 - length)) + offset
  std::array<uint8_t, 256> symbols{};

  // False where no code begins like this. `shortest` is a length that the code is known not to fall below.
  bool Find(uint32_t top16, int shortest, int* length, int* symbol) const {
    for (int n = shortest; n <= 16; ++n) {
      if (top16 < limit[static_cast<size_t>(n)]) {
        *length = n;
        *symbol = symbols[static_cast<size_t>((top16 >> (16 - n)) +
                                              static_cast<uint32_t>(offset[static_cast<size_t>(n)])) &
                          255];
        return true;
      }
    }
    return false;
  }
};

// Entry of a value table: bits 0..5 how many bits to drop; then by kind:
//   a value (neither flag): bits 8..12 how far the coefficient index advances, bits 16..31 the value
//   kSplit: the code is known but not all of its extra bits were seen; bits 8..12 as above, bits 16..19 the
//   extra bits,
//           bits 0..5 the length of the code
//   kSplit and kOther: end of block (kEnd set), 16 zeros (advance 16, no value), or a code longer than the
//   look-up (0 bits)
struct Entry {
  static constexpr uint32_t kSplit = 1u << 6, kOther = 1u << 7, kEnd = 1u << 13;
  static constexpr uint32_t kSpecial = kSplit | kOther;
  static constexpr uint32_t kBitsMask = 63;
  static int Advance(uint32_t entry) { return entry >> 8 & 31; }
  static int Value(uint32_t entry) { return static_cast<int32_t>(entry) >> 16; }
};

struct DcTable {
  static constexpr int kBits = 10;
  std::array<uint32_t, 1 << kBits> values;
  LongCodes codes;
};

struct AcTable {
  static constexpr int kBits = 11;
  static constexpr int kSkipBits = 12;
  std::array<uint32_t, 1 << kBits> values;
  // Several whole symbols at once: bits 0..4 bits to drop (0: a long code), bit 5 ends the block, bits 6..12
  // advance.
  std::array<uint16_t, 1 << kSkipBits> skips;
  LongCodes codes;
};

// Reuse a table while the files' specifications stay the same (`*_of` remembers it): most files of a folder
// share them.
class TableCache {
 public:
  // Null where libjpeg would refuse the specification. The pointers hold until the next call for the same
  // number.
  const DcTable* Dc(size_t number, const HuffmanSpec& spec);
  const AcTable* Ac(size_t number, const HuffmanSpec& spec, bool with_skips);

 private:
  struct DcSlot {
    HuffmanSpec of;
    DcTable table;
  };
  struct AcSlot {
    HuffmanSpec of;
    bool has_skips = false;
    AcTable table;
  };
  std::array<DcSlot, 4> dc_;
  std::array<AcSlot, 4> ac_;
};

}  // namespace sightline::decode::jpeg
