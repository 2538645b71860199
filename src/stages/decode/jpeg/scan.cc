#include "stages/decode/jpeg/scan.h"

#include <algorithm>
#include <bit>
#include <cstring>

// The targets that differ here: SSE4 and up (one vector of 8 columns from AVX2 on), NEON.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/decode/jpeg/scan.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "hwy/highway.h"
#include "stages/decode/jpeg/idct-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sightline::decode::jpeg {
namespace HWY_NAMESPACE {

#if HWY_TARGET == \
    HWY_SCALAR  // no vectors at all (older than SSSE3): libjpeg-turbo is the better decoder there

bool DecodeScanHere(const ScanPlan&) { return false; }

#else

// Where the coefficient of a zigzag index goes; indices past 63 (damaged streams) go to a spare place.
constexpr int kSpare8 = 64, kSpare4 = 16;
constexpr std::array<uint8_t, 80> kPlace8 = [] {
  std::array<uint8_t, 80> place{};
  int k = 0;
  for (int sum = 0; sum < 15; ++sum) {
    for (int i = 0; i <= sum; ++i) {
      const int row = sum % 2 == 0 ? sum - i : i, column = sum - row;
      if (row < 8 && column < 8) place[static_cast<size_t>(k++)] = static_cast<uint8_t>(row * 8 + column);
    }
  }
  for (; k < 80; ++k) place[static_cast<size_t>(k)] = kSpare8;
  return place;
}();
// Of the 4x4 corner, by columns.
constexpr std::array<uint8_t, 80> kPlace4 = [] {
  std::array<uint8_t, 80> place{};
  for (size_t k = 0; k < 80; ++k) {
    const int row = kPlace8[k] / 8, column = kPlace8[k] % 8;
    place[k] = static_cast<uint8_t>(k < 64 && row < 4 && column < 4 ? column * 4 + row : kSpare4);
  }
  return place;
}();
constexpr int kLastOfSums3 = 9;     // the last zigzag index with row + column <= 3
constexpr int kLastOfCorner4 = 24;  // row 3, column 3
constexpr int kLastOfCorner2 = 4;   // row 1, column 1
constexpr int kWildDc = 8191;       // no encoder's DC times its quantiser comes near this

// The next bits are the top ones of `buffer`; at least 56 of them are there after Refill.
struct BitReader {
  uint64_t buffer = 0;
  int count = 0;
  const uint8_t* next = nullptr;

