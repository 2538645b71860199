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

// Everything after interpolation between rows: one row of `count` pixels, normalised, one pointer per tensor
// channel.
HWY_ATTR void FinishRow(const Plan& plan, const std::array<Lookup, 3>& lookups, float* const* sampled,
                        float* const* out, size_t count) {
  const F d;
  const size_t lanes = hn::Lanes(d);
  const auto zero = hn::Zero(d), white = hn::Set(d, 255.f);
  const ColorPlan& k = plan.color;
  const int r_at = plan.channel_of[0], g_at = plan.channel_of[1], b_at = plan.channel_of[2];
  HWY_ALIGN float partial[HWY_MAX_BYTES / sizeof(float)];
  const auto store = [&](int channel, size_t x, auto v) HWY_ATTR {
    v = hn::MulAdd(v, hn::Set(d, plan.multiply[channel]), hn::Set(d, plan.add[channel]));
    if (x + lanes <= count) {
      hn::StoreU(v, d, out[channel] + x);
    } else {
      hn::Store(v, d, partial);
      std::memcpy(out[channel] + x, partial, (count - x) * sizeof(float));
    }
  };
  for (size_t x = 0; x < count; x += lanes) {
    const auto first = lookups[0].Sample(sampled[0], x);
    if (plan.source == SourceKind::kLuma) {
      const auto luma =
          hn::Clamp(hn::MulAdd(first, hn::Set(d, k.luma), hn::Set(d, k.luma_offset)), zero, white);
      for (int c = 0; c < plan.channels; ++c) store(c, x, luma);
      continue;
    }
    const auto second = lookups[1].Sample(sampled[1], x);
    const auto third = lookups[2].Sample(sampled[2], x);
    auto r = first, g = second, b = third;
    if (plan.source == SourceKind::kYcbcr) {
      const auto luma = hn::Set(d, k.luma);
      r = hn::MulAdd(third, hn::Set(d, k.r_cr), hn::MulAdd(first, luma, hn::Set(d, k.r_offset)));
      g = hn::MulAdd(second, hn::Set(d, k.g_cb),
                     hn::MulAdd(third, hn::Set(d, k.g_cr), hn::MulAdd(first, luma, hn::Set(d, k.g_offset))));
      b = hn::MulAdd(second, hn::Set(d, k.b_cb), hn::MulAdd(first, luma, hn::Set(d, k.b_offset)));
      r = hn::Clamp(r, zero, white);
      g = hn::Clamp(g, zero, white);
      b = hn::Clamp(b, zero, white);
    }
    if (plan.channels == 1) {
      store(0, x,
            hn::MulAdd(r, hn::Set(d, 0.299f),
                       hn::MulAdd(g, hn::Set(d, 0.587f), hn::Mul(b, hn::Set(d, 0.114f)))));
    } else {
      store(r_at, x, r);
      store(g_at, x, g);
      store(b_at, x, b);
    }
  }
}

template <typename T>
T* Ensure(std::vector<T>* memory, size_t count) {
  if (memory->size() < count) memory->resize(count);
  return memory->data();
}

void RunPlanHere(const Plan& plan, Preprocessor::Scratch* scratch) {
  const size_t lanes = hn::Lanes(F());
  const int shown = plan.x2 - plan.x1, width = plan.input.width, channels = plan.channels;

  // Lookups: one per plane, three pointers so that interleaved channels share theirs.
  const size_t padded = (shown + lanes - 1) / lanes * lanes;
  int32_t* positions = Ensure(&scratch->positions, 2 * padded * plan.plane_count);
  float* weights = Ensure(&scratch->weights, padded * plan.plane_count);
  std::array<Lookup, 3> of_plane{}, of_channel{};
  std::array<PlaneRows, 3> rows;
  std::array<std::array<int, 2>, 3> channels_of_plane{};  // first, count
  int columns_max = 1, channel_count = 0;
  size_t sum_count = 0;
  for (int i = 0; i < plan.plane_count; ++i) {
    const PlanePlan& plane = plan.planes[i];
    of_plane[i] =
        Lookup::Make(plane.x, plan.x1, shown, padded, positions + 2 * padded * i, weights + padded * i);
    columns_max = std::max(columns_max, of_plane[i].columns);
    sum_count += PlaneRows::SumCount(plane, of_plane[i].columns);
    channels_of_plane[i] = {channel_count, plane.channels};
    for (int c = 0; c < plane.channels; ++c) of_channel[channel_count++] = of_plane[i];
  }
  uint16_t* sums = Ensure(&scratch->sums, sum_count);
  for (int i = 0; i < plan.plane_count; ++i) {
    rows[i].Reset(&plan.planes[i], of_plane[i].first, of_plane[i].columns, sums);
    sums += PlaneRows::SumCount(plan.planes[i], of_plane[i].columns);
  }

  // Rows: three sampled, one interleaved, three finished, three of padding. Lookups read 2 vectors beyond a
  // row's end.
  const size_t sampled_pitch = columns_max + 2 * lanes + 2, finished_pitch = width + lanes;
  float* memory = Ensure(&scratch->rows, 6 * sampled_pitch + 6 * finished_pitch);
  std::array<float*, 3> sampled, finished, padding;
  float* interleaved = memory + 3 * sampled_pitch;
  for (int c = 0; c < 3; ++c) {
    sampled[c] = memory + c * sampled_pitch;
    finished[c] = memory + 6 * sampled_pitch + c * finished_pitch;
    padding[c] = finished[c] + 3 * finished_pitch;
    if (shown < width || plan.y2 - plan.y1 < plan.input.height) {
      std::fill_n(padding[c], finished_pitch, c < channels ? plan.pad[c] : 0.f);
    }
  }

  const bool direct =
      plan.type == ElementType::kFloat32 && (plan.layout == TensorLayout::kNchw || channels == 1);
  for (int y = 0; y < plan.input.height; ++y) {
    if (y < plan.y1 || y >= plan.y2) {
      PackRow(plan, padding.data(), 0, y, width);
      continue;
    }
    for (int i = 0; i < plan.plane_count; ++i) {
      rows[i].Interpolate(y, interleaved, sampled.data() + channels_of_plane[i][0]);
    }
    std::array<float*, 3> out = finished;
    if (direct) {
      const size_t area = static_cast<size_t>(width) * plan.input.height;
      for (int c = 0; c < channels; ++c) {
        out[c] = static_cast<float*>(plan.slot) + c * area + static_cast<size_t>(y) * width + plan.x1;
      }
    }
    FinishRow(plan, of_channel, sampled.data(), out.data(), shown);
    if (!direct) PackRow(plan, finished.data(), plan.x1, y, shown);
    PackRow(plan, padding.data(), 0, y, plan.x1);
    PackRow(plan, padding.data(), plan.x2, y, width - plan.x2);
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
