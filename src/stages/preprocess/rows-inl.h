// Row kernels without geometry: interpolate, sum, deinterleave. None reads or writes outside the elements it
// is given: the last vector overlaps the one before, and rows shorter than a vector go one by one. Included
// once per instruction set, hence no #pragma once.
#if defined(SIGHTLINE_PREPROCESS_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGHTLINE_PREPROCESS_ROWS_INL_H_
#undef SIGHTLINE_PREPROCESS_ROWS_INL_H_
#else
#define SIGHTLINE_PREPROCESS_ROWS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sightline::preprocess {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using F = hn::ScalableTag<float>;

// out = (a + (b - a) * fraction) * scale
template <typename T>
HWY_ATTR void InterpolateRows(const T* a, const T* b, float fraction, float scale, size_t count, float* out) {
  const F d;
  const hn::Rebind<T, F> stored;
  const hn::Rebind<int32_t, F> integer;
  const size_t lanes = hn::Lanes(d);
  const auto wa = hn::Set(d, (1.f - fraction) * scale), wb = hn::Set(d, fraction * scale);
  const auto one = [&](size_t i) HWY_ATTR {
    const auto va = hn::ConvertTo(d, hn::PromoteTo(integer, hn::LoadU(stored, a + i)));
    const auto vb = hn::ConvertTo(d, hn::PromoteTo(integer, hn::LoadU(stored, b + i)));
    hn::StoreU(hn::MulAdd(vb, wb, hn::Mul(va, wa)), d, out + i);
  };
  if (count < lanes) {
    for (size_t i = 0; i < count; ++i) {
      out[i] = static_cast<float>(a[i]) * ((1.f - fraction) * scale) +
               static_cast<float>(b[i]) * (fraction * scale);
    }
    return;
  }
  for (size_t i = 0; i + lanes <= count; i += lanes) one(i);
  if (count % lanes != 0) one(count - lanes);
}

// out[i] = sum of rows[0..row_count)[i]; at most 257 rows.
HWY_ATTR inline void SumRows(const uint8_t* const* rows, int row_count, size_t count, uint16_t* out) {
  const hn::ScalableTag<uint16_t> d;
  const hn::Rebind<uint8_t, decltype(d)> bytes;
  const size_t lanes = hn::Lanes(d);
  const auto one = [&](size_t i) HWY_ATTR {
    auto sum = hn::PromoteTo(d, hn::LoadU(bytes, rows[0] + i));
    for (int r = 1; r < row_count; ++r) sum = hn::Add(sum, hn::PromoteTo(d, hn::LoadU(bytes, rows[r] + i)));
    hn::StoreU(sum, d, out + i);
  };
  if (count < lanes) {
    for (size_t i = 0; i < count; ++i) {
      unsigned sum = 0;
      for (int r = 0; r < row_count; ++r) sum += rows[r][i];
      out[i] = static_cast<uint16_t>(sum);
    }
    return;
  }
  for (size_t i = 0; i + lanes <= count; i += lanes) one(i);
  if (count % lanes != 0) one(count - lanes);
}

// row[i] = row[2 i] + row[2 i + 1] for i < count, in place.
HWY_ATTR inline void AddNeighbours(uint16_t* row, size_t count) {
  const hn::ScalableTag<uint16_t> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::Vec<decltype(d)> even, odd;
    hn::LoadInterleaved2(d, row + 2 * i, even, odd);
    hn::StoreU(hn::Add(even, odd), d, row + i);
  }
  for (; i < count; ++i) row[i] = static_cast<uint16_t>(row[2 * i] + row[2 * i + 1]);
}

// out[c][i] = in[i * channels + c], channels 2 or 3.
template <typename T>
HWY_ATTR void Deinterleave(const T* in, int channels, size_t count, T* const* out) {
  const hn::ScalableTag<T> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  if (channels == 2) {
    for (; i + lanes <= count; i += lanes) {
      hn::Vec<decltype(d)> v0, v1;
      hn::LoadInterleaved2(d, in + 2 * i, v0, v1);
      hn::StoreU(v0, d, out[0] + i);
      hn::StoreU(v1, d, out[1] + i);
    }
  } else {
    for (; i + lanes <= count; i += lanes) {
      hn::Vec<decltype(d)> v0, v1, v2;
      hn::LoadInterleaved3(d, in + 3 * i, v0, v1, v2);
      hn::StoreU(v0, d, out[0] + i);
      hn::StoreU(v1, d, out[1] + i);
      hn::StoreU(v2, d, out[2] + i);
    }
  }
  for (; i < count; ++i) {
    for (int c = 0; c < channels; ++c) out[c][i] = in[i * channels + c];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sightline::preprocess
HWY_AFTER_NAMESPACE();
#endif  // SIGHTLINE_PREPROCESS_ROWS_INL_H_
