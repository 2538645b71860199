#include "stages/preprocess/reference.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "stages/preprocess/placement.h"

namespace sightline::preprocess {
namespace {

using Color = std::array<double, 3>;

// One component of a frame, averaged over blocks of 2^shift_x x 2^shift_y samples, edges repeated.
struct Component {
  const uint8_t* data;
  int stride;
  Size size;                          // samples
  int step, offset;                   // bytes between samples of a row, and before the first
  int shift_x, shift_y;               // averaging
  double per_source_x, per_source_y;  // averaged samples per source pixel

  double Averaged(int x, int y) const {
    x = std::clamp(x, 0, ((size.width + (1 << shift_x) - 1) >> shift_x) - 1);
    y = std::clamp(y, 0, ((size.height + (1 << shift_y) - 1) >> shift_y) - 1);
    double sum = 0;
    for (int j = 0; j < 1 << shift_y; ++j) {
      for (int i = 0; i < 1 << shift_x; ++i) {
        const int column = std::min((x << shift_x) + i, size.width - 1);
        const int row = std::min((y << shift_y) + j, size.height - 1);
        sum += data[static_cast<ptrdiff_t>(row) * stride + column * step + offset];
      }
    }
    return sum / (1 << (shift_x + shift_y));
  }

  double At(double source_x, double source_y) const {
    const double x = source_x * per_source_x - 0.5, y = source_y * per_source_y - 0.5;
    const int left = static_cast<int>(std::floor(x)), top = static_cast<int>(std::floor(y));
    const double right_weight = x - left, bottom_weight = y - top;
    return (Averaged(left, top) * (1 - right_weight) + Averaged(left + 1, top) * right_weight) *
               (1 - bottom_weight) +
           (Averaged(left, top + 1) * (1 - right_weight) + Averaged(left + 1, top + 1) * right_weight) *
               bottom_weight;
  }
};

Component ComponentOf(const Frame& frame, int index, const StoredScale& stored, int shift) {
  const bool rgb = frame.format == PixelFormat::kRgb24;
  const bool nv12_chroma = frame.format == PixelFormat::kNv12 && index > 0;
  const int plane = rgb ? 0 : nv12_chroma ? 1 : index;
  const int sub_x = ChromaShiftX(frame.format, plane), sub_y = ChromaShiftY(frame.format, plane);
  Component component;
  component.data = frame.planes[plane].data;
  component.stride = frame.planes[plane].stride;
  component.size = {(frame.size.width + (1 << sub_x) - 1) >> sub_x,
                    (frame.size.height + (1 << sub_y) - 1) >> sub_y};
  component.step = rgb ? 3 : nv12_chroma ? 2 : 1;
  component.offset = rgb ? index : nv12_chroma ? index - 1 : 0;
  component.shift_x = std::max(0, shift - sub_x);
  component.shift_y = std::max(0, shift - sub_y);
  component.per_source_x = stored.x / (1 << (sub_x + component.shift_x));
  component.per_source_y = stored.y / (1 << (sub_y + component.shift_y));
  return component;
}

double Clamp255(double value) { return std::clamp(value, 0.0, 255.0); }

double FullRangeLuma(double y, ColorRange range) {
  return Clamp255(range == ColorRange::kFull ? y : (y - 16) * 255 / 219);
}

// ITU-T H.273: R' = Y + 2 (1 - Kr) Cr, B' = Y + 2 (1 - Kb) Cb, and Y = Kr R' + Kg G' + Kb B'.
Color RgbOf(double y, double cb, double cr, ColorMatrix matrix, ColorRange range) {
  double kr = 0.299, kb = 0.114;
  if (matrix == ColorMatrix::kBt709) kr = 0.2126, kb = 0.0722;
  if (matrix == ColorMatrix::kBt2020) kr = 0.2627, kb = 0.0593;
  if (range == ColorRange::kLimited) {
    y = (y - 16) * 255 / 219;
    cb = (cb - 128) * 255 / 224;
    cr = (cr - 128) * 255 / 224;
  } else {
    cb -= 128;
    cr -= 128;
  }
  const double r = y + 2 * (1 - kr) * cr, b = y + 2 * (1 - kb) * cb;
  const double g = (y - kr * r - kb * b) / (1 - kr - kb);
  return {Clamp255(r), Clamp255(g), Clamp255(b)};
}

}  // namespace

std::vector<double> ReferenceRun(const InputCard& card, const Frame& frame, const InputTransform& transform,
                                 const Box& region) {
  const Size input = transform.input;
  const Placement place = Place(card, region, transform.source, input);
  const StoredScale stored = ScaleOf(frame);
  const InputTransform scales = ToTransform(place, transform.source, input);
  const int shift = std::min(
      ShiftFor(static_cast<float>(scales.scale_x / stored.x), static_cast<float>(scales.scale_y / stored.y)),
      kShiftMax - stored.shift);
  const bool luma_only = NeedsLumaOnly(frame, card.color);
  const int count = luma_only ? 1 : 3;
  std::array<Component, 3> components{};
  for (int i = 0; i < count; ++i) components[i] = ComponentOf(frame, i, stored, shift);

  const int channels = card.color == ColorOrder::kGray ? 1 : 3;
  std::vector<double> tensor(static_cast<size_t>(input.width) * input.height * channels);
  for (int y = 0; y < input.height; ++y) {
    for (int x = 0; x < input.width; ++x) {
      Color sample = {card.pad[0], card.pad[1], card.pad[2]};
      if (x >= place.x && x < place.x + place.width && y >= place.y && y < place.y + place.height) {
        const double source_x = place.region_x + (x + 0.5 - place.x) * place.region_width / place.width;
        const double source_y = place.region_y + (y + 0.5 - place.y) * place.region_height / place.height;
        Color c{};
        for (int i = 0; i < count; ++i) c[i] = components[i].At(source_x, source_y);
        if (luma_only) {
          c.fill(FullRangeLuma(c[0], frame.range));
        } else if (frame.format != PixelFormat::kRgb24) {
          c = RgbOf(c[0], c[1], c[2], frame.matrix, frame.range);
        }
        if (card.color == ColorOrder::kGray && !luma_only) c[0] = 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2];
        if (card.color == ColorOrder::kBgr) std::swap(c[0], c[2]);
        sample = c;
      }
      for (int i = 0; i < channels; ++i) {
        const size_t at = card.layout == TensorLayout::kNchw
                              ? (static_cast<size_t>(i) * input.height + y) * input.width + x
                              : (static_cast<size_t>(y) * input.width + x) * channels + i;
        tensor[at] = (sample[i] * card.scale - card.mean[i]) / card.std[i];
      }
    }
  }
  return tensor;
}

}  // namespace sightline::preprocess
