// Finished float rows, one per channel, to the tensor's type and layout.
// Included once per instruction set, hence no #pragma once.
#if defined(SIGHTLINE_PREPROCESS_PACK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGHTLINE_PREPROCESS_PACK_INL_H_
#undef SIGHTLINE_PREPROCESS_PACK_INL_H_
#else
#define SIGHTLINE_PREPROCESS_PACK_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "stages/preprocess/plan.h"

HWY_BEFORE_NAMESPACE();
namespace sightline::preprocess {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using F = hn::ScalableTag<float>;

struct ToFloat32 {
  using Element = float;
  template <class V>
  HWY_INLINE HWY_ATTR V operator()(V v) const {
    return v;
  }
};

struct ToFloat16 {
  using Element = uint16_t;
  template <class V>
  HWY_INLINE HWY_ATTR auto operator()(V v) const {
    const F d;
    const hn::Rebind<hwy::float16_t, F> half;
    const hn::Rebind<uint16_t, F> bits;
    const hn::RebindToUnsigned<F> wide;
    // Where the instruction set lacks the conversion Highway cuts instead of rounding: round to nearest even
    // before it.
    const auto raw = hn::BitCast(wide, hn::Clamp(v, hn::Set(d, -65504.f), hn::Set(d, 65504.f)));
    const auto odd = hn::And(hn::ShiftRight<13>(raw), hn::Set(wide, 1u));
    const auto up = hn::Add(raw, hn::Add(odd, hn::Set(wide, 0xFFFu)));
    return hn::BitCast(bits, hn::DemoteTo(half, hn::BitCast(d, hn::And(up, hn::Set(wide, 0xFFFFE000u)))));
  }
};

struct ToUint8 {
  using Element = uint8_t;
  template <class V>
  HWY_INLINE HWY_ATTR auto operator()(V v) const {
    const F d;
    const hn::Rebind<uint8_t, F> bytes;
    return hn::DemoteTo(bytes, hn::NearestInt(hn::Clamp(v, hn::Zero(d), hn::Set(d, 255.f))));
  }
};

// `count` pixels from rows[c] to (x, y) of the tensor. Rows are readable up to whole vectors.
template <class Convert>
HWY_ATTR void PackRowAs(const Plan& plan, float* const* rows, int x, int y, size_t count, Convert convert) {
  using Element = typename Convert::Element;
  const F d;
  const hn::Rebind<Element, F> to;
  const size_t lanes = hn::Lanes(d);
  const size_t width = plan.input.width, area = width * plan.input.height, pixel = y * width + x;
  auto* const slot = static_cast<Element*>(plan.slot);
  HWY_ALIGN Element partial[3 * HWY_MAX_BYTES / sizeof(float)];
  if (plan.layout == TensorLayout::kNhwc && plan.channels == 3) {
    for (size_t i = 0; i < count; i += lanes) {
      const bool whole = i + lanes <= count;
      Element* at = slot + (pixel + i) * 3;
      hn::StoreInterleaved3(convert(hn::LoadU(d, rows[0] + i)), convert(hn::LoadU(d, rows[1] + i)),
                            convert(hn::LoadU(d, rows[2] + i)), to, whole ? at : partial);
      if (!whole) std::memcpy(at, partial, (count - i) * 3 * sizeof(Element));
    }
    return;
  }
  for (int c = 0; c < plan.channels; ++c) {
    Element* const row = slot + c * area + pixel;
    for (size_t i = 0; i < count; i += lanes) {
      const bool whole = i + lanes <= count;
      hn::StoreU(convert(hn::LoadU(d, rows[c] + i)), to, whole ? row + i : partial);
      if (!whole) std::memcpy(row + i, partial, (count - i) * sizeof(Element));
    }
  }
}

HWY_ATTR inline void PackRow(const Plan& plan, float* const* rows, int x, int y, int count) {
  const size_t pixels = static_cast<size_t>(count);
  if (plan.type == ElementType::kUint8) return PackRowAs(plan, rows, x, y, pixels, ToUint8());
  if (plan.type == ElementType::kFloat16) return PackRowAs(plan, rows, x, y, pixels, ToFloat16());
  return PackRowAs(plan, rows, x, y, pixels, ToFloat32());
}

}  // namespace HWY_NAMESPACE
}  // namespace sightline::preprocess
HWY_AFTER_NAMESPACE();
#endif  // SIGHTLINE_PREPROCESS_PACK_INL_H_
