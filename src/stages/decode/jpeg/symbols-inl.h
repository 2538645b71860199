// Reads Huffman-coded symbols, for the target that includes this (Highway's per-target include guard): the
// loops gain from the target's bit-manipulation instructions.
#if defined(SIGHTLINE_JPEG_SYMBOLS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGHTLINE_JPEG_SYMBOLS_INL_H_
#undef SIGHTLINE_JPEG_SYMBOLS_INL_H_
#else
#define SIGHTLINE_JPEG_SYMBOLS_INL_H_
#endif

#include <bit>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "stages/decode/jpeg/tables.h"

#if HWY_TARGET != HWY_SCALAR
HWY_BEFORE_NAMESPACE();
namespace sightline::decode::jpeg {
namespace HWY_NAMESPACE {

constexpr int kLastIndex = 63;
// Indices that a reader may give: past kLastIndex at the end of a block, or where the stream is damaged.
constexpr size_t kIndices = 64 + 16 + SymbolTable::kEndAdvance;

// The next bits are the top ones of `bits`; 64 - used of them are there, at least 56 after Refill.
struct BitReader {
  uint64_t bits = 0;
  uint32_t used = 64;
  const uint8_t* next = nullptr;

  HWY_INLINE void Refill() {
    uint64_t word;
    std::memcpy(&word, next, 8);
    if constexpr (std::endian::native == std::endian::little) word = __builtin_bswap64(word);
    // Bits below the first 64 - used may be there already: then they are these same bits.
    bits |= word >> ((0u - used) & 63);
    next += (used - 1) >> 3;
    used = ((used - 1) & 7) + 1;
  }
  // Of the next symbol; kRare already excluded. Its bits are dropped.
  HWY_INLINE int Value(uint32_t entry) {
    const auto mask = static_cast<int>(entry >> 16);
    const int raw = static_cast<int>(bits >> ((0u - entry) & 63)) & mask;
    bits <<= entry & 63;
    return raw > mask >> 1 ? raw : raw - mask;  // T.81 figure F.12
  }
  // Bits taken since `begin`.
  int64_t Position(const uint8_t* begin) const { return (next - begin) * 8 - 64 + used; }
};

// A symbol that the table does not hold, with at least 56 bits at hand: what to add to the state (0: there is
// no such code), as the table's entries do, and its value.
struct RareSymbol {
  uint32_t step = 0;
  int value = 0;
};
HWY_NOINLINE RareSymbol FindRare(SymbolKind kind, const SymbolTable& table, uint64_t bits) {
  int length = 0, symbol = 0;
  if (!table.codes.Find(static_cast<uint32_t>(bits >> 48), &length, &symbol)) return {};
  const int run = symbol >> 4, size = symbol & 15;
  const auto total = static_cast<uint32_t>(length + size);
  if (kind == SymbolKind::kAc && size == 0 && run != 15) return {total | SymbolTable::kEndAdvance << 8, 0};
  const uint32_t advance = kind == SymbolKind::kAc ? static_cast<uint32_t>(run) + 1 : 0;
  BitReader reader{.bits = bits};
  return {total | advance << 8, reader.Value(total | ((1u << size) - 1) << 16)};
}

// Adds the next difference to the prediction. At least 56 bits are at hand; at least 25 are left.
HWY_INLINE bool DecodeDc(BitReader& reader, const SymbolTable& dc, int* prediction) {
  const uint32_t entry = dc.symbols[reader.bits >> (64 - SymbolTable::kBits)];
  if (HWY_LIKELY((entry & SymbolTable::kRare) == 0)) {
    *prediction += reader.Value(entry);
    reader.used += entry & 63;
    return true;
  }
  const RareSymbol rare = FindRare(SymbolKind::kDc, dc, reader.bits);
  if (rare.step == 0) return false;
  *prediction += rare.value;
  reader.bits <<= rare.step;
  reader.used += rare.step;
  return true;
}

constexpr int kBroken = -1;

// AC symbols, up to index `kLast` at least or the end of the block; put(index, value) gets each, with an
// index below kIndices (64 and up: to be ignored), and zeros among them. Returns the index of the last one,
// plus kEndAdvance if the block ended there; or kBroken.
template <int kLast, class Put>
HWY_INLINE int DecodeAc(BitReader& outer, const SymbolTable& ac, Put put) {
  BitReader reader = outer;      // a copy stays in registers
  uint64_t state = reader.used;  // and the index of the last coefficient << 8
  for (;;) {
    reader.used = state & 255;
    reader.Refill();
    state = (state & ~uint64_t{255}) | reader.used;
    uint64_t before = 0, entry = 0;
    size_t first_index = 0;
    enum class Next { kGoOn, kRare, kDone };
    const auto symbols = [&]() HWY_ATTR {
      before = reader.bits;
      entry = ac.pairs[before >> (64 - SymbolTable::kPairBits)];
      if (HWY_UNLIKELY((entry & SymbolTable::kRare) != 0)) return Next::kRare;
      const int value = reader.Value(static_cast<uint32_t>(entry)) + static_cast<int8_t>(entry >> 32);
      first_index = (state >> 8) + (entry >> 48);
      state += entry & 0xFFFF;
      put(state >> 8, static_cast<int8_t>(entry >> 40));
      put(first_index, value);  // second, since it is the same place where there is one symbol only
      return state >= kLast << 8 ? Next::kDone : Next::kGoOn;
    };
    Next next = symbols();
    if (next == Next::kGoOn) next = symbols();
    if (next == Next::kGoOn) next = symbols();
    if (HWY_UNLIKELY(next == Next::kRare)) {
      reader.used = state & 255;
      reader.Refill();
      const RareSymbol rare = FindRare(SymbolKind::kAc, ac, reader.bits);
      if (rare.step == 0) return kBroken;
      reader.bits <<= rare.step & 63;
      state = ((state & ~uint64_t{255}) | reader.used) + rare.step;
      put(state >> 8, rare.value);
      if (state < kLast << 8) continue;
    } else if (next == Next::kGoOn) {
      continue;
    } else if (HWY_UNLIKELY(first_index >= kLastIndex && first_index != state >> 8)) {
      // The block was full before the second symbol, which is of the next block.
      const RareSymbol first = FindRare(SymbolKind::kAc, ac, before);
      reader.bits = before << (first.step & 63);
      state += first.step - (entry & 0xFFFF);
    }
    reader.used = state & 255;
    outer = reader;
    return static_cast<int>(state >> 8);
  }
}

// Passes over the AC symbols after index `k`, to the end of the block.
HWY_INLINE bool SkipAc(BitReader& outer, const SymbolTable& ac, int k) {
  constexpr uint32_t kFull = kLastIndex << 6;
  BitReader reader = outer;
  uint32_t state = reader.used | static_cast<uint32_t>(k) << 6;
  for (;;) {
    reader.used = state & 63;
    reader.Refill();
    state = (state & ~63u) | reader.used;
    uint32_t entry = 0;
    const auto skip = [&]() HWY_ATTR {
      entry = ac.skips[reader.bits >> (64 - SymbolTable::kSkipBits)];
      if (state + entry >= kFull) return false;
      reader.bits <<= entry & 63;
      state += entry;
      return true;
    };
    if (skip() && skip() && skip()) continue;
    // The end of the block; or near its last coefficient, where the look-up may have seen into the next
    // block; or rare.
    const uint32_t ended = state + entry - (SymbolTable::kEndAdvance << 6);
    if (HWY_LIKELY(ended - state < kFull && ended < kFull)) {
      reader.bits <<= entry & 63;
      reader.used = ended & 63;
      outer = reader;
      return true;
    }
    reader.used = state & 63;
    reader.Refill();
    const RareSymbol one = FindRare(SymbolKind::kAc, ac, reader.bits);
    if (one.step == 0) return false;
    reader.bits <<= one.step & 63;
    reader.used += one.step & 63;
    k = static_cast<int>((state >> 6) + (one.step >> 8));
    if (k >= kLastIndex) {
      outer = reader;
      return k == kLastIndex || k >= SymbolTable::kEndAdvance;
    }
    state = reader.used | static_cast<uint32_t>(k) << 6;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sightline::decode::jpeg
HWY_AFTER_NAMESPACE();
#endif

#endif  // SIGHTLINE_JPEG_SYMBOLS_INL_H_
