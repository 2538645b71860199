#include "stages/decode/jpeg/scan.h"

#include <algorithm>
#include <cstring>

// The targets that differ here: SSE4 and up (one vector of 8 columns from AVX2 on), NEON.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_AVX3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/decode/jpeg/scan.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "hwy/highway.h"
#include "stages/decode/jpeg/idct-inl.h"
#include "stages/decode/jpeg/symbols-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sightline::decode::jpeg {
namespace HWY_NAMESPACE {

#if HWY_TARGET == \
    HWY_SCALAR  // no vectors at all (older than SSSE3): libjpeg-turbo is the better decoder there

bool DecodeScanHere(const ScanPlan&) { return false; }

#else

// Where the coefficient of a zigzag index goes. Indices past 63 are the end of a block, or damage: to a spare
// place.
constexpr int kSpare8 = 64, kSpare4 = 16;
constexpr std::array<uint8_t, kIndices> kPlace8 = [] {
  std::array<uint8_t, kIndices> place{};
  for (size_t k = 0; k < kIndices; ++k) place[k] = k < 64 ? kNaturalOrder[k] : kSpare8;
  return place;
}();
// Of the 4x4 corner, by columns.
constexpr std::array<uint8_t, kIndices> kPlace4 = [] {
  std::array<uint8_t, kIndices> place{};
  for (size_t k = 0; k < kIndices; ++k) {
    const int row = kPlace8[k] / 8, column = kPlace8[k] % 8;
    place[k] = static_cast<uint8_t>(row < 4 && column < 4 ? column * 4 + row : kSpare4);
  }
  return place;
}();
constexpr int kLastOfSums3 = 9;     // the last zigzag index with row + column <= 3
constexpr int kLastOfCorner4 = 24;  // row 3, column 3
constexpr int kLastOfCorner2 = 4;   // row 1, column 1
constexpr int kWildDc = 8191;       // no encoder's DC times its quantiser comes near this

// Whether DecodeAc's result is sound, and the last index with a coefficient.
HWY_INLINE bool LastOf(int result, int* last) {
  *last = result >= SymbolTable::kEndAdvance ? result - SymbolTable::kEndAdvance : result;
  return result >= 0 && *last <= kLastIndex;
}

// The four scales: Parse reads one block's codes, Render writes kSize x kSize samples. Apart from each other,
// so that the blocks of an MCU are parsed in one go: coefficients have reached the cache when vectors of them
// are loaded.
struct FullBlock {
  static constexpr int kSize = 8;
  alignas(64) int16_t block[96];
  int dc, last;

  HWY_INLINE bool Parse(BitReader& reader, const ScanComponent& c, int prediction) {
    dc = prediction * c.quant[0];
    std::memset(block, 0, 64 * sizeof(int16_t));
    block[0] = static_cast<int16_t>(prediction);
    const int result = DecodeAc<kLastIndex>(reader, *c.ac, [&](size_t k, int value) HWY_ATTR {
      block[kPlace8[k]] = static_cast<int16_t>(value);
    });
    return LastOf(result, &last);
  }
  HWY_INLINE void Render(const ScanComponent& c, uint8_t* out) {
    if (last == 0) {
      FillBlock(Sample((dc * 4 + 16) >> 5), out, c.stride);
    } else {
      InverseTransform(block, c.quant.data(), last <= kLastOfSums3, out, c.stride);
    }
  }
};

struct HalfBlock {
  static constexpr int kSize = 4;
  alignas(64) int16_t corner[24];
  int dc, last;

  HWY_INLINE bool Parse(BitReader& reader, const ScanComponent& c, int prediction) {
    dc = prediction * c.quant[0];
    std::memset(corner, 0, 16 * sizeof(int16_t));
    corner[0] = static_cast<int16_t>(prediction);
    const int result = DecodeAc<kLastOfCorner4>(reader, *c.ac, [&](size_t k, int value) HWY_ATTR {
      corner[kPlace4[k]] = static_cast<int16_t>(value);
    });
    return LastOf(result, &last) && (result >= kLastIndex || SkipAc(reader, *c.ac, result));
  }
  HWY_INLINE void Render(const ScanComponent& c, uint8_t* out) {
    if (last == 0) {
      const uint32_t four = 0x01010101u * Sample((dc + 4) >> 3);
      for (int r = 0; r < 4; ++r) std::memcpy(out + r * c.stride, &four, 4);
    } else {
      InverseTransformHalf(corner, c.half.data(), out, c.stride);
    }
  }
};

struct QuarterBlock {
  static constexpr int kSize = 2;
  int dc, across, down, diagonal;

