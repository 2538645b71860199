// What the kernels are told: everything of one Run that does not change from row to row.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "data/geometry.h"
#include "data/model_card.h"
#include "data/tensor.h"
#include "stages/preprocess/preprocessor.h"

namespace sightline::preprocess {

// Input pixel i samples at start + i * step, in averaged samples of a plane, clamped to 0..count-1.
struct Axis {
  double start = 0, step = 1;
  int count = 1;
  bool operator==(const Axis&) const = default;
};

// One stored plane. Never read before `data` or beyond the last sample of a row.
struct PlanePlan {
  const uint8_t* data = nullptr;
  int stride = 0;
  Size size;                     // samples
  int channels = 1;              // interleaved bytes per sample
  int shift_x = 0, shift_y = 0;  // averaged over 2^shift
  Axis x, y;
};

enum class SourceKind { kLuma, kRgb, kYcbcr };

// R = luma * Y + r_cr * Cr + r_offset and so on, before clamping to 0..255. kLuma uses `luma` and
// `luma_offset` only.
struct ColorPlan {
  float luma = 1, luma_offset = 0;
  float r_cr = 0, g_cb = 0, g_cr = 0, b_cb = 0;
  float r_offset = 0, g_offset = 0, b_offset = 0;
};

struct Plan {
  int plane_count = 0;
  std::array<PlanePlan, 3> planes;
  SourceKind source = SourceKind::kRgb;
  ColorPlan color;
  int channels = 3;                        // of the tensor
  std::array<int, 3> channel_of{0, 1, 2};  // where R, G, B (or luma) go
  std::array<float, 3> multiply{1, 1, 1};  // per tensor channel: value = sample * multiply + add
  std::array<float, 3> add{0, 0, 0};
  std::array<float, 3> pad{0, 0, 0};  // per tensor channel, normalised
  Size input;
  int x1 = 0, y1 = 0, x2 = 0, y2 = 0;  // input pixels that show the region; the others are pad
  TensorLayout layout = TensorLayout::kNchw;
  ElementType type = ElementType::kFloat32;
  void* slot = nullptr;
};

// Fills plan.slot with the best instruction set that this machine has.
void RunPlan(const Plan& plan, Preprocessor::Scratch* scratch);

// The instruction sets (Highway's bits, best first) that RunPlan was compiled for and that this machine has.
std::vector<int64_t> KernelTargets();

}  // namespace sightline::preprocess
