#include "stages/decode/pixel_row.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace sightline::decode {
namespace {

uint8_t Product(uint32_t a, uint32_t b) { return static_cast<uint8_t>((a * b + 127) / 255); }

struct FromUint8 {
  uint8_t operator()(uint8_t sample) const { return sample; }
};
struct FromUint16 {  // round(sample / 257), exactly
  uint8_t operator()(uint16_t sample) const { return static_cast<uint8_t>((sample * 255u + 32895u) >> 16); }
};
struct FromRange {
  SampleRange range;
  template <typename T>
  uint8_t operator()(T sample) const {
    const double value = (static_cast<double>(sample) - range.low) * range.scale + 0.5;
    if (!(value > 0)) return 0;  // also not-a-number
    return value >= 255 ? 255 : static_cast<uint8_t>(value);
  }
};

template <typename T, typename ToByte>
void Convert(const T* from, int width, const RowLayout& layout, ToByte to_byte, uint8_t* to) {
  const int bands = layout.bands, alpha = layout.alpha;
  for (int x = 0; x < width; ++x, from += bands) {
    const uint32_t opacity = alpha < 0 ? 255 : to_byte(from[alpha]);
    if (layout.color == RowColor::kGray) {
      *to++ = Product(to_byte(from[0]), opacity);
    } else if (layout.color == RowColor::kRgb) {
      for (int c = 0; c < 3; ++c) *to++ = Product(to_byte(from[c]), opacity);
    } else {
      const uint32_t light = 255u - to_byte(from[3]);
      for (int c = 0; c < 3; ++c) *to++ = Product(Product(255u - to_byte(from[c]), light), opacity);
    }
  }
}

template <typename T>
void Widen(const T* samples, int64_t count, double* low, double* high) {
  for (int64_t i = 0; i < count; ++i) {
    const double value = static_cast<double>(samples[i]);
    if (!std::isfinite(value)) continue;
    *low = std::min(*low, value);
    *high = std::max(*high, value);
  }
}

template <typename Visitor>
void Visit(const void* samples, SampleType type, Visitor visit) {
  switch (type) {
    case SampleType::kUint8:
      return visit(static_cast<const uint8_t*>(samples));
    case SampleType::kInt8:
      return visit(static_cast<const int8_t*>(samples));
    case SampleType::kUint16:
      return visit(static_cast<const uint16_t*>(samples));
    case SampleType::kInt16:
      return visit(static_cast<const int16_t*>(samples));
    case SampleType::kUint32:
      return visit(static_cast<const uint32_t*>(samples));
    case SampleType::kInt32:
      return visit(static_cast<const int32_t*>(samples));
    case SampleType::kFloat:
      return visit(static_cast<const float*>(samples));
    case SampleType::kDouble:
      return visit(static_cast<const double*>(samples));
  }
}

}  // namespace

void ConvertRow(const void* samples, int width, const RowLayout& layout, uint8_t* to) {
  const bool plain = layout.color != RowColor::kCmyk && layout.alpha < 0 &&
                     layout.bands == (layout.color == RowColor::kGray ? 1 : 3);
  if (layout.type == SampleType::kUint8 && !layout.has_range) {
    if (plain) {
      std::memcpy(to, samples, static_cast<size_t>(width) * layout.bands);
    } else {
      Convert(static_cast<const uint8_t*>(samples), width, layout, FromUint8{}, to);
    }
  } else if (layout.type == SampleType::kUint16 && !layout.has_range) {
    Convert(static_cast<const uint16_t*>(samples), width, layout, FromUint16{}, to);
  } else {
    Visit(samples, layout.type,
          [&](const auto* from) { Convert(from, width, layout, FromRange{layout.range}, to); });
  }
}

void WidenRange(const void* samples, int64_t count, SampleType type, double* low, double* high) {
  Visit(samples, type, [&](const auto* from) { Widen(from, count, low, high); });
}

SampleRange DisplayRange(double low, double high) {
  if (!(low <= high)) return {};
  for (const double top : {1.0, 255.0, 65535.0}) {
    if (low >= 0 && high <= top) return {0, 255 / top};
  }
  return {low, high > low ? 255 / (high - low) : 0};
}

}  // namespace sightline::decode
