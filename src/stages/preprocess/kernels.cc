// The fused pass, once per instruction set. Per input row: interpolate between the two (averaged) picture
// rows of each plane, then across by table lookups in registers, convert colour, normalise and store.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "stages/preprocess/plan.h"

// Not worth their code size: SSSE3 (SSE4.1 is as old), AVX3_DL (adds nothing used here), SVE (NEON is as wide
// on most).
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/preprocess/kernels.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h, as it defines the target.
#include "hwy/highway.h"
#include "stages/preprocess/color-inl.h"
#include "stages/preprocess/lookup-inl.h"
#include "stages/preprocess/pack-inl.h"
#include "stages/preprocess/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sightline::preprocess {
namespace HWY_NAMESPACE {

// The rows of one plane that input rows are interpolated from: stored bytes, or averages kept for the next
// input row.
class PlaneRows {
 public:
  // Covers the averaged columns [first, first + columns). `sums` has SumCount() elements.
  void Reset(const PlanePlan* plane, int first, int columns, uint16_t* sums) {
    plane_ = plane;
    first_ = first;
    columns_ = columns;
    sums_ = sums;
    kept_ = {-1, -1};
  }

  static bool Averages(const PlanePlan& plane) { return plane.shift_x + plane.shift_y > 0; }

  static size_t SumCount(const PlanePlan& plane, int columns) {
    if (!Averages(plane)) return 0;
    const size_t samples = static_cast<size_t>(columns) << plane.shift_x;
    return plane.channels * (2 * samples + 2 * static_cast<size_t>(columns));
  }

  // Row `y` of the input, interpolated, one row per channel; `interleaved` is for working in.
  void Interpolate(int y, float* interleaved, float* const* channels) {
    const double position = std::clamp(plane_->y.start + y * plane_->y.step, 0.0, plane_->y.count - 1.0);
    const int top = static_cast<int>(position), bottom = std::min(top + 1, plane_->y.count - 1);
    const float fraction = static_cast<float>(position - top);
    const int count = plane_->channels;
    if (Averages(*plane_)) {
      const float scale = 1.f / static_cast<float>(1 << (plane_->shift_x + plane_->shift_y));
      const uint16_t *a = Averaged(top), *b = Averaged(bottom);
      for (int c = 0; c < count; ++c) {
        const size_t at = static_cast<size_t>(c) * columns_;
        InterpolateRows(a + at, b + at, fraction, scale, columns_, channels[c]);
      }
    } else {
      const size_t bytes = static_cast<size_t>(columns_) * count;
      float* to = count == 1 ? channels[0] : interleaved;
      InterpolateRows(Stored(top), Stored(bottom), fraction, 1.f, bytes, to);
      if (count > 1) Deinterleave(interleaved, count, columns_, channels);
    }
    for (int c = 0; c < count; ++c) channels[c][columns_] = channels[c][columns_ - 1];
  }

 private:
  const uint8_t* Stored(int row) const {
    return plane_->data + static_cast<ptrdiff_t>(row) * plane_->stride +
           static_cast<ptrdiff_t>(first_) * plane_->channels;
  }

  // Sums of blocks, channel after channel. Neighbouring rows lie in different slots, so that both can be in
  // use.
  const uint16_t* Averaged(int row) {
    const int slot = row & 1, count = plane_->channels;
    const size_t samples = static_cast<size_t>(columns_) << plane_->shift_x;
    uint16_t* kept = sums_ + 2 * samples * count + static_cast<size_t>(slot) * columns_ * count;
    if (kept_[slot] == row) return kept;
    kept_[slot] = row;
    const int begin = first_ << plane_->shift_x;
    const int stored = static_cast<int>(std::min<int64_t>(samples, plane_->size.width - begin));
    std::array<const uint8_t*, 1 << 4> rows;
    const int row_count = 1 << plane_->shift_y;
    for (int i = 0; i < row_count; ++i) {
      const int y = std::min((row << plane_->shift_y) + i, plane_->size.height - 1);
      rows[i] =
          plane_->data + static_cast<ptrdiff_t>(y) * plane_->stride + static_cast<ptrdiff_t>(begin) * count;
    }
    SumRows(rows.data(), row_count, static_cast<size_t>(stored) * count, sums_);
    for (size_t i = static_cast<size_t>(stored) * count; i < samples * count; ++i)
      sums_[i] = sums_[i - count];
    std::array<uint16_t*, 3> channels{};
    uint16_t* const planar = count == 1 ? sums_ : sums_ + samples * count;
    for (int c = 0; c < count; ++c) channels[c] = planar + c * samples;
    if (count > 1) Deinterleave(sums_, count, samples, channels.data());
    for (int c = 0; c < count; ++c) {
      size_t length = samples;
      for (int i = 0; i < plane_->shift_x; ++i) AddNeighbours(channels[c], length /= 2);
      std::memcpy(kept + c * static_cast<size_t>(columns_), channels[c], columns_ * sizeof(uint16_t));
    }
    return kept;
  }

