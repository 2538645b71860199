// One row of samples, of any kind that a picture library hands out, to 8-bit grey or RGB.
#pragma once

#include <cstdint>

namespace sightline::decode {

enum class SampleType { kUint8, kInt8, kUint16, kInt16, kUint32, kInt32, kFloat, kDouble };

// value = (sample - low) * scale, to 0..255.
struct SampleRange {
  double low = 0;
  double scale = 1;
};

enum class RowColor { kGray, kRgb, kCmyk };

// How `bands` interleaved samples a pixel are to be read; bands that are not named here are skipped.
struct RowLayout {
  SampleType type = SampleType::kUint8;
  RowColor color = RowColor::kRgb;
  int bands = 3;
  int alpha = -1;          // the band of opacity, composed over black; -1: none
  SampleRange range;       // of types other than kUint8 and kUint16, whose ranges are their own
  bool has_range = false;  // kUint8 and kUint16 too use `range`
};

// Writes `width` grey (RowColor::kGray) or RGB pixels.
void ConvertRow(const void* samples, int width, const RowLayout& layout, uint8_t* to);

// Widens [*low, *high] to the finite samples of the row.
void WidenRange(const void* samples, int64_t count, SampleType type, double* low, double* high);

// The range that a picture with samples from `low` to `high` is displayed with.
SampleRange DisplayRange(double low, double high);

}  // namespace sightline::decode
