// The grids of cells that detectors lay over their input: one level per stride, cells in row-major order.
#pragma once

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "data/geometry.h"

namespace sightline::postprocess {

struct Level {
  int stride = 0;
  int columns = 0, rows = 0;
  int64_t begin = 0;  // cells of the levels before this one
  int64_t cells() const { return int64_t{columns} * rows; }
  // Where a cell, counted from this level's first, lies in the grid.
  int64_t ColumnOf(int64_t cell) const { return cell % columns; }
  int64_t RowOf(int64_t cell) const { return cell / columns; }
};
using Levels = absl::InlinedVector<Level, 6>;

// Cells that hang over the input's edge count: convolutions with padding round up.
inline Levels MakeLevels(Size input, absl::Span<const int> strides) {
  Levels levels;
  int64_t begin = 0;
  for (const int stride : strides) {
    const auto cells = [stride](int extent) {
      return static_cast<int>((int64_t{extent} + stride - 1) / stride);
    };
    levels.push_back({stride, cells(input.width), cells(input.height), begin});
    begin += levels.back().cells();
  }
  return levels;
}

inline int64_t CellCount(const Levels& levels) {
  return levels.empty() ? 0 : levels.back().begin + levels.back().cells();
}

// The level in which `cell` (counted over all levels) lies. There must be one.
inline const Level& LevelOf(const Levels& levels, int64_t cell) {
  const Level* found = &levels.front();
  for (const Level& level : levels) {
    if (cell >= level.begin) found = &level;
  }
  return *found;
}

}  // namespace sightline::postprocess