  const PlanePlan* plane_ = nullptr;
  int first_ = 0, columns_ = 0;
  uint16_t* sums_ = nullptr;
  std::array<int, 2> kept_{-1, -1};
};

// Memory for `count` elements from a multiple of 64 bytes on, so that vectors do not straddle cache lines.
template <typename T>
T* Ensure(std::vector<T>* memory, size_t count) {
  constexpr size_t kAlignment = 64;
  const size_t wanted = count + kAlignment / sizeof(T);
  if (memory->size() < wanted) memory->resize(wanted);
  const size_t over = reinterpret_cast<uintptr_t>(memory->data()) % kAlignment;
  return memory->data() + (kAlignment - over) % kAlignment / sizeof(T);
}

// How each plane is read: along rows by its lookup, between rows by its PlaneRows.
struct Sampling {
  std::array<Lookup, 3> lookups;
  std::array<PlaneRows, 3> rows;
  int columns_max = 1;

  Sampling(const Plan& plan, size_t shown, Preprocessor::Scratch* scratch) {
    const size_t lanes = hn::Lanes(F()), padded = (shown + lanes - 1) / lanes * lanes;
    int32_t* positions = Ensure(&scratch->positions, 2 * padded * plan.plane_count);
    float* weights = Ensure(&scratch->weights, padded * plan.plane_count);
    size_t sum_count = 0;
    for (int i = 0; i < plan.plane_count; ++i) {
      const PlanePlan& plane = plan.planes[i];
      const bool same = i == 2 && plane.x == plan.planes[1].x;  // Cr lies where Cb lies
      lookups[i] = same ? lookups[1]
                        : Lookup::Make(plane.x, plan.x1, static_cast<int>(shown), padded,
                                       positions + 2 * padded * i, weights + padded * i);
      columns_max = std::max(columns_max, lookups[i].columns);
      sum_count += PlaneRows::SumCount(plane, lookups[i].columns);
    }
    uint16_t* sums = Ensure(&scratch->sums, sum_count);
    for (int i = 0; i < plan.plane_count; ++i) {
      rows[i].Reset(&plan.planes[i], lookups[i].first, lookups[i].columns, sums);
      sums += PlaneRows::SumCount(plan.planes[i], lookups[i].columns);
    }
  }
};

// Rows to work in, one per channel. Longer than their contents by what lookups read beyond the end.
struct WorkRows {
  std::array<float*, 3> picture, sampled, finished, padding;
  float* interleaved;

  WorkRows(const Plan& plan, int columns, Preprocessor::Scratch* scratch) {
    const size_t lanes = hn::Lanes(F());
    const size_t picture_pitch = hwy::RoundUpTo(columns + 2 * lanes + 2, 16);
    const size_t input_pitch = hwy::RoundUpTo(plan.input.width + lanes, 16);
    float* memory = Ensure(&scratch->rows, 6 * picture_pitch + 9 * input_pitch);
    interleaved = memory + 9 * input_pitch + 3 * picture_pitch;
    for (int c = 0; c < 3; ++c) {
      sampled[c] = memory + c * input_pitch;
      finished[c] = memory + (3 + c) * input_pitch;
      padding[c] = memory + (6 + c) * input_pitch;
      picture[c] = memory + 9 * input_pitch + c * picture_pitch;
    }
    const bool all_shown = plan.x2 - plan.x1 == plan.input.width && plan.y2 - plan.y1 == plan.input.height;
    for (int c = 0; c < plan.channels && !all_shown; ++c) std::fill_n(padding[c], input_pitch, plan.pad[c]);
  }
};

void RunPlanHere(const Plan& plan, Preprocessor::Scratch* scratch) {
  const int shown = plan.x2 - plan.x1, width = plan.input.width;
  Sampling sampling(plan, shown, scratch);
  const WorkRows work(plan, sampling.columns_max, scratch);
  const bool direct = plan.type == ElementType::kFloat32 && plan.layout == TensorLayout::kNchw;
  for (int y = 0; y < plan.input.height; ++y) {
    if (y < plan.y1 || y >= plan.y2) {
      PackRow(plan, work.padding.data(), 0, y, width);
      continue;
    }
    std::array<float*, 3> sampled = work.sampled, out = work.finished;
    for (int i = 0, channel = 0; i < plan.plane_count; channel += plan.planes[i++].channels) {
      float* const* const picture = work.picture.data() + channel;
      sampling.rows[i].Interpolate(y, work.interleaved, picture);
      sampling.lookups[i].SampleRows(picture, plan.planes[i].channels, shown, sampled.data() + channel);
    }
    for (int c = 0; c < plan.channels && direct; ++c) {
      const size_t row = static_cast<size_t>(c) * plan.input.height + y;
      out[c] = static_cast<float*>(plan.slot) + row * width + plan.x1;
    }
    FinishRow(plan, sampled.data(), out.data(), shown);
    if (!direct) PackRow(plan, work.finished.data(), plan.x1, y, shown);
    PackRow(plan, work.padding.data(), 0, y, plan.x1);
    PackRow(plan, work.padding.data(), plan.x2, y, width - plan.x2);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sightline::preprocess
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sightline::preprocess {

HWY_EXPORT(RunPlanHere);

void RunPlan(const Plan& plan, Preprocessor::Scratch* scratch) {
  HWY_DYNAMIC_DISPATCH(RunPlanHere)(plan, scratch);
}

std::vector<int64_t> KernelTargets() { return hwy::SupportedAndGeneratedTargets(); }

}  // namespace sightline::preprocess
#endif
