// The largest of many scores, four at a time: what decides for most rows that nothing is there. Vector
// extensions of GCC and Clang, so that x86 and ARM get their own instructions from one source.
#pragma once

#include <cstring>
#include <limits>

namespace sightline::postprocess {

using Floats4 = float __attribute__((vector_size(16)));

inline Floats4 Load4(const float* from) {
  Floats4 floats;
  std::memcpy(&floats, from, sizeof floats);
  return floats;
}
// Where `a > b` is false b stays: what is not a number never wins.
inline Floats4 Max4(Floats4 a, Floats4 b) { return a > b ? a : b; }
inline Floats4 Lowest4() {
  const float lowest = -std::numeric_limits<float>::infinity();
  return Floats4{lowest, lowest, lowest, lowest};
}

// The largest of `count` floats; -infinity when none is a number.
inline float RowMax(const float* row, int count) {
  float best = -std::numeric_limits<float>::infinity();
  int i = 0;
  if (count >= 8) {
    Floats4 even = Lowest4(), odd = Lowest4();
    for (; i + 8 <= count; i += 8) {
      even = Max4(Load4(row + i), even);
      odd = Max4(Load4(row + i + 4), odd);
    }
    even = Max4(odd, even);
    for (int lane = 0; lane < 4; ++lane) best = even[lane] > best ? even[lane] : best;
  }
  for (; i < count; ++i) best = row[i] > best ? row[i] : best;
  return best;
}

// best[i] = the largest of channels 0..count-1 at i, for `width` <= kTile positions; channels lie `step`
// floats apart.
inline constexpr int kTile = 32;
inline void ColumnMax(const float* first, int count, int64_t step, int width, float* best) {
  if (width == kTile) {
    Floats4 lanes[kTile / 4];
    for (Floats4& lane : lanes) lane = Lowest4();
    for (int c = 0; c < count; ++c) {
      const float* row = first + c * step;
      for (int i = 0; i < kTile / 4; ++i) lanes[i] = Max4(Load4(row + i * 4), lanes[i]);
    }
    std::memcpy(best, lanes, sizeof lanes);
    return;
  }
  for (int i = 0; i < width; ++i) {
    best[i] = -std::numeric_limits<float>::infinity();
    for (int c = 0; c < count; ++c) {
      const float score = first[c * step + i];
      best[i] = score > best[i] ? score : best[i];
    }
  }
}

}  // namespace sightline::postprocess
