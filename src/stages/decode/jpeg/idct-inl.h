// Inverse cosine transforms of one block, for the SIMD target that includes this (Highway's per-target
// include guard).
#if defined(SIGHTLINE_JPEG_IDCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGHTLINE_JPEG_IDCT_INL_H_
#undef SIGHTLINE_JPEG_IDCT_INL_H_
#else
#define SIGHTLINE_JPEG_IDCT_INL_H_
#endif

#include <cstdint>
#include <cstring>

#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR
HWY_BEFORE_NAMESPACE();
namespace sightline::decode::jpeg {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Loeffler, Ligtenberg and Moschytz 1989, in the arithmetic of libjpeg's `islow` as its SIMD versions do it:
// 16-bit sums, products modulo 2^32, results saturated to 16 bits. So the results agree bit by bit, for any
// input.
constexpr int kConstBits = 13, kPass1Bits = 2;
constexpr int32_t k0_298 = 2446, k0_390 = 3196, k0_541 = 4433, k0_765 = 6270, k0_899 = 7373, k1_175 = 9633,
                  k1_501 = 12299, k1_847 = 15137, k1_961 = 16069, k2_053 = 16819, k2_562 = 20995,
                  k3_072 = 25172;

template <class D>
HWY_INLINE hn::VFromD<D> Wrap16(D /*d*/, hn::VFromD<D> v) {
  return hn::ShiftRight<16>(hn::ShiftLeft<16>(v));
}

// Of a sum of two 16-bit numbers: its low 16 bits, sign-extended, times 2^13.
template <class D>
HWY_INLINE hn::VFromD<D> Wrap16Scaled(D /*d*/, hn::VFromD<D> v) {
  return hn::ShiftRight<3>(hn::ShiftLeft<16>(v));
}

// One dimension, on as many columns as D has lanes: row r at block + 8 * r, in place. kLow: rows 4..7 are
// known to be zero.
template <int kDescale, bool kLow, class D>
HWY_INLINE void Transform(D d, int16_t* block) {
  using V = hn::VFromD<D>;
  const hn::Rebind<int16_t, D> d16;
  const auto row = [&](int r) HWY_ATTR { return hn::PromoteTo(d, hn::Load(d16, block + 8 * r)); };
  const auto times = [&](V v, int32_t factor) HWY_ATTR { return hn::Mul(v, hn::Set(d, factor)); };
  const V in0 = row(0), in1 = row(1), in2 = row(2), in3 = row(3);
  V t0, t1, t2, t3, o0, o1, o2, o3, z3, z4;
  if constexpr (kLow) {
    t0 = t1 = hn::ShiftLeft<kConstBits>(in0);
    t2 = times(in2, k0_541);
    t3 = times(in2, k0_541 + k0_765);
    z3 = in3;
    z4 = in1;
    o0 = times(in1, -k0_899);
    o1 = times(in3, -k2_562);
    o2 = times(in3, k3_072 - k2_562);
    o3 = times(in1, k1_501 - k0_899);
  } else {
    const V in4 = row(4), in5 = row(5), in6 = row(6), in7 = row(7);
    t0 = Wrap16Scaled(d, hn::Add(in0, in4));
    t1 = Wrap16Scaled(d, hn::Sub(in0, in4));
    t2 = hn::Add(times(in2, k0_541), times(in6, k0_541 - k1_847));
    t3 = hn::Add(times(in2, k0_541 + k0_765), times(in6, k0_541));
    z3 = Wrap16(d, hn::Add(in7, in3));
    z4 = Wrap16(d, hn::Add(in5, in1));
    o0 = hn::Add(times(in7, k0_298 - k0_899), times(in1, -k0_899));
    o1 = hn::Add(times(in5, k2_053 - k2_562), times(in3, -k2_562));
    o2 = hn::Add(times(in5, -k2_562), times(in3, k3_072 - k2_562));
    o3 = hn::Add(times(in7, -k0_899), times(in1, k1_501 - k0_899));
  }
  const V a = hn::Add(times(z3, k1_175 - k1_961), times(z4, k1_175));
  const V b = hn::Add(times(z3, k1_175), times(z4, k1_175 - k0_390));
  o0 = hn::Add(o0, a);
  o2 = hn::Add(o2, a);
  o1 = hn::Add(o1, b);
  o3 = hn::Add(o3, b);
  const V half = hn::Set(d, 1 << (kDescale - 1));
  const V e0 = hn::Add(hn::Add(t0, t3), half), e3 = hn::Add(hn::Sub(t0, t3), half);
  const V e1 = hn::Add(hn::Add(t1, t2), half), e2 = hn::Add(hn::Sub(t1, t2), half);
  const auto put = [&](int r, V v) HWY_ATTR {
    hn::Store(hn::DemoteTo(d16, hn::ShiftRight<kDescale>(v)), d16, block + 8 * r);
  };
  put(0, hn::Add(e0, o3));
  put(7, hn::Sub(e0, o3));
  put(1, hn::Add(e1, o2));
  put(6, hn::Sub(e1, o2));
  put(2, hn::Add(e2, o1));
  put(5, hn::Sub(e2, o1));
  put(3, hn::Add(e3, o0));
  put(4, hn::Sub(e3, o0));
}

template <int kDescale, bool kLow>
HWY_INLINE void TransformColumns(int16_t* block) {
  const hn::CappedTag<int32_t, 8> d;
  for (size_t column = 0; column < 8; column += hn::Lanes(d)) Transform<kDescale, kLow>(d, block + column);
}

// 8x8 samples of 16 bits, in place.
HWY_INLINE void Transpose(int16_t* HWY_RESTRICT block) {
  const hn::FixedTag<int16_t, 8> d;
  const hn::FixedTag<int32_t, 4> d32;
  const hn::FixedTag<int64_t, 2> d64;
  const auto row = [&](int r) HWY_ATTR { return hn::Load(d, block + 8 * r); };
  const auto put = [&](int r, hn::VFromD<decltype(d64)> v)
                       HWY_ATTR { hn::Store(hn::BitCast(d, v), d, block + 8 * r); };
  const auto r0 = row(0), r1 = row(1), r2 = row(2), r3 = row(3), r4 = row(4), r5 = row(5), r6 = row(6),
             r7 = row(7);
  const auto a0 = hn::BitCast(d32, hn::InterleaveLower(d, r0, r1)),
             a1 = hn::BitCast(d32, hn::InterleaveUpper(d, r0, r1));
  const auto a2 = hn::BitCast(d32, hn::InterleaveLower(d, r2, r3)),
             a3 = hn::BitCast(d32, hn::InterleaveUpper(d, r2, r3));
  const auto a4 = hn::BitCast(d32, hn::InterleaveLower(d, r4, r5)),
             a5 = hn::BitCast(d32, hn::InterleaveUpper(d, r4, r5));
  const auto a6 = hn::BitCast(d32, hn::InterleaveLower(d, r6, r7)),
             a7 = hn::BitCast(d32, hn::InterleaveUpper(d, r6, r7));
  const auto quad = [&](auto low, auto high, int r)
                        HWY_ATTR {  // rows r, r + 1 of the left (low) and right (high) half
                          const auto l = hn::BitCast(d64, low), h = hn::BitCast(d64, high);
                          put(r, hn::InterleaveLower(d64, l, h));
                          put(r + 1, hn::InterleaveUpper(d64, l, h));
                        };
  quad(hn::InterleaveLower(d32, a0, a2), hn::InterleaveLower(d32, a4, a6), 0);
  quad(hn::InterleaveUpper(d32, a0, a2), hn::InterleaveUpper(d32, a4, a6), 2);
  quad(hn::InterleaveLower(d32, a1, a3), hn::InterleaveLower(d32, a5, a7), 4);
  quad(hn::InterleaveUpper(d32, a1, a3), hn::InterleaveUpper(d32, a5, a7), 6);
}

HWY_INLINE uint8_t Sample(int centred) {
  return static_cast<uint8_t>(centred < -128 ? 0 : centred > 127 ? 255 : centred + 128);
}

HWY_INLINE void FillBlock(uint8_t value, uint8_t* HWY_RESTRICT out, ptrdiff_t stride) {
  const uint64_t eight = 0x0101010101010101ull * value;
  for (int r = 0; r < 8; ++r) std::memcpy(out + r * stride, &eight, 8);
}

// `block`: 64 coefficients, `quant` their quantisers, row by row, aligned to 64 bytes; the block is used up.
// `low`: all but the first 4 rows and columns are zero.
HWY_INLINE void InverseTransform(int16_t* HWY_RESTRICT block, const int16_t* HWY_RESTRICT quant, bool low,
                                 uint8_t* HWY_RESTRICT out, ptrdiff_t stride) {
  const hn::FixedTag<int16_t, 8> d;
  const hn::FixedTag<uint8_t, 8> d8;
  auto below = hn::Zero(d);
  for (int r = 0; r < (low ? 4 : 8); ++r) {
    const auto row = hn::Load(d, block + 8 * r);
    if (r > 0) below = hn::Or(below, row);
    hn::Store(hn::Mul(row, hn::Load(d, quant + 8 * r)), d, block + 8 * r);
  }
  if (hn::AllTrue(d, hn::Eq(below, hn::Zero(d)))) {  // the first pass would only scale row 0
    const auto scaled = hn::ShiftLeft<kPass1Bits>(hn::Load(d, block));
    for (int r = 0; r < 8; ++r) hn::Store(scaled, d, block + 8 * r);
  } else if (low) {
    TransformColumns<kConstBits - kPass1Bits, true>(block);
  } else {
    TransformColumns<kConstBits - kPass1Bits, false>(block);
  }
  Transpose(block);
  if (low) {
    TransformColumns<kConstBits + kPass1Bits + 3, true>(block);
  } else {
    TransformColumns<kConstBits + kPass1Bits + 3, false>(block);
  }
  Transpose(block);
  const auto centre = hn::Set(d, 128);
  for (int r = 0; r < 8; ++r) {
    hn::StoreU(hn::DemoteTo(d8, hn::SaturatedAdd(hn::Load(d, block + 8 * r), centre)), d8, out + r * stride);
  }
}

// 4x4 samples, each the average of 2x2, from the 4x4 corner. `corner` and `weights`: [horizontal][vertical]
// frequency.
HWY_INLINE void InverseTransformHalf(const int16_t* HWY_RESTRICT corner, const float* HWY_RESTRICT weights,
                                     uint8_t* HWY_RESTRICT out, ptrdiff_t stride) {
  const hn::FixedTag<float, 4> d;
  const hn::FixedTag<int32_t, 4> d32;
  const hn::FixedTag<int64_t, 2> d64;
  const hn::FixedTag<int16_t, 4> d16;
  const hn::FixedTag<uint8_t, 4> d8;
  using V = hn::VFromD<decltype(d)>;
  const V c1 = hn::Set(d, 0.923879532511287f), c3 = hn::Set(d, 0.382683432365090f);  // cos(pi/8), cos(3 pi/8)
  const auto load = [&](int u) HWY_ATTR {
    return hn::Mul(hn::ConvertTo(d, hn::PromoteTo(d32, hn::Load(d16, corner + 4 * u))),
                   hn::Load(d, weights + 4 * u));
  };
  const auto pass = [&](V f0, V f1, V f2, V f3, V* x) HWY_ATTR {
    const V even = hn::Add(f0, f2), odd = hn::Sub(f0, f2);
    const V o0 = hn::MulAdd(f1, c1, hn::Mul(f3, c3)), o1 = hn::Sub(hn::Mul(f1, c3), hn::Mul(f3, c1));
    x[0] = hn::Add(even, o0);
    x[1] = hn::Add(odd, o1);
    x[2] = hn::Sub(odd, o1);
    x[3] = hn::Sub(even, o0);
  };
  V x[4], y[4];
  pass(load(0), load(1), load(2), load(3), x);  // x[i]: column i, lanes: vertical frequency
  const auto pair = [&](V a, V b, bool upper) HWY_ATTR {
    return hn::BitCast(d64, upper ? hn::InterleaveUpper(d, a, b) : hn::InterleaveLower(d, a, b));
  };
  const auto l01 = pair(x[0], x[1], false), l23 = pair(x[2], x[3], false);
  const auto u01 = pair(x[0], x[1], true), u23 = pair(x[2], x[3], true);
  const V centre = hn::Set(d, 128.f);
  pass(hn::Add(hn::BitCast(d, hn::InterleaveLower(d64, l01, l23)), centre),
       hn::BitCast(d, hn::InterleaveUpper(d64, l01, l23)), hn::BitCast(d, hn::InterleaveLower(d64, u01, u23)),
       hn::BitCast(d, hn::InterleaveUpper(d64, u01, u23)), y);
  for (int r = 0; r < 4; ++r) {
    hn::StoreU(hn::DemoteTo(d8, hn::DemoteTo(d16, hn::NearestInt(y[r]))), d8, out + r * stride);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sightline::decode::jpeg
HWY_AFTER_NAMESPACE();
#endif

#endif  // SIGHTLINE_JPEG_IDCT_INL_H_