  HWY_INLINE void Refill() {
    uint64_t word;
    std::memcpy(&word, next, 8);
    if constexpr (std::endian::native == std::endian::little) word = __builtin_bswap64(word);
    buffer |= word >> count;
    next += (63 - count) >> 3;
    count |= 56;
  }
  HWY_INLINE void Drop(uint32_t bits) {
    buffer <<= bits;
    count -= static_cast<int>(bits);
  }
  HWY_INLINE uint32_t Peek(int bits) const { return static_cast<uint32_t>(buffer >> (64 - bits)); }
  // The value of `size` extra bits (T.81 figure F.12), which are dropped.
  HWY_INLINE int Extend(int size) {
    if (size == 0) return 0;
    const int bits = static_cast<int>(buffer >> (64 - size));
    const int negative = static_cast<int>(~buffer >> 63);
    Drop(static_cast<uint32_t>(size));
    return bits - (negative << size) + negative;
  }
  // Bits taken since `begin`.
  HWY_INLINE int64_t Position(const uint8_t* begin) const { return (next - begin) * 8 - count; }
};

constexpr int kBroken = -1;

// One AC symbol, however long, when the look-up did not give its value. `k` is the index of the last
// coefficient; returns the new one, 64 at the end of the block, or kBroken. *value is 0 where there is none
// (16 zeros, end of block).
HWY_NOINLINE int SpecialSymbol(BitReader& reader, const AcTable& ac, uint32_t entry, int k, int* value) {
  *value = 0;
  reader.Refill();
  if ((entry & Entry::kOther) == 0) {
    reader.Drop(entry & Entry::kBitsMask);
    *value = reader.Extend(entry >> 16 & 15);
    return k + Entry::Advance(entry);
  }
  int length = static_cast<int>(entry & Entry::kBitsMask), symbol = 0xF0;
  if (length == 0 && !ac.codes.Find(reader.Peek(16), AcTable::kBits + 1, &length, &symbol)) return kBroken;
  reader.Drop(static_cast<uint32_t>(length));
  const int run = symbol >> 4, size = symbol & 15;
  if (size == 0) return run == 15 ? k + 16 : 64;
  *value = reader.Extend(size);
  return k + run + 1;
}

HWY_INLINE bool DecodeDc(BitReader& reader, const DcTable& dc, int* prediction) {
  const uint32_t entry = dc.values[reader.Peek(DcTable::kBits)];
  if (HWY_LIKELY((entry & Entry::kSpecial) == 0)) {
    reader.Drop(entry & Entry::kBitsMask);
    *prediction += Entry::Value(entry);
    return true;
  }
  int length = 0, size = 0;
  if ((entry & Entry::kOther) == 0) {
    length = static_cast<int>(entry & Entry::kBitsMask);
    size = entry >> 16 & 15;
  } else if (!dc.codes.Find(reader.Peek(16), DcTable::kBits + 1, &length, &size)) {
    return false;
  }
  reader.Drop(static_cast<uint32_t>(length));
  *prediction += reader.Extend(size);
  reader.Refill();
  return true;
}

// AC symbols up to index `kLast` at least, or the end of the block. `put(k, value)` gets each value; k may
// reach 79. Returns the last index (64: the block ended after *last; 63 or more: it is full), or kBroken.
template <int kLast, class Put>
HWY_INLINE int DecodeAc(BitReader& outer, const AcTable& ac, int* last, Put put) {
  BitReader reader = outer;  // stays in registers
  int k = 0;
  *last = 0;
  for (;;) {
    reader.Refill();
    uint32_t entry = 0;
    for (int i = 0; i < 5; ++i) {
      entry = ac.values[reader.Peek(AcTable::kBits)];
      if (HWY_UNLIKELY((entry & Entry::kSpecial) != 0)) break;
      reader.Drop(entry & Entry::kBitsMask);
      k += Entry::Advance(entry);
      put(k, Entry::Value(entry));
      if (k >= kLast) {
        outer = reader;
        *last = k;
        return k;
      }
    }
    if ((entry & Entry::kSpecial) == 0) continue;
    if ((entry & Entry::kEnd) != 0) {
      reader.Drop(entry & Entry::kBitsMask);
      outer = reader;
      *last = k;
      return 64;
    }
    outer = reader;
    int value = 0;
    const int after = SpecialSymbol(outer, ac, entry, k, &value);
    reader = outer;
    if (after == kBroken) return kBroken;
    if (after == 64 && value == 0) {  // the end, or 16 zeros too far: told apart by nobody's need
      *last = k;
      return 64;
    }
    k = after;
    if (value != 0) put(k, value);
    if (k >= kLast) {
      *last = k;
      return k;
    }
  }
}

// Passes over the AC symbols after index `k`, to the end of the block.
HWY_INLINE bool SkipAc(BitReader& outer, const AcTable& ac, int k) {
  BitReader reader = outer;
  for (;;) {
    reader.Refill();
    for (int i = 0; i < 2; ++i) {
      const uint32_t entry = ac.skips[reader.Peek(AcTable::kSkipBits)];
      const int after = k + static_cast<int>(entry >> 6);
      // Near the end symbol by symbol: the look-up may have seen into the next block.
      if (HWY_UNLIKELY((entry & 31) == 0 || after >= 63)) {
        uint32_t single = ac.values[reader.Peek(AcTable::kBits)];
        outer = reader;
        int value = 0;
        if ((single & Entry::kSpecial) == 0) {
          outer.Drop(single & Entry::kBitsMask);
          k += Entry::Advance(single);
        } else {
          k = SpecialSymbol(outer, ac, single, k, &value);
          if (k == kBroken) return false;
          if (k == 64 && value == 0) return true;
        }
        reader = outer;
        if (k >= 63) return k == 63;
        break;
      }
      reader.Drop(entry & 31);
      k = after;
      if ((entry & 32) != 0) {
        outer = reader;
        return true;
      }
    }
  }
}

// The four scales. Each decodes one block's codes, transforms, and writes kSize x kSize samples.
struct FullBlock {
  static constexpr int kSize = 8;
  alignas(64) int16_t block[128];

