#include "stages/preprocess/preprocessor.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "stages/preprocess/placement.h"
#include "stages/preprocess/plan.h"

namespace sightline::preprocess {
namespace {

constexpr int kSideMax = 16'384;     // of an input
constexpr int kDecoderShiftMax = 3;  // DecodeRequest: size / 2^k, k = 0..3

ColorPlan ColorOf(ColorMatrix matrix, ColorRange range) {
  double kr = 0.299, kb = 0.114;
  switch (matrix) {
    case ColorMatrix::kBt601:
      break;
    case ColorMatrix::kBt709:
      kr = 0.2126, kb = 0.0722;
      break;
    case ColorMatrix::kBt2020:
      kr = 0.2627, kb = 0.0593;
      break;
  }
  const double kg = 1 - kr - kb;
  const bool full = range == ColorRange::kFull;
  const double luma = full ? 1 : 255.0 / 219, chroma = full ? 1 : 255.0 / 224;
  const double luma_offset = full ? 0 : -16 * luma;
  const double r_cr = 2 * (1 - kr) * chroma, b_cb = 2 * (1 - kb) * chroma;
  const double g_cr = -kr / kg * r_cr, g_cb = -kb / kg * b_cb;
  ColorPlan color;
  color.luma = static_cast<float>(luma);
  color.luma_offset = static_cast<float>(luma_offset);
  color.r_cr = static_cast<float>(r_cr);
  color.g_cb = static_cast<float>(g_cb);
  color.g_cr = static_cast<float>(g_cr);
  color.b_cb = static_cast<float>(b_cb);
  color.r_offset = static_cast<float>(luma_offset - 128 * r_cr);
  color.g_offset = static_cast<float>(luma_offset - 128 * (g_cb + g_cr));
  color.b_offset = static_cast<float>(luma_offset - 128 * b_cb);
  return color;
}

Axis AxisOf(double region, double region_length, int place, int place_length, double samples_per_source,
            int count) {
  const double step = region_length / place_length;  // source pixels per input pixel
  return {(region + (0.5 - place) * step) * samples_per_source - 0.5, step * samples_per_source, count};
}

void PlanPlanes(const Frame& frame, const Placement& place, Size input, Size source, Plan* plan) {
  const StoredScale stored = ScaleOf(frame);
  const InputTransform scales = ToTransform(place, source, input);
  const int shift = std::min(
      ShiftFor(static_cast<float>(scales.scale_x / stored.x), static_cast<float>(scales.scale_y / stored.y)),
      kShiftMax - stored.shift);
  for (int i = 0; i < plan->plane_count; ++i) {
    PlanePlan& plane = plan->planes[i];
    const int sub_x = ChromaShiftX(frame.format, i), sub_y = ChromaShiftY(frame.format, i);
    plane.data = frame.planes[i].data;
    plane.stride = frame.planes[i].stride;
    plane.size = {(frame.size.width + sub_x) >> sub_x, (frame.size.height + sub_y) >> sub_y};
    plane.channels = frame.format == PixelFormat::kRgb24            ? 3
                     : frame.format == PixelFormat::kNv12 && i == 1 ? 2
                                                                    : 1;
    plane.shift_x = std::max(0, shift - sub_x);
    plane.shift_y = std::max(0, shift - sub_y);
    const int averaged_width = (plane.size.width + (1 << plane.shift_x) - 1) >> plane.shift_x;
    const int averaged_height = (plane.size.height + (1 << plane.shift_y) - 1) >> plane.shift_y;
    plane.x = AxisOf(place.region_x, place.region_width, place.x, place.width,
                     stored.x / (1 << (sub_x + plane.shift_x)), averaged_width);
    plane.y = AxisOf(place.region_y, place.region_height, place.y, place.height,
                     stored.y / (1 << (sub_y + plane.shift_y)), averaged_height);
  }
}

int RoundUp(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace

absl::StatusOr<Preprocessor> Preprocessor::Create(const InputCard& card, Padding padding) {
  if (card.type != ElementType::kFloat32 && card.type != ElementType::kFloat16 &&
      card.type != ElementType::kUint8) {
    return absl::InvalidArgumentError(
        fmt::format("input type {} is not supported: use float32, float16 or uint8", Name(card.type)));
  }
  if (card.width < 0 || card.height < 0 || card.width > kSideMax || card.height > kSideMax) {
    return absl::InvalidArgumentError(
        fmt::format("input size {}x{} is not within 0..{} (0: open)", card.width, card.height, kSideMax));
  }
  if (card.size_multiple < 1 || card.size_max < card.size_multiple || card.size_max > kSideMax) {
    return absl::InvalidArgumentError(
        fmt::format("size_multiple {} and size_max {} do not satisfy 1 <= size_multiple <= size_max <= {}",
                    card.size_multiple, card.size_max, kSideMax));
  }
  if (!std::isfinite(card.scale)) return absl::InvalidArgumentError("scale is not a finite number");
  for (int i = 0; i < 3; ++i) {
    if (!std::isfinite(card.mean[i]) || !std::isfinite(card.pad[i])) {
      return absl::InvalidArgumentError("mean and pad must be finite numbers");
    }
    if (!std::isnormal(card.std[i])) return absl::InvalidArgumentError("std must be finite and not 0");
  }
  return Preprocessor(card,
                      padding == Padding::kCut && card.cut_padding && card.resize == ResizeMode::kLetterbox);
}

Size Preprocessor::InputSize(Size region) const {
  if (card_.width > 0 && card_.height > 0) {
    const Size whole{card_.width, card_.height};
    if (!cut_padding_) return whole;
    // One step of padding stays: what lies right beside the picture changes what a network sees at its edge.
    const Placement place = Place(card_, WholeBox(region), region, whole);
    const int step = card_.size_multiple;
    return {std::min(whole.width, RoundUp(place.width + step, step)),
            std::min(whole.height, RoundUp(place.height + step, step))};
  }
  const double width = std::max(region.width, 1), height = std::max(region.height, 1);
  const double scale = std::min(1.0, card_.size_max / std::max(width, height));
  const int limit = card_.size_max / card_.size_multiple * card_.size_multiple;
  const auto open = [&](double side) {
    return std::min(RoundUp(std::max(1, static_cast<int>(std::lround(side * scale))), card_.size_multiple),
                    limit);
  };
  return {card_.width > 0 ? card_.width : open(width), card_.height > 0 ? card_.height : open(height)};
}

InputTransform Preprocessor::Transform(const Box& region, Size source) const {
  // The safe region does not depend on the input's size.
  const Placement place = Place(card_, region, source, {1, 1});
  const Size input = InputSize({static_cast<int>(std::lround(place.region_width)),
                                static_cast<int>(std::lround(place.region_height))});
  return ToTransform(Place(card_, region, source, input), source, input);
}

InputTransform Preprocessor::TransformPart(Size source, Box* part) const {
  CHECK(CanTakeParts());
  const InputTransform whole = Transform(WholeBox(source), source);
  const int step = card_.size_multiple;
  const auto snap = [&](float* low, float* high, double scale, double offset, int whole_side) {
    const int last = std::max(1, whole_side / step);
    const int begin =
        std::clamp(static_cast<int>(std::floor((*low * scale + offset) / step + 1e-4)), 0, last - 1);
    const int end =
        std::clamp(static_cast<int>(std::ceil((*high * scale + offset) / step - 1e-4)), begin + 1, last);
    const int from = begin * step, to = end == last ? whole_side : end * step;
    *low = static_cast<float>((from - offset) / scale);
    *high = static_cast<float>((to - offset) / scale);
    return to - from;
  };
  const int width = snap(&part->x1, &part->x2, whole.scale_x, whole.offset_x, whole.input.width);
  const int height = snap(&part->y1, &part->y2, whole.scale_y, whole.offset_y, whole.input.height);
  const Size input{width, height};
  return ToTransform(Place(card_, *part, source, input), source, input);
}

Size Preprocessor::Need(const InputTransform& transform) const {
  const int shift = std::min(ShiftFor(transform.scale_x, transform.scale_y), kDecoderShiftMax);
  const int round_up = (1 << shift) - 1;
  return {(transform.source.width + round_up) >> shift, (transform.source.height + round_up) >> shift};
}

Shape Preprocessor::TensorShape(Size input) const {
  const int channels = card_.color == ColorOrder::kGray ? 1 : 3;
  if (card_.layout == TensorLayout::kNhwc) return {1, input.height, input.width, channels};
  return {1, channels, input.height, input.width};
}

void Preprocessor::Run(const Frame& frame, const InputTransform& transform, const Box& region, void* slot,
                       Scratch* scratch) const {
  CHECK(!frame.size.empty() && !transform.input.empty() && slot != nullptr);
  Plan plan;
  const bool luma_only = NeedsLumaOnly(frame, card_.color);
  plan.source = luma_only                             ? SourceKind::kLuma
                : frame.format == PixelFormat::kRgb24 ? SourceKind::kRgb
                                                      : SourceKind::kYcbcr;
  plan.plane_count = luma_only ? 1 : PlaneCount(frame.format);
  plan.color = ColorOf(frame.matrix, frame.range);
  plan.channels = card_.color == ColorOrder::kGray ? 1 : 3;
  if (card_.color == ColorOrder::kBgr) plan.channel_of = {2, 1, 0};
  for (int c = 0; c < plan.channels; ++c) {
    plan.multiply[c] = static_cast<float>(static_cast<double>(card_.scale) / card_.std[c]);
    plan.add[c] = static_cast<float>(-static_cast<double>(card_.mean[c]) / card_.std[c]);
    plan.pad[c] =
        static_cast<float>((static_cast<double>(card_.pad[c]) * card_.scale - card_.mean[c]) / card_.std[c]);
  }
  plan.input = transform.input;
  const Placement place = Place(card_, region, transform.source, transform.input);
  plan.x1 = std::max(place.x, 0);
  plan.y1 = std::max(place.y, 0);
  plan.x2 = std::min(place.x + place.width, plan.input.width);
  plan.y2 = std::min(place.y + place.height, plan.input.height);
  PlanPlanes(frame, place, transform.input, transform.source, &plan);
  plan.layout = card_.layout;
  plan.type = card_.type;
  plan.slot = slot;
  RunPlan(plan, scratch);
}

}  // namespace sightline::preprocess
