// Huffman decoding tables: one look-up gives a whole symbol, its extra bits included, or skips several symbols.
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

// An entry of the symbol table, for the next kBits bits. The low 16 bits are what a reader adds to its state
// (bits used, index << 8); kRare: look for the code in `codes`.
//   bits 0..5   bits of the code and its value together, 1..kBitsMax
//   bits 8..14  how far the coefficient index advances: run + 1, 16 for sixteen zeros, kEndAdvance for the end of a block
//   bits 16..31 mask of the value's bits, 2^size - 1
// All symbols are alike to the reader: those without a value store a zero where there is one already.
struct SymbolTable {
  static constexpr int kBits = 10;
  static constexpr int kBitsMax = 18;  // three symbols fit into the 56 bits that a reader has
  static constexpr uint32_t kRare = 1u << 15;
  static constexpr int kEndAdvance = 80;  // past any index that a run may reach: 63 + 16
  // For skipping: several whole symbols of the next kSkipBits bits at once.
  //   bits 0..5   their bits, 1..kBitsMax
  //   bits 6..15  how far the index advances; kEndAdvance more where the block ends; kSkipRare: none is whole
  static constexpr int kSkipBits = 12;
  static constexpr int kSkipRare = 512;

  std::array<uint32_t, 1 << kBits> symbols;
  std::array<uint16_t, 1 << kSkipBits> skips;
  CanonicalCodes codes;
};

enum class SymbolKind { kDc, kAc };

// Keeps tables while the files' specifications stay the same: most files of a folder share them.
class TableCache {
 public:
  // Null where libjpeg would refuse the specification. The pointer holds until the next call for the same number (0..3).
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