  HWY_INLINE bool Parse(BitReader& reader, const ScanComponent& c, int prediction) {
    std::array<int, kIndices> zigzag;
    zigzag[1] = zigzag[2] = zigzag[4] = 0;
    int last;
    const int result =
        DecodeAc<kLastOfCorner2>(reader, *c.ac, [&](size_t k, int value) HWY_ATTR { zigzag[k] = value; });
    dc = prediction;
    across = zigzag[1];
    down = zigzag[2];
    diagonal = zigzag[4];
    return LastOf(result, &last) && (result >= kLastIndex || SkipAc(reader, *c.ac, result));
  }
  HWY_INLINE void Render(const ScanComponent& c, uint8_t* out) {
    const float mean = static_cast<float>(dc) * c.quarter[0] + 128.5f;
    const float a = static_cast<float>(across) * c.quarter[1], d = static_cast<float>(down) * c.quarter[2];
    const float e = static_cast<float>(diagonal) * c.quarter[3];
    const auto sample = [](float v) HWY_ATTR { return static_cast<uint8_t>(std::clamp(v, 0.f, 255.f)); };
    out[0] = sample(mean + a + d + e);
    out[1] = sample(mean - a + d - e);
    out[c.stride] = sample(mean + a - d - e);
    out[c.stride + 1] = sample(mean - a - d + e);
  }
};

struct EighthBlock {
  static constexpr int kSize = 1;
  uint8_t sample;

  HWY_INLINE bool Parse(BitReader& reader, const ScanComponent& c, int prediction) {
    sample = Sample((prediction * c.quant[0] + 4) >> 3);
    return SkipAc(reader, *c.ac, 0);
  }
  HWY_INLINE void Render(const ScanComponent&, uint8_t* out) const { *out = sample; }
};

// Walks the MCUs of a scan.
template <class Block>
class McuWalk {
 public:
  explicit McuWalk(const ScanPlan& plan) : plan_(plan) {}

  bool Run() {
    for (int y = 0; y < plan_.mcus_high; ++y) {
      std::array<uint8_t*, 3> rows{};
      const bool final_row = y == plan_.mcus_high - 1;
      for (size_t i = 0; i < plan_.components.size(); ++i) {
        const ScanComponent& c = plan_.components[i];
        rows[i] = final_row ? c.strip : c.plane + y * c.blocks_high * Block::kSize * c.stride;
      }
      for (int x = 0; x < plan_.mcus_wide; ++x) {
        if (!ParseMcu()) return false;
        RenderMcu(rows, x);
      }
      if (final_row) CopyStrips(y);
    }
    return segment_ == plan_.segments.size() && Ended(true);
  }

 private:
  // A whole segment must be used up but for its padding.
  bool Ended(bool final) const {
    const int64_t left =
        static_cast<int64_t>(plan_.segments[segment_ - 1].end) * 8 - reader_.Position(plan_.bytes);
    return left >= 0 && left < (final ? 64 : 8);
  }

  bool NextSegment() {
    if (segment_ == plan_.segments.size() || (segment_ > 0 && !Ended(false))) return false;
    const Segment& segment = plan_.segments[segment_++];
    reader_ = BitReader{.next = plan_.bytes + segment.begin};
    segment_limit_ = plan_.bytes + segment.end + 16;  // the reader looks ahead
    prediction_.fill(0);
    until_restart_ =
        plan_.restart_interval > 0 ? plan_.restart_interval : int64_t{plan_.mcus_wide} * plan_.mcus_high;
    return true;
  }

  HWY_INLINE bool ParseMcu() {
    if (until_restart_ == 0 && !NextSegment()) return false;
    --until_restart_;
    BitReader reader = reader_;
    Block* block = blocks_;
    for (size_t i = 0; i < plan_.components.size(); ++i) {
      const ScanComponent& c = plan_.components[i];
      for (int n = c.blocks_wide * c.blocks_high; n > 0; --n, ++block) {
        reader.Refill();
        if (!DecodeDc(reader, *c.dc, &prediction_[i])) return false;
        if (static_cast<uint32_t>(prediction_[i] * c.quant[0] + kWildDc) > 2 * kWildDc) return false;
        if (!block->Parse(reader, c, prediction_[i])) return false;
      }
    }
    reader_ = reader;
    return reader.next <= segment_limit_;
  }

  HWY_INLINE void RenderMcu(const std::array<uint8_t*, 3>& rows, int mcu_x) {
    Block* block = blocks_;
    for (size_t i = 0; i < plan_.components.size(); ++i) {
      const ScanComponent& c = plan_.components[i];
      uint8_t* row = rows[i] + mcu_x * c.blocks_wide * Block::kSize;
      for (int y = 0; y < c.blocks_high; ++y, row += Block::kSize * c.stride) {
        for (int x = 0; x < c.blocks_wide; ++x, ++block) block->Render(c, row + x * Block::kSize);
      }
    }
  }

  void CopyStrips(int mcu_y) const {
    for (const ScanComponent& c : plan_.components) {
      const int from = mcu_y * c.blocks_high * Block::kSize;
      std::memcpy(c.plane + from * c.stride, c.strip,
                  static_cast<size_t>(c.stride) * static_cast<size_t>(c.height - from));
    }
  }

  const ScanPlan& plan_;
  BitReader reader_;
  const uint8_t* segment_limit_ = nullptr;
  size_t segment_ = 0;
  int64_t until_restart_ = 0;
  std::array<int, 3> prediction_{};
  Block blocks_[6];  // 4:2:0 has the most
};

bool DecodeScanHere(const ScanPlan& plan) {
  switch (plan.scale_log2) {
    case 0:
      return McuWalk<FullBlock>(plan).Run();
    case 1:
      return McuWalk<HalfBlock>(plan).Run();
    case 2:
      return McuWalk<QuarterBlock>(plan).Run();
    default:
      return McuWalk<EighthBlock>(plan).Run();
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

}  // namespace sightline::decode::jpeg
#endif
