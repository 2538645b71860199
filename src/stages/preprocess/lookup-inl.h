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
      const int lane = x % lanes;
      if (lane == 0) base = bases[x] = left - lookup.first;
      relative[x] = left - lookup.first - base;
      weights[x] = static_cast<float>(position - left);
      furthest = std::max(furthest, relative[x]);
      copy = copy && (x >= count || (weights[x] == 0 && relative[x] == lane));
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

  // The vector for input columns from x (a multiple of the lanes). May read 2 vectors + 1 beyond the row's
  // end.
  HWY_INLINE HWY_ATTR hn::Vec<F> Sample(const float* row, size_t x) const {
    const F d;
    const hn::RebindToSigned<F> integer;
    const float* left = row + bases[x];
    if (way == Way::kCopy) return hn::LoadU(d, left);
    const auto at = hn::LoadU(integer, relative + x);
    const auto weight = hn::LoadU(d, weights + x);
    hn::Vec<F> a, b;
    if (way == Way::kGather) {
      a = hn::GatherIndex(d, left, at);
      b = hn::GatherIndex(d, left + 1, at);
    } else if (way == Way::kOneTable) {
      const auto lane = hn::IndicesFromVec(d, at);
      a = hn::TableLookupLanes(hn::LoadU(d, left), lane);
      b = hn::TableLookupLanes(hn::LoadU(d, left + 1), lane);
    } else {
      const size_t lanes = hn::Lanes(d);
      const auto last = hn::Set(integer, static_cast<int32_t>(lanes - 1));
      const auto upper = hn::RebindMask(d, hn::Gt(at, last));
      const auto lane = hn::IndicesFromVec(d, hn::And(at, last));
      a = hn::IfThenElse(upper, hn::TableLookupLanes(hn::LoadU(d, left + lanes), lane),
                         hn::TableLookupLanes(hn::LoadU(d, left), lane));
      b = hn::IfThenElse(upper, hn::TableLookupLanes(hn::LoadU(d, left + lanes + 1), lane),
                         hn::TableLookupLanes(hn::LoadU(d, left + 1), lane));
    }
    return hn::MulAdd(hn::Sub(b, a), weight, a);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace sightline::preprocess
HWY_AFTER_NAMESPACE();
#endif  // SIGHTLINE_PREPROCESS_LOOKUP_INL_H_
