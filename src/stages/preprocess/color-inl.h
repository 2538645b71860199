// From sampled rows (luma, R G B or Y Cb Cr, levels 0..255) to normalised rows, one per tensor channel.
// Clamping to 0..255 happens after normalising, between the values that 0 and 255 become: one multiply-add
// less per channel. Included once per instruction set, hence no #pragma once.
#if defined(SIGHTLINE_PREPROCESS_COLOR_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGHTLINE_PREPROCESS_COLOR_INL_H_
#undef SIGHTLINE_PREPROCESS_COLOR_INL_H_
#else
#define SIGHTLINE_PREPROCESS_COLOR_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "hwy/highway.h"
#include "stages/preprocess/plan.h"

HWY_BEFORE_NAMESPACE();
namespace sightline::preprocess {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using F = hn::ScalableTag<float>;

// The last vector of a row reaches over its end: only what belongs to the row is written.
HWY_INLINE HWY_ATTR void StoreWithin(hn::Vec<F> v, float* row, size_t x, size_t count) {
  const F d;
  if (x + hn::Lanes(d) <= count) {
    hn::StoreU(v, d, row + x);
  } else {
    HWY_ALIGN float partial[HWY_MAX_BYTES / sizeof(float)];
    hn::Store(v, d, partial);
    std::memcpy(row + x, partial, (count - x) * sizeof(float));
  }
}

// One tensor channel: level * scale + offset, and the values of the levels 0 and 255 in ascending order.
struct Normal {
  float scale, offset, low, high;
  Normal(const Plan& plan, int channel) : scale(plan.multiply[channel]), offset(plan.add[channel]) {
    const float black = offset, white = 255.f * scale + offset;
    low = std::min(black, white);
    high = std::max(black, white);
  }
};

HWY_ATTR inline void FinishLuma(const Plan& plan, const float* luma, float* const* out, size_t count) {
  const F d;
  for (int c = 0; c < plan.channels; ++c) {
    const Normal normal(plan, c);
    const auto scale = hn::Set(d, plan.color.luma * normal.scale);
    const auto offset = hn::Set(d, plan.color.luma_offset * normal.scale + normal.offset);
    const auto low = hn::Set(d, normal.low), high = hn::Set(d, normal.high);
    for (size_t x = 0; x < count; x += hn::Lanes(d)) {
      StoreWithin(hn::Clamp(hn::MulAdd(hn::LoadU(d, luma + x), scale, offset), low, high), out[c], x, count);
    }
  }
}

HWY_ATTR inline void FinishRgb(const Plan& plan, const float* const* rgb, float* const* out, size_t count) {
  const F d;
  for (int i = 0; i < 3; ++i) {
    const int c = plan.channel_of[i];
    const auto scale = hn::Set(d, plan.multiply[c]), offset = hn::Set(d, plan.add[c]);
    for (size_t x = 0; x < count; x += hn::Lanes(d)) {
      StoreWithin(hn::MulAdd(hn::LoadU(d, rgb[i] + x), scale, offset), out[c], x, count);
    }
  }
}

HWY_ATTR inline void FinishYcbcr(const Plan& plan, const float* const* ycbcr, float* const* out,
                                 size_t count) {
  const F d;
  const ColorPlan& k = plan.color;
  const Normal red(plan, plan.channel_of[0]), green(plan, plan.channel_of[1]), blue(plan, plan.channel_of[2]);
  const auto r_y = hn::Set(d, k.luma * red.scale), r_cr = hn::Set(d, k.r_cr * red.scale);
  const auto r_offset = hn::Set(d, k.r_offset * red.scale + red.offset);
  const auto r_low = hn::Set(d, red.low), r_high = hn::Set(d, red.high);
  const auto g_y = hn::Set(d, k.luma * green.scale), g_cb = hn::Set(d, k.g_cb * green.scale);
  const auto g_cr = hn::Set(d, k.g_cr * green.scale);
  const auto g_offset = hn::Set(d, k.g_offset * green.scale + green.offset);
  const auto g_low = hn::Set(d, green.low), g_high = hn::Set(d, green.high);
  const auto b_y = hn::Set(d, k.luma * blue.scale), b_cb = hn::Set(d, k.b_cb * blue.scale);
  const auto b_offset = hn::Set(d, k.b_offset * blue.scale + blue.offset);
  const auto b_low = hn::Set(d, blue.low), b_high = hn::Set(d, blue.high);
  float* const to_r = out[plan.channel_of[0]];
  float* const to_g = out[plan.channel_of[1]];
  float* const to_b = out[plan.channel_of[2]];
  for (size_t x = 0; x < count; x += hn::Lanes(d)) {
    const auto y = hn::LoadU(d, ycbcr[0] + x), cb = hn::LoadU(d, ycbcr[1] + x),
               cr = hn::LoadU(d, ycbcr[2] + x);
    const auto r = hn::MulAdd(cr, r_cr, hn::MulAdd(y, r_y, r_offset));
    const auto g = hn::MulAdd(cb, g_cb, hn::MulAdd(cr, g_cr, hn::MulAdd(y, g_y, g_offset)));
    const auto b = hn::MulAdd(cb, b_cb, hn::MulAdd(y, b_y, b_offset));
    StoreWithin(hn::Clamp(r, r_low, r_high), to_r, x, count);
    StoreWithin(hn::Clamp(g, g_low, g_high), to_g, x, count);
    StoreWithin(hn::Clamp(b, b_low, b_high), to_b, x, count);
  }
}

// BT.601 luma of R'G'B' that is clamped first.
HWY_ATTR inline void FinishGray(const Plan& plan, const float* const* sampled, float* out, size_t count) {
  const F d;
  const ColorPlan& k = plan.color;
  const auto zero = hn::Zero(d), white = hn::Set(d, 255.f);
  for (size_t x = 0; x < count; x += hn::Lanes(d)) {
    auto r = hn::LoadU(d, sampled[0] + x), g = hn::LoadU(d, sampled[1] + x), b = hn::LoadU(d, sampled[2] + x);
    if (plan.source == SourceKind::kYcbcr) {
      const auto y = hn::Mul(r, hn::Set(d, k.luma)), cb = g, cr = b;
      r = hn::Clamp(hn::MulAdd(cr, hn::Set(d, k.r_cr), hn::Add(y, hn::Set(d, k.r_offset))), zero, white);
      g = hn::MulAdd(cr, hn::Set(d, k.g_cr), hn::Add(y, hn::Set(d, k.g_offset)));
      g = hn::Clamp(hn::MulAdd(cb, hn::Set(d, k.g_cb), g), zero, white);
      b = hn::Clamp(hn::MulAdd(cb, hn::Set(d, k.b_cb), hn::Add(y, hn::Set(d, k.b_offset))), zero, white);
    }
    const auto luma =
        hn::MulAdd(r, hn::Set(d, 0.299f), hn::MulAdd(g, hn::Set(d, 0.587f), hn::Mul(b, hn::Set(d, 0.114f))));
    StoreWithin(hn::MulAdd(luma, hn::Set(d, plan.multiply[0]), hn::Set(d, plan.add[0])), out, x, count);
  }
}

// `sampled` rows are readable up to whole vectors; `out` rows get exactly `count` values.
HWY_ATTR inline void FinishRow(const Plan& plan, const float* const* sampled, float* const* out,
                               size_t count) {
  if (plan.source == SourceKind::kLuma) return FinishLuma(plan, sampled[0], out, count);
  if (plan.channels == 1) return FinishGray(plan, sampled, out[0], count);
  if (plan.source == SourceKind::kRgb) return FinishRgb(plan, sampled, out, count);
  return FinishYcbcr(plan, sampled, out, count);
}

}  // namespace HWY_NAMESPACE
}  // namespace sightline::preprocess
HWY_AFTER_NAMESPACE();
#endif  // SIGHTLINE_PREPROCESS_COLOR_INL_H_
