// Sampling across a row: for each input column the position of its left neighbour and the weight of the right
// one. Positions are kept relative to the first of their vector, so that steps up to 2 need only table
// lookups within two registers; larger steps (anisotropic stretching, extreme reductions) gather. Included
// once per instruction set, hence no #pragma once.
#if defined(SIGHTLINE_PREPROCESS_LOOKUP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGHTLINE_PREPROCESS_LOOKUP_INL_H_
#undef SIGHTLINE_PREPROCESS_LOOKUP_INL_H_
#else
#define SIGHTLINE_PREPROCESS_LOOKUP_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "stages/preprocess/plan.h"

HWY_BEFORE_NAMESPACE();
namespace sightline::preprocess {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using F = hn::ScalableTag<float>;

struct Lookup {
  enum class Way { kCopy, kOneTable, kTwoTables, kGather };
  Way way = Way::kGather;
  int first = 0, columns = 1;         // averaged samples that are needed
  const int32_t* bases = nullptr;     // per vector (at its first lane): first position
  const int32_t* relative = nullptr;  // per lane: position - base
  const float* weights = nullptr;

  // For input columns [x1, x1 + count); `padded` is count rounded up to whole vectors. `positions` holds 2 *
  // padded.
  static Lookup Make(const Axis& axis, int x1, int count, size_t padded, int32_t* positions, float* weights) {
    const int lanes = static_cast<int>(hn::Lanes(F()));
    const auto at = [&](int x) {
      return std::clamp(axis.start + (x1 + x) * axis.step, 0.0, axis.count - 1.0);
    };
    Lookup lookup;
    lookup.first = static_cast<int>(at(0));
    lookup.columns = std::min(static_cast<int>(at(count - 1)) + 1, axis.count - 1) - lookup.first + 1;
    int32_t* bases = positions;
    int32_t* relative = positions + padded;
    int furthest = 0, base = 0;
    bool copy = true;
    for (int x = 0; x < static_cast<int>(padded); ++x) {
      const double position = at(std::min(x, count - 1));
      const int left = static_cast<int>(position);
      if (x % lanes == 0) base = bases[x] = left - lookup.first;
      relative[x] = left - lookup.first - base;
      weights[x] = static_cast<float>(position - left);
      furthest = std::max(furthest, relative[x]);
      copy = copy && (x >= count || (weights[x] == 0 && left == lookup.first + x));
    }
    lookup.way = copy                   ? Way::kCopy
                 : furthest < lanes     ? Way::kOneTable
                 : furthest < 2 * lanes ? Way::kTwoTables
                                        : Way::kGather;
    lookup.bases = bases;
    lookup.relative = relative;
    lookup.weights = weights;
    return lookup;
  }

  // Samples `count` columns of `channels` rows. A row that needs no resampling is not copied: out[c] then
  // points into rows[c]. Reads up to 2 vectors + 1 beyond a row's end; writes whole vectors.
  void SampleRows(float* const* rows, int channels, size_t count, float** out) const {
    switch (way) {
      case Way::kCopy:
        for (int c = 0; c < channels; ++c) out[c] = rows[c];
        break;
      case Way::kOneTable:
        return SampleRowsBy<Way::kOneTable>(rows, channels, count, out);
      case Way::kTwoTables:
        return SampleRowsBy<Way::kTwoTables>(rows, channels, count, out);
      case Way::kGather:
        return SampleRowsBy<Way::kGather>(rows, channels, count, out);
    }
  }

 private:
  template <Way kWay>
  HWY_ATTR void SampleRowsBy(float* const* rows, int channels, size_t count, float* const* out) const {
    const F d;
    const hn::RebindToSigned<F> integer;
    const size_t lanes = hn::Lanes(d);
    const auto last = hn::Set(integer, static_cast<int32_t>(lanes - 1));
    for (int c = 0; c < channels; ++c) {
      for (size_t x = 0; x < count; x += lanes) {
        const float* left = rows[c] + bases[x];
        const auto at = hn::LoadU(integer, relative + x);
        hn::Vec<F> a, b;
        if constexpr (kWay == Way::kGather) {
          a = hn::GatherIndex(d, left, at);
          b = hn::GatherIndex(d, left + 1, at);
        } else {
          const auto lane = hn::IndicesFromVec(d, hn::And(at, last));
          a = hn::TableLookupLanes(hn::LoadU(d, left), lane);
          b = hn::TableLookupLanes(hn::LoadU(d, left + 1), lane);
          if constexpr (kWay == Way::kTwoTables) {
            const auto upper = hn::RebindMask(d, hn::Gt(at, last));
            a = hn::IfThenElse(upper, hn::TableLookupLanes(hn::LoadU(d, left + lanes), lane), a);
            b = hn::IfThenElse(upper, hn::TableLookupLanes(hn::LoadU(d, left + lanes + 1), lane), b);
          }
        }
        hn::StoreU(hn::MulAdd(hn::Sub(b, a), hn::LoadU(d, weights + x), a), d, out[c] + x);
      }
    }
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace sightline::preprocess
HWY_AFTER_NAMESPACE();
#endif  // SIGHTLINE_PREPROCESS_LOOKUP_INL_H_
