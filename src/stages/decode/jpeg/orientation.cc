#include "stages/decode/jpeg/orientation.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace sightline::decode::jpeg {
namespace {

// What to do to the stored samples: mirror, then swap the axes.
struct Turn {
  bool mirror_x = false, mirror_y = false, transpose = false;
};

Turn TurnOf(int orientation) {
  return {.mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8,
          .mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7,
          .transpose = orientation >= 5};
}

// Of samples of `bytes` bytes each.
struct PlaneView {
  uint8_t* data;
  ptrdiff_t stride;
  int width, height;
};

// In place, 8x8 bytes in rows of 64 bits (little endian): swaps ever larger off-diagonal squares.
void Transpose8x8(uint64_t rows[8]) {
  const auto swap = [&](int a, int b, int shift, uint64_t mask) {
    const uint64_t difference = ((rows[a] >> shift) ^ rows[b]) & mask;
    rows[a] ^= difference << shift;
    rows[b] ^= difference;
  };
  for (int i = 0; i < 4; ++i) swap(i, i + 4, 32, 0x00000000FFFFFFFFull);
  for (const int i : {0, 1, 4, 5}) swap(i, i + 2, 16, 0x0000FFFF0000FFFFull);
  for (const int i : {0, 2, 4, 6}) swap(i, i + 1, 8, 0x00FF00FF00FF00FFull);
}

// Rows of `from` mirrored as asked. A negative stride mirrors rows; columns are reversed here.
void CopyRows(const PlaneView& from, const Turn& turn, int bytes, const PlaneView& to) {
  for (int y = 0; y < to.height; ++y) {
    const uint8_t* source = from.data + (turn.mirror_y ? from.height - 1 - y : y) * from.stride;
    uint8_t* target = to.data + y * to.stride;
    if (!turn.mirror_x) {
      std::memcpy(target, source, static_cast<size_t>(to.width) * static_cast<size_t>(bytes));
    } else if (bytes == 1) {
      std::reverse_copy(source, source + to.width, target);
    } else {
      for (int x = 0; x < to.width; ++x) {
        std::memcpy(target + x * bytes, source + (to.width - 1 - x) * bytes, static_cast<size_t>(bytes));
      }
    }
  }
}

void TransposeSamples(const PlaneView& from, const Turn& turn, int bytes, const PlaneView& to, int x0, int x1,
                      int y0, int y1) {
  for (int y = y0; y < y1; ++y) {
    for (int x = x0; x < x1; ++x) {
      const int source_x = turn.mirror_x ? from.width - 1 - y : y;
      const int source_y = turn.mirror_y ? from.height - 1 - x : x;
      std::memcpy(to.data + y * to.stride + x * bytes, from.data + source_y * from.stride + source_x * bytes,
                  static_cast<size_t>(bytes));
    }
  }
}

// Whole squares of 8x8 bytes through registers, the rest one by one.
void TransposePlane(const PlaneView& from, const Turn& turn, int bytes, const PlaneView& to) {
  const int whole_x = bytes == 1 ? to.width / 8 * 8 : 0, whole_y = bytes == 1 ? to.height / 8 * 8 : 0;
  for (int y = 0; y < whole_y; y += 8) {
    for (int x = 0; x < whole_x; x += 8) {
      uint64_t rows[8];
      const int source_x = turn.mirror_x ? from.width - 8 - y : y;
      for (int i = 0; i < 8; ++i) {
        const int source_y = turn.mirror_y ? from.height - 1 - (x + i) : x + i;
        std::memcpy(&rows[i], from.data + source_y * from.stride + source_x, 8);
      }
      Transpose8x8(rows);
      for (int i = 0; i < 8; ++i) {
        std::memcpy(to.data + (y + i) * to.stride + x, &rows[turn.mirror_x ? 7 - i : i], 8);
      }
    }
  }
  TransposeSamples(from, turn, bytes, to, whole_x, to.width, 0, whole_y);
  TransposeSamples(from, turn, bytes, to, 0, to.width, whole_y, to.height);
}

void TurnPlane(const PlaneView& from, const Turn& turn, int bytes, const PlaneView& to) {
  if (turn.transpose) {
    TransposePlane(from, turn, bytes, to);
  } else {
    CopyRows(from, turn, bytes, to);
  }
}

// Mirroring an odd side: chroma i then covers the halves of what was i and i - 1.
void ShiftHalfX(const PlaneView& plane) {
  for (int y = 0; y < plane.height; ++y) {
    uint8_t* row = plane.data + y * plane.stride;
    for (int x = plane.width - 1; x > 0; --x) row[x] = static_cast<uint8_t>((row[x] + row[x - 1] + 1) >> 1);
  }
}

void ShiftHalfY(const PlaneView& plane) {
  for (int y = plane.height - 1; y > 0; --y) {
    uint8_t* row = plane.data + y * plane.stride;
    const uint8_t* above = row - plane.stride;
    for (int x = 0; x < plane.width; ++x) row[x] = static_cast<uint8_t>((row[x] + above[x] + 1) >> 1);
  }
}

// Chroma of half width turned by a quarter: each target row twice.
void TurnHalfWidthPlane(const PlaneView& from, const Turn& turn, const PlaneView& to) {
  // Mirrored, an odd last column would come first and be one row high: start one row earlier, and skip that
  // row.
  const int first = turn.mirror_x && to.height % 2 != 0 ? 1 : 0;
  for (int column = 0; column < from.width; ++column) {
    const PlaneView one_from{from.data + (turn.mirror_x ? from.width - 1 - column : column), from.stride, 1,
                             from.height};
    const int y = column * 2 - first;
    for (int row = std::max(y, 0); row < std::min(y + 2, to.height); ++row) {
      if (row == std::max(y, 0)) {
        TransposePlane(one_from, turn, 1, {to.data + row * to.stride, to.stride, to.width, 1});
      } else {
        std::memcpy(to.data + row * to.stride, to.data + (row - 1) * to.stride,
                    static_cast<size_t>(to.width));
      }
    }
  }
}

}  // namespace

void Orient(int orientation, Frame* source, Frame* target) {
  CHECK(orientation >= 2 && orientation <= 8) << orientation;
  const Turn turn = TurnOf(orientation);
  const Size size = source->size;
  const PixelFormat format = source->format;
  const bool half_width = format == PixelFormat::kYuv422 || format == PixelFormat::kYuv420;
  const bool half_height = format == PixelFormat::kYuv420;
  const bool widen = format == PixelFormat::kYuv422 && turn.transpose;
  target->Allocate(widen ? PixelFormat::kYuv444 : format,
                   turn.transpose ? Size{size.height, size.width} : size);
  target->matrix = source->matrix;
  target->range = source->range;
  const int bytes = format == PixelFormat::kRgb24 ? 3 : 1;
  for (int i = 0; i < PlaneCount(format); ++i) {
    const auto view = [&](Frame* frame) {
      const Size plane = PlaneSize(frame->format, frame->size, i);
      return PlaneView{frame->mutable_plane(i), frame->planes[static_cast<size_t>(i)].stride,
                       plane.width / bytes, plane.height};
    };
    const PlaneView from = view(source), to = view(target);
    if (i > 0 && widen) {
      TurnHalfWidthPlane(from, turn, to);
      continue;
    }
    if (i > 0 && half_width && turn.mirror_x && size.width % 2 != 0) ShiftHalfX(from);
    if (i > 0 && half_height && turn.mirror_y && size.height % 2 != 0) ShiftHalfY(from);
    TurnPlane(from, turn, bytes, to);
  }
}

}  // namespace sightline::decode::jpeg
