// The largest of many scores, eight at a time: what decides for most rows that nothing is there. Vector
// extensions of GCC and Clang, so that x86 and ARM get their own instructions from one source.
#pragma once

#include <cstring>
#include <limits>

namespace sightline::postprocess {

using Floats8 = float __attribute__((vector_size(32)));

// Where `a > b` is false b stays: what is not a number never wins.
inline void MaxInto(Floats8 a, Floats8* b) { *b = a > *b ? a : *b; }

// The largest of `count` floats; -infinity when none is a number.
inline float RowMax(const float* row, int count) {
  float best = -std::numeric_limits<float>::infinity();
  int i = 0;
  if (count >= 8) {
    Floats8 lanes = {best, best, best, best, best, best, best, best}, next;
    for (; i + 8 <= count; i += 8) {
      std::memcpy(&next, row + i, sizeof next);
      MaxInto(next, &lanes);
    }
    for (int lane = 0; lane < 8; ++lane) best = lanes[lane] > best ? lanes[lane] : best;
  }
  for (; i < count; ++i) best = row[i] > best ? row[i] : best;
  return best;
}

// best[i] = the largest of channels 0..count-1 at i, for `width` <= kTile positions; channels lie `step`
// floats apart.
inline constexpr int kTile = 64;
inline void ColumnMax(const float* first, int count, int64_t step, int width, float* best) {
  const float lowest = -std::numeric_limits<float>::infinity();
  if (width == kTile) {
    Floats8 lanes[kTile / 8], next;
    for (Floats8& lane : lanes)
      lane = Floats8{lowest, lowest, lowest, lowest, lowest, lowest, lowest, lowest};
    for (int c = 0; c < count; ++c) {
      const float* row = first + c * step;
      for (int i = 0; i < kTile / 8; ++i) {
        std::memcpy(&next, row + i * 8, sizeof next);
        MaxInto(next, &lanes[i]);
      }
    }
    std::memcpy(best, lanes, sizeof lanes);
    return;
  }
  for (int i = 0; i < width; ++i) {
    best[i] = lowest;
    for (int c = 0; c < count; ++c) {
      const float score = first[c * step + i];
      best[i] = score > best[i] ? score : best[i];
    }
  }
}

}  // namespace sightline::postprocess
