#include "stages/decode/jpeg/tables.h"

#include <algorithm>

namespace sightline::decode::jpeg {
namespace {

// The canonical codes of T.81 annex C. False for more codes than fit (as libjpeg, no code may be all ones).
bool Assign(const HuffmanSpec& spec, LongCodes* codes) {
  uint32_t code = 0;
  int index = 0;
  for (int length = 1; length <= 16; ++length) {
    const auto n = static_cast<size_t>(length);
    codes->offset[n] = index - static_cast<int32_t>(code);
    const int count = spec.counts[n];
    code += static_cast<uint32_t>(count);
    index += count;
    if (count > 0 && code >= 1u << length) return false;
    codes->limit[n] = code << (16 - length);
    code <<= 1;
  }
  codes->symbols = spec.symbols;
  return true;
}

// The value of `size` extra bits, T.81 figure F.12.
int Extend(uint32_t bits, int size) {
  return size == 0 || bits >> (size - 1) != 0 ? static_cast<int>(bits)
                                              : static_cast<int>(bits) - (1 << size) + 1;
}

// Fills the look-up in code order: the codes are contiguous and increasing. `advance_of` gives how far a
// symbol moves.
template <size_t kSize, typename Symbol>
void FillValues(const HuffmanSpec& spec, int table_bits, std::array<uint32_t, kSize>* table,
                Symbol symbol_entry) {
  size_t at = 0;
  size_t index = 0;
  for (int length = 1; length <= table_bits; ++length) {
    for (int i = 0; i < spec.counts[static_cast<size_t>(length)]; ++i, ++index) {
      int size = 0;
      const uint32_t special = symbol_entry(spec.symbols[index], length, &size);
      const int rest = table_bits - length;  // bits of the look-up after the code
      if (special != 0 || size > rest) {
        const uint32_t entry = special != 0 ? special
                                            : Entry::kSplit | static_cast<uint32_t>(length) |
                                                  static_cast<uint32_t>(size) << 16 |
                                                  static_cast<uint32_t>((spec.symbols[index] >> 4) + 1) << 8;
        std::fill_n(table->begin() + static_cast<ptrdiff_t>(at), size_t{1} << rest, entry);
        at += size_t{1} << rest;
        continue;
      }
      const uint32_t common =
          static_cast<uint32_t>(length + size) | static_cast<uint32_t>((spec.symbols[index] >> 4) + 1) << 8;
      const size_t run = size_t{1} << (rest - size);
      for (uint32_t bits = 0; bits < 1u << size; ++bits, at += run) {
        const uint32_t entry = common | static_cast<uint32_t>(Extend(bits, size)) << 16;
        std::fill_n(table->begin() + static_cast<ptrdiff_t>(at), run, entry);
      }
    }
  }
  std::fill(table->begin() + static_cast<ptrdiff_t>(at), table->end(),
            Entry::kSpecial);  // longer codes, or none
}

bool Build(const HuffmanSpec& spec, DcTable* table) {
  if (!Assign(spec, &table->codes)) return false;
  size_t total = 0;
  for (const uint8_t count : spec.counts) total += count;
  for (size_t i = 0; i < total; ++i) {
    if (spec.symbols[i] > 15) return false;
  }
  FillValues(spec, DcTable::kBits, &table->values, [](int symbol, int, int* size) {
    *size = symbol;
    return 0u;
  });
  return true;
}

bool Build(const HuffmanSpec& spec, AcTable* table) {
  if (!Assign(spec, &table->codes)) return false;
  FillValues(spec, AcTable::kBits, &table->values, [](int symbol, int length, int* size) {
    *size = symbol & 15;
    const auto bits = static_cast<uint32_t>(length);
    if (*size != 0) return 0u;
    return symbol == 0xF0 ? Entry::kSpecial | bits | 16u << 8 : Entry::kSpecial | Entry::kEnd | bits;
  });
  return true;
}

// One symbol of the skip table, for each look-up that begins with its whole code.
struct Step {
  uint8_t code_bits = 0;   // 0: the code is longer
  uint8_t total_bits = 0;  // with the extra bits, seen or not
  uint8_t advance = 0;     // 0: end of block
};

void BuildSkips(const HuffmanSpec& spec, AcTable* table) {
  constexpr int kBits = AcTable::kSkipBits;
  constexpr uint32_t kMask = (1u << kBits) - 1;
  std::array<Step, 1 << kBits> steps;
  size_t at = 0, index = 0;
  for (int length = 1; length <= kBits; ++length) {
    for (int i = 0; i < spec.counts[static_cast<size_t>(length)]; ++i, ++index) {
      const int run = spec.symbols[index] >> 4, size = spec.symbols[index] & 15;
      const bool ends = size == 0 && run != 15;
      const Step step{static_cast<uint8_t>(length), static_cast<uint8_t>(length + size),
                      static_cast<uint8_t>(ends ? 0 : run + 1)};
      std::fill_n(steps.begin() + static_cast<ptrdiff_t>(at), size_t{1} << (kBits - length), step);
      at += size_t{1} << (kBits - length);
    }
  }
  std::fill(steps.begin() + static_cast<ptrdiff_t>(at), steps.end(), Step());
  for (uint32_t look = 0; look <= kMask; ++look) {
    int bits = 0, advance = 0;
    bool ends = false;
    while (bits < kBits && !ends) {
      const Step& step = steps[look << bits & kMask];
      if (step.code_bits == 0 || step.code_bits > kBits - bits) break;
      bits += step.total_bits;
      advance += step.advance;
      ends = step.advance == 0;
    }
    table->skips[look] = static_cast<uint16_t>(bits | (ends ? 32 : 0) | std::min(advance, 127) << 6);
  }
}

}  // namespace

const DcTable* TableCache::Dc(size_t number, const HuffmanSpec& spec) {
  DcSlot& slot = dc_[number];
  if (slot.of != spec) {
    slot.of = HuffmanSpec();
    if (!Build(spec, &slot.table)) return nullptr;
    slot.of = spec;
  }
  return &slot.table;
}

const AcTable* TableCache::Ac(size_t number, const HuffmanSpec& spec, bool with_skips) {
  AcSlot& slot = ac_[number];
  if (slot.of != spec) {
    slot.of = HuffmanSpec();
    slot.has_skips = false;
    if (!Build(spec, &slot.table)) return nullptr;
    slot.of = spec;
  }
  if (with_skips && !slot.has_skips) {
    BuildSkips(spec, &slot.table);
    slot.has_skips = true;
  }
  return &slot.table;
}

}  // namespace sightline::decode::jpeg
