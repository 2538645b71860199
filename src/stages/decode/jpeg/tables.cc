#include "stages/decode/jpeg/tables.h"

#include <algorithm>

namespace sightline::decode::jpeg {
namespace {

// False for more codes than fit (as in libjpeg, no code may be all ones), or a DC symbol of more than 15 bits.
bool Assign(SymbolKind kind, const HuffmanSpec& spec, CanonicalCodes* codes) {
  uint32_t code = 0;
  int index = 0;
  for (size_t length = 1; length <= 16; ++length) {
    codes->offset[length] = index - static_cast<int32_t>(code);
    const int count = spec.counts[length];
    code += static_cast<uint32_t>(count);
    index += count;
    if (count > 0 && code >= 1u << length) return false;
    codes->limit[length] = code << (16 - length);
    code <<= 1;
  }
  codes->symbols = spec.symbols;
  return kind == SymbolKind::kAc ||
         std::all_of(spec.symbols.begin(), spec.symbols.begin() + index, [](uint8_t symbol) { return symbol <= 15; });
}

struct Symbol {
  int code_bits = 0;   // 0: the code is longer than the look-up
  int total_bits = 0;  // with the bits of the value
  int size = 0;        // bits of the value
  int advance = 0;
};

Symbol Describe(SymbolKind kind, int symbol, int code_bits) {
  const int run = symbol >> 4, size = symbol & 15;
  if (kind == SymbolKind::kDc) return {code_bits, code_bits + size, size, 0};
  const bool ends = size == 0 && run != 15;
  return {code_bits, code_bits + size, size, ends ? SymbolTable::kEndAdvance : run + 1};
}

// Calls fill(begin, end, symbol) for each code of at most `look_up_bits`: the range of look-ups that begin with it. Codes
// increase with their index, so the ranges follow each other. Returns where they end.
template <typename Fill>
size_t ForEachCode(SymbolKind kind, const HuffmanSpec& spec, int look_up_bits, Fill fill) {
  size_t at = 0, index = 0;
  for (int length = 1; length <= look_up_bits; ++length) {
    const size_t range = size_t{1} << (look_up_bits - length);
    for (int i = 0; i < spec.counts[static_cast<size_t>(length)]; ++i, ++index, at += range) {
      fill(at, at + range, Describe(kind, spec.symbols[index], length));
    }
  }
  return at;
}

void BuildSymbols(SymbolKind kind, const HuffmanSpec& spec, SymbolTable* table) {
  auto& symbols = table->symbols;
  const size_t end = ForEachCode(kind, spec, SymbolTable::kBits, [&](size_t from, size_t to, const Symbol& symbol) {
    const uint32_t entry = static_cast<uint32_t>(symbol.total_bits) | static_cast<uint32_t>(symbol.advance) << 8 |
                           ((1u << symbol.size) - 1) << 16;
    std::fill(&symbols[from], symbols.data() + to,
              symbol.total_bits <= SymbolTable::kBitsMax ? entry : SymbolTable::kRare);
  });
  std::fill(symbols.data() + end, symbols.data() + symbols.size(), SymbolTable::kRare);
}

void BuildSkips(const HuffmanSpec& spec, SymbolTable* table) {
  constexpr int kBits = SymbolTable::kSkipBits;
  constexpr size_t kSize = size_t{1} << kBits;
  std::array<Symbol, kSize> first;
  const size_t end = ForEachCode(SymbolKind::kAc, spec, kBits, [&](size_t from, size_t to, const Symbol& symbol) {
    std::fill(&first[from], first.data() + to, symbol);
  });
  std::fill(first.data() + end, first.data() + kSize, Symbol());
  for (size_t look_up = 0; look_up < kSize; ++look_up) {
    int bits = 0, advance = 0;
    while (bits < kBits && advance < SymbolTable::kEndAdvance) {
      const Symbol& symbol = first[look_up << bits & (kSize - 1)];
      // The bits of a last value need not all be seen; those of its code must.
      if (symbol.code_bits == 0 || bits + symbol.code_bits > kBits) break;
      if (bits + symbol.total_bits > SymbolTable::kBitsMax) break;
      bits += symbol.total_bits;
      advance += symbol.advance;
    }
    table->skips[look_up] = static_cast<uint16_t>(bits | (bits == 0 ? SymbolTable::kSkipRare : advance) << 6);
  }
}

}  // namespace

const SymbolTable* TableCache::Get(SymbolKind kind, size_t number, const HuffmanSpec& spec, bool with_skips) {
  Slot& slot = kind == SymbolKind::kDc ? dc_[number] : ac_[number];
  if (slot.of != spec) {
    slot.of = HuffmanSpec();
    slot.has_skips = false;
    if (!Assign(kind, spec, &slot.table.codes)) return nullptr;
    BuildSymbols(kind, spec, &slot.table);
    slot.of = spec;
  }
  if (with_skips && !slot.has_skips) {
    BuildSkips(spec, &slot.table);
    slot.has_skips = true;
  }
  return &slot.table;
}

}  // namespace sightline::decode::jpeg
