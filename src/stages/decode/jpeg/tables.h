// Huffman decoding tables: one look-up gives a whole symbol, its extra bits included, or skips several
// symbols.
#pragma once

#include <array>
#include <cstdint>

#include "stages/decode/jpeg/head.h"

namespace sightline::decode::jpeg {

// The canonical codes of T.81 annex C, compared left-aligned in 16 bits.
struct CanonicalCodes {
  std::array<uint32_t, 17> limit{};  // per length: one past its last code
  std::array<int32_t, 17> offset{};  // index of a symbol = (code >> (16 - length)) + offset
  std::array<uint8_t, 256> symbols{};

  // False where no code begins like this.
  bool Find(uint32_t top16, int* length, int* symbol) const {
    for (size_t n = 1; n <= 16; ++n) {
      if (top16 >= limit[n]) continue;
      *length = static_cast<int>(n);
      *symbol = symbols[static_cast<size_t>(static_cast<int32_t>(top16 >> (16 - n)) + offset[n]) & 255];
      return true;
    }
    return false;
  }
};

// Tables that are looked up with the next bits of the stream. All symbols are alike to a reader: those
// without a value store a zero where there is one already, and the end of a block is a long step. So it
// branches only on what is rare.
struct SymbolTable {
  static constexpr int kBitsMax =
      18;  // that one entry takes: three of them fit into the 56 bits that a reader has
  static constexpr int kEndAdvance =
      80;  // of the end of a block: past any index that a run may reach, 63 + 16

  // One symbol, for DC. kRare: no code of so few bits, look in `codes`.
  //   bits 0..5   bits of the code and its value together
  //   bits 16..31 mask of the value's bits, 2^size - 1
  static constexpr int kBits = 10;
  static constexpr uint32_t kRare = 1u << 15;
  std::array<uint32_t, 1 << kBits> symbols;

  // One or two symbols, for AC; of two, values and all were seen. The low 32 bits as above, and:
  //   bits 0..15  what a reader adds to its state (bits used, index << 8)
  //   bits 8..14  how far the coefficient index advances in all: run + 1 each, 16 for sixteen zeros, or
  //   kEndAdvance bits 32..39 the first value (to which the masked bits add, where there is one symbol only)
  //   bits 40..47 the second value
  //   bits 48..55 how far the first symbol advances
  static constexpr int kPairBits = 10;
  std::array<uint64_t, 1 << kPairBits> pairs;

  // Several whole AC symbols to be passed over:
  //   bits 0..5   their bits
  //   bits 6..15  how far the index advances; kEndAdvance more where the block ends; kSkipRare: none is whole
  static constexpr int kSkipBits = 12;
  static constexpr int kSkipRare = 512;
  std::array<uint16_t, 1 << kSkipBits> skips;

  CanonicalCodes codes;
};

// Zigzag index -> row * 8 + column.
inline constexpr std::array<uint8_t, 64> kNaturalOrder = [] {
  std::array<uint8_t, 64> order{};
  size_t k = 0;
  for (int sum = 0; sum < 15; ++sum) {
    for (int i = 0; i <= sum; ++i) {
      const int row = sum % 2 == 0 ? sum - i : i, column = sum - row;
      if (row < 8 && column < 8) order[k++] = static_cast<uint8_t>(row * 8 + column);
    }
  }
  return order;
}();

enum class SymbolKind { kDc, kAc };

// Keeps tables while the files' specifications stay the same: most files of a folder share them.
class TableCache {
 public:
  // Null where libjpeg would refuse the specification. The pointer holds until the next call for the same
  // number (0..3).
  const SymbolTable* Get(SymbolKind kind, size_t number, const HuffmanSpec& spec, bool with_skips);

 private:
  struct Slot {
    HuffmanSpec of;
    bool has_skips = false;
    SymbolTable table;
  };
  std::array<Slot, 4> dc_, ac_;
};

}  // namespace sightline::decode::jpeg