  HWY_INLINE bool Decode(BitReader& reader, const ScanComponent& c, int* prediction, uint8_t* out) {
    const int dc = *prediction * c.quant[0];
    std::memset(block, 0, 64 * sizeof(int16_t));
    block[0] = static_cast<int16_t>(dc);
    const uint16_t* HWY_RESTRICT quant = c.quant.data();
    int last = 0;
    const int end = DecodeAc<63>(reader, *c.ac, &last, [&](int k, int value) HWY_ATTR {
      block[kPlace8[static_cast<size_t>(k)]] = static_cast<int16_t>(value * quant[k]);
    });
    if (end == kBroken || last > 63) return false;
    if (last == 0) {
      FillBlock(Sample((dc * 4 + 16) >> 5), out, c.stride);
    } else {
      InverseTransform(block, last <= kLastOfSums3, out, c.stride);
    }
    return true;
  }
};

struct HalfBlock {
  static constexpr int kSize = 4;
  alignas(64) int16_t corner[32];

  HWY_INLINE bool Decode(BitReader& reader, const ScanComponent& c, int* prediction, uint8_t* out) {
    std::memset(corner, 0, 16 * sizeof(int16_t));
    corner[0] = static_cast<int16_t>(*prediction);
    int last = 0;
    const int end = DecodeAc<kLastOfCorner4>(reader, *c.ac, &last, [&](int k, int value) HWY_ATTR {
      corner[kPlace4[static_cast<size_t>(k)]] = static_cast<int16_t>(value);
    });
    if (end == kBroken || last > 63) return false;
    if (end < 63 && !SkipAc(reader, *c.ac, end)) return false;
    if (last == 0) {
      const uint32_t four = 0x01010101u * Sample((*prediction * c.quant[0] + 4) >> 3);
      for (int r = 0; r < 4; ++r) std::memcpy(out + r * c.stride, &four, 4);
    } else {
      InverseTransformHalf(corner, c.half.data(), out, c.stride);
    }
    return true;
  }
};

struct QuarterBlock {
  static constexpr int kSize = 2;
  int corner[80] = {};  // zigzag order: indices 1 and 2 are the first horizontal and vertical, 4 the diagonal

  HWY_INLINE bool Decode(BitReader& reader, const ScanComponent& c, int* prediction, uint8_t* out) {
    corner[1] = corner[2] = corner[4] = 0;
    int last = 0;
    const int end =
        DecodeAc<kLastOfCorner2>(reader, *c.ac, &last, [&](int k, int value) HWY_ATTR { corner[k] = value; });
    if (end == kBroken || last > 63) return false;
    if (end < 63 && !SkipAc(reader, *c.ac, end)) return false;
    const float mean = static_cast<float>(*prediction) * c.quarter[0] + 128.5f;
    const float across = static_cast<float>(corner[1]) * c.quarter[1];
    const float down = static_cast<float>(corner[2]) * c.quarter[2];
    const float diagonal = static_cast<float>(corner[4]) * c.quarter[3];
    const auto sample = [](float v) HWY_ATTR { return static_cast<uint8_t>(std::clamp(v, 0.f, 255.f)); };
    out[0] = sample(mean + across + down + diagonal);
    out[1] = sample(mean - across + down - diagonal);
    out[c.stride] = sample(mean + across - down - diagonal);
    out[c.stride + 1] = sample(mean - across - down + diagonal);
    return true;
  }
};

struct EighthBlock {
  static constexpr int kSize = 1;

