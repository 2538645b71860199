#include "stages/decode/jpeg/tables.h"

#include <algorithm>
#include <cstdlib>

namespace sightline::decode::jpeg {
namespace {

// False for more codes than fit (as in libjpeg, no code may be all ones), or a DC symbol of more than 15
// bits.
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
  return kind == SymbolKind::kAc || std::all_of(spec.symbols.begin(), spec.symbols.begin() + index,
                                                [](uint8_t symbol) { return symbol <= 15; });
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

// Calls fill(begin, end, symbol) for each code of at most `look_up_bits`: the range of look-ups that begin
// with it. Codes increase with their index, so the ranges follow each other. Returns where they end.
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

void BuildSymbols(const HuffmanSpec& spec, SymbolTable* table) {
  auto& symbols = table->symbols;
  const size_t end = ForEachCode(
      SymbolKind::kDc, spec, SymbolTable::kBits, [&](size_t from, size_t to, const Symbol& symbol) {
        const uint32_t entry = static_cast<uint32_t>(symbol.total_bits) | ((1u << symbol.size) - 1) << 16;
        std::fill(&symbols[from], symbols.data() + to,
                  symbol.total_bits <= SymbolTable::kBitsMax ? entry : SymbolTable::kRare);
      });
  std::fill(symbols.data() + end, symbols.data() + symbols.size(), SymbolTable::kRare);
}

// The AC symbol that each look-up of kBits begins with.
template <int kBits>
void FirstSymbols(const HuffmanSpec& spec, std::array<Symbol, size_t{1} << kBits>* first) {
  const size_t end =
      ForEachCode(SymbolKind::kAc, spec, kBits, [&](size_t from, size_t to, const Symbol& symbol) {
        std::fill(&(*first)[from], first->data() + to, symbol);
      });
  std::fill(first->data() + end, first->data() + first->size(), Symbol());
}

// The value in the last `size` of the first `total` bits of a look-up of `bits` (T.81 figure F.12).
int ValueIn(size_t look_up, int bits, const Symbol& symbol) {
  const int mask = (1 << symbol.size) - 1;
  const int raw = static_cast<int>(look_up >> (bits - symbol.total_bits)) & mask;
  return raw > mask >> 1 ? raw : raw - mask;
}

uint64_t PairOf(const std::array<Symbol, size_t{1} << SymbolTable::kPairBits>& first, size_t look_up) {
  constexpr int kBits = SymbolTable::kPairBits;
  constexpr size_t kMask = (size_t{1} << kBits) - 1;
  const Symbol& one = first[look_up];
  if (one.code_bits == 0 || one.total_bits > SymbolTable::kBitsMax) return SymbolTable::kRare;
  const uint64_t first_advance = static_cast<uint64_t>(one.advance) << 48;
  const auto step = [](int bits, int advance) { return static_cast<uint64_t>(bits | advance << 8); };
  const uint64_t single =
      step(one.total_bits, one.advance) | ((uint64_t{1} << one.size) - 1) << 16 | first_advance;
  if (one.total_bits >= kBits || one.advance == SymbolTable::kEndAdvance) return single;
  const size_t rest = look_up << one.total_bits & kMask;
  const Symbol& two = first[rest];
  if (two.code_bits == 0 || one.total_bits + two.total_bits > kBits) return single;
  const int value_one = ValueIn(look_up, kBits, one), value_two = ValueIn(rest, kBits, two);
  if (std::abs(value_one) > 127 || std::abs(value_two) > 127) return single;
  return step(one.total_bits + two.total_bits, one.advance + two.advance) | first_advance |
         static_cast<uint64_t>(static_cast<uint8_t>(value_one)) << 32 |
         static_cast<uint64_t>(static_cast<uint8_t>(value_two)) << 40;
}

void BuildPairs(const HuffmanSpec& spec, SymbolTable* table) {
  std::array<Symbol, size_t{1} << SymbolTable::kPairBits> first;
  FirstSymbols<SymbolTable::kPairBits>(spec, &first);
  for (size_t look_up = 0; look_up < table->pairs.size(); ++look_up)
    table->pairs[look_up] = PairOf(first, look_up);
}

void BuildSkips(const HuffmanSpec& spec, SymbolTable* table) {
  constexpr int kBits = SymbolTable::kSkipBits;
  std::array<Symbol, size_t{1} << kBits> first;
  FirstSymbols<kBits>(spec, &first);
  for (size_t look_up = 0; look_up < first.size(); ++look_up) {
    int bits = 0, advance = 0;
    while (bits < kBits && advance < SymbolTable::kEndAdvance) {
      const Symbol& symbol = first[look_up << bits & (first.size() - 1)];
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
    kind == SymbolKind::kDc ? BuildSymbols(spec, &slot.table) : BuildPairs(spec, &slot.table);
    slot.of = spec;
  }
  if (with_skips && !slot.has_skips) {
    BuildSkips(spec, &slot.table);
    slot.has_skips = true;
  }
  return &slot.table;
}

}  // namespace sightline::decode::jpeg