  HWY_INLINE bool Decode(BitReader& reader, const ScanComponent& c, int* prediction, uint8_t* out) {
    if (!SkipAc(reader, *c.ac, 0)) return false;
    *out = Sample((*prediction * c.quant[0] + 4) >> 3);
    return true;
  }
};

// A whole segment must be used up but for its padding.
HWY_INLINE bool Ended(const BitReader& reader, const ScanPlan& plan, const Segment& segment, bool final) {
  const int64_t left = static_cast<int64_t>(segment.end) * 8 - reader.Position(plan.bytes);
  return left >= 0 && left < (final ? 64 : 8);
}

template <class Block>
bool DecodeMcus(const ScanPlan& plan) {
  Block block;
  BitReader reader;
  std::array<int, 3> prediction{};
  size_t segment = 0;
  int until_restart = 0;
  for (int mcu_y = 0; mcu_y < plan.mcus_high; ++mcu_y) {
    std::array<uint8_t*, 3> row{};
    const bool final_row = mcu_y == plan.mcus_high - 1;
    for (size_t i = 0; i < plan.components.size(); ++i) {
      const ScanComponent& c = plan.components[i];
      row[i] = final_row ? c.strip : c.plane + mcu_y * c.blocks_high * Block::kSize * c.stride;
    }
    for (int mcu_x = 0; mcu_x < plan.mcus_wide; ++mcu_x) {
      if (until_restart == 0) {
        if (segment == plan.segments.size()) return false;
        if (segment > 0 && !Ended(reader, plan, plan.segments[segment - 1], false)) return false;
        reader = BitReader{.next = plan.bytes + plan.segments[segment].begin};
        prediction.fill(0);
        ++segment;
        until_restart = plan.restart_interval > 0 ? plan.restart_interval : plan.mcus_wide * plan.mcus_high;
      }
      --until_restart;
      for (size_t i = 0; i < plan.components.size(); ++i) {
        const ScanComponent& c = plan.components[i];
        uint8_t* out_row = row[i] + mcu_x * c.blocks_wide * Block::kSize;
        for (int y = 0; y < c.blocks_high; ++y, out_row += Block::kSize * c.stride) {
          for (int x = 0; x < c.blocks_wide; ++x) {
            reader.Refill();
            if (!DecodeDc(reader, *c.dc, &prediction[i])) return false;
            if (static_cast<uint32_t>(prediction[i] * c.quant[0] + kWildDc) > 2 * kWildDc) return false;
            if (!block.Decode(reader, c, &prediction[i], out_row + x * Block::kSize)) return false;
          }
        }
      }
      if (reader.next > plan.bytes + plan.segments[segment - 1].end + 16) return false;
    }
    for (size_t i = 0; final_row && i < plan.components.size(); ++i) {
      const ScanComponent& c = plan.components[i];
      const int from = mcu_y * c.blocks_high * Block::kSize;
      std::memcpy(c.plane + from * c.stride, c.strip,
                  static_cast<size_t>(c.stride) * static_cast<size_t>(c.height - from));
    }
  }
  return segment == plan.segments.size() && Ended(reader, plan, plan.segments[segment - 1], true);
}

bool DecodeScanHere(const ScanPlan& plan) {
  switch (plan.scale_log2) {
    case 0:
      return DecodeMcus<FullBlock>(plan);
    case 1:
      return DecodeMcus<HalfBlock>(plan);
    case 2:
      return DecodeMcus<QuarterBlock>(plan);
    default:
      return DecodeMcus<EighthBlock>(plan);
  }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace sightline::decode::jpeg
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sightline::decode::jpeg {

HWY_EXPORT(DecodeScanHere);

bool DecodeScan(const ScanPlan& plan) { return HWY_DYNAMIC_DISPATCH(DecodeScanHere)(plan); }

bool SplitSegments(absl::Span<const uint8_t> coded, uint8_t* clean, absl::Span<Segment> segments,
                   size_t* segment_count) {
  const uint8_t* from = coded.data();
  const uint8_t* const end = from + coded.size();
  uint8_t* to = clean;
  size_t count = 0;
  if (segments.empty()) return false;
  segments[0].begin = 0;
  for (;;) {
    const auto* mark = static_cast<const uint8_t*>(std::memchr(from, 0xFF, static_cast<size_t>(end - from)));
    if (mark == nullptr || mark + 1 == end) return false;
    const auto plain = static_cast<size_t>(mark - from);
    std::memcpy(to, from, plain);
    to += plain;
    from = mark + 2;
    const uint8_t code = mark[1];
    if (code == 0) {
      *to++ = 0xFF;
      continue;
    }
    segments[count++].end = static_cast<size_t>(to - clean);
    if (code == 0xD9) break;
    if (code != 0xD0 + (count - 1) % 8 || count == segments.size()) return false;
    segments[count].begin = static_cast<size_t>(to - clean);
  }
  *segment_count = count;
  return true;
}

}  // namespace sightline::decode::jpeg
#endif
