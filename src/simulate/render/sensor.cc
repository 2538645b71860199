#include "simulate/render/sensor.h"

#include <algorithm>
#include <cstring>

#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

constexpr size_t kGrain = 1 << 15;
constexpr int kSmall = 4;          // glow is worked out at this fraction of the size
constexpr float kGlowFrom = 1.1f;  // of full scale
constexpr float kGlowShare = 0.35f;

// Light (exposed, 1 is white) to a code of 0..1: a soft shoulder, then close to the 1/2.2th power.
inline float Tone(float v) {
  const float bent = v * (1 + v * 0.16f) / (1 + v * 0.72f);  // 1 -> 0.67, 2.5 -> 1.25
  const float root = std::sqrt(bent);
  return 0.858f * root + 0.142f * std::sqrt(root);
}

}  // namespace

SensorCharacter MakeSensorCharacter(uint64_t seed) {
  Random random = Random(seed).Fork(0xca3);
  const auto draw = [&](double low, double high) { return static_cast<float>(random.Uniform(low, high)); };
  SensorCharacter c;
  c.brightness = draw(0.85, 1.3);
  const float warm = draw(-0.07, 0.07), tint = draw(-0.035, 0.035);
  c.red = 1 + warm;
  c.green = 1 + tint;
  c.blue = 1 - warm;
  c.saturation = draw(0.7, 1.15);
  c.blur = draw(-0.05, 0.2);
  c.vignette = draw(0.02, 0.3);
  c.noise = draw(0.6, 2.2);
  c.contrast = draw(0.05, 0.35);
  return c;
}

Sensor::Sensor(Size size, const SensorCharacter& character, uint64_t seed, double noise)
    : size_(size), character_(character), seed_(seed), noise_(static_cast<float>(noise)) {
  const auto width = static_cast<size_t>(size.width);
  row_.assign(3 * (width + 2), 0);
  rows_.assign(6 * width, 0);
  for (int x = 0; x < size.width; ++x) {
    const float off = (static_cast<float>(x) + 0.5f) / static_cast<float>(size.width) * 2 - 1;
    vignette_.push_back(off * off * 0.5f);
  }
  Random random = Random(seed).Fork(0x9a1);
  grain_.reserve(kGrain + width);
  for (size_t i = 0; i < kGrain; ++i) grain_.push_back(static_cast<float>(random.Normal(0, 1)));
  for (size_t i = 0; i < width; ++i) grain_.push_back(grain_[i % kGrain]);
  small_.Allocate({(size.width + kSmall - 1) / kSmall, (size.height + kSmall - 1) / kSmall});
  blurred_.Allocate({small_.width, small_.height});
}

void Sensor::Meter(double time_s, const LinearImage& picture) {
  double sum = 0;
  int64_t count = 0;
  for (int y = 2; y < size_.height; y += 6) {
    for (int x = 2; x < size_.width; x += 6) {
      const size_t at = static_cast<size_t>(y) * static_cast<size_t>(size_.width) + static_cast<size_t>(x);
      sum += std::min(3.0,
                      static_cast<double>(Luminance({picture.red[at], picture.green[at], picture.blue[at]})));
      ++count;
    }
  }
  const float mean = static_cast<float>(sum / static_cast<double>(std::max<int64_t>(1, count))) + 1e-5f;
  const float aim = character_.brightness * std::clamp(std::pow(0.31f / mean, 0.85f), 0.4f, 14.f);
  if (gain_ <= 0) {
    gain_ = aim;
  } else {
    const auto share = static_cast<float>(std::clamp((time_s - metered_s_) / 1.5, 0.0, 1.0));
    gain_ += (aim - gain_) * share;
  }
  metered_s_ = time_s;
}

// Box means over 7 rows and columns, there and back.
void Sensor::Spread(const std::vector<float>& plane, std::vector<float>* out) {
  constexpr int kReach = 2;
  const int width = small_.width, height = small_.height;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      float sum = 0;
      for (int k = -kReach; k <= kReach; ++k)
        sum += plane[static_cast<size_t>(y * width + std::clamp(x + k, 0, width - 1))];
      (*out)[static_cast<size_t>(y * width + x)] = sum * (1.f / (2 * kReach + 1));
    }
  }
}

void Sensor::Glow(LinearImage* picture) {
  const float from = kGlowFrom / gain_;
  const int width = small_.width, height = small_.height;
  bool any = false;
  const std::vector<float>* planes[3] = {&picture->red, &picture->green, &picture->blue};
  std::vector<float>* small[3] = {&small_.red, &small_.green, &small_.blue};
  std::vector<float>* other[3] = {&blurred_.red, &blurred_.green, &blurred_.blue};
  for (size_t p = 0; p < 3; ++p) {
    std::fill(small[p]->begin(), small[p]->end(), 0.f);
    for (int y = 0; y < size_.height; ++y) {
      const float* in = planes[p]->data() + static_cast<size_t>(y) * static_cast<size_t>(size_.width);
      float* out = small[p]->data() + static_cast<size_t>(y / kSmall) * static_cast<size_t>(width);
      float highest = 0;
      for (int x = 0; x < size_.width; ++x) highest = std::max(highest, in[x]);
      if (highest <= from) continue;
      any = true;
      const float most = 6 / gain_;
      for (int x = 0; x < size_.width / kSmall; ++x) {
        for (int k = 0; k < kSmall; ++k) out[x] += std::min(most, std::max(0.f, in[x * kSmall + k] - from));
      }
    }
  }
  if (!any) return;
  for (size_t p = 0; p < 3; ++p) {
    for (int pass = 0; pass < 2; ++pass) {
      Spread(*small[p], other[p]);
      // The other direction, in place of the first.
      for (int y = 0; y < height; ++y) {
        float* out = small[p]->data() + static_cast<size_t>(y) * static_cast<size_t>(width);
        std::fill(out, out + width, 0.f);
        for (int k = -2; k <= 2; ++k) {
          const float* in = other[p]->data() + static_cast<size_t>(std::clamp(y + k, 0, height - 1)) *
                                                   static_cast<size_t>(width);
          for (int x = 0; x < width; ++x) out[x] += in[x] * 0.2f;
        }
      }
    }
    std::vector<float>* plane = p == 0 ? &picture->red : p == 1 ? &picture->green : &picture->blue;
    const float share = kGlowShare / (kSmall * kSmall);
    for (int y = 0; y < size_.height; ++y) {
      const float fy =
          std::clamp((static_cast<float>(y) + 0.5f) / kSmall - 0.5f, 0.f, static_cast<float>(height - 1));
      const int y0 = static_cast<int>(fy), y1 = std::min(y0 + 1, height - 1);
      const float wy = fy - static_cast<float>(y0);
      const float* a = small[p]->data() + static_cast<size_t>(y0) * static_cast<size_t>(width);
      const float* b = small[p]->data() + static_cast<size_t>(y1) * static_cast<size_t>(width);
      float* line = other[p]->data();  // one row of the small picture
      float highest = 0;
      for (int x = 0; x < width; ++x) {
        line[x] = (a[x] * (1 - wy) + b[x] * wy) * share;
        highest = std::max(highest, line[x]);
      }
      if (highest <= 0) continue;
      float* out = plane->data() + static_cast<size_t>(y) * static_cast<size_t>(size_.width);
      for (int x = 0; x < size_.width / kSmall; ++x) {
        const float left = line[std::max(0, x - 1)], mid = line[x], right = line[std::min(width - 1, x + 1)];
        float* four = out + x * kSmall;
        four[0] += 0.375f * left + 0.625f * mid;
        four[1] += 0.125f * left + 0.875f * mid;
        four[2] += 0.125f * right + 0.875f * mid;
        four[3] += 0.375f * right + 0.625f * mid;
      }
    }
  }
}

void Sensor::Develop(const LinearImage& picture, int y, float blur, float* out) {
  const auto width = static_cast<size_t>(size_.width);
  const auto above = static_cast<size_t>(std::max(0, y - 1)) * width, here = static_cast<size_t>(y) * width,
             below = static_cast<size_t>(std::min(size_.height - 1, y + 1)) * width;
  const float center = 1 - 2 * blur;
  const float off = (static_cast<float>(y) + 0.5f) / static_cast<float>(size_.height) * 2 - 1;
  const float corner = 1 - character_.vignette * off * off * 0.5f, loss = character_.vignette;
  const std::vector<float>* planes[3] = {&picture.red, &picture.green, &picture.blue};
  const float casts[3] = {character_.red, character_.green, character_.blue};
  const float contrast = character_.contrast;
  for (size_t p = 0; p < 3; ++p) {
    const float* plane = planes[p]->data();
    const float *up = plane + above, *mid = plane + here, *down = plane + below;
    float* line = row_.data() + p * (width + 2);
    for (size_t x = 0; x < width; ++x) line[x + 1] = mid[x] * center + (up[x] + down[x]) * blur;
    line[0] = line[1];
    line[width + 1] = line[width];
    const float gain = gain_ * casts[p];
    float* code = out + p * width;
    const float* dim = vignette_.data();
    for (size_t x = 0; x < width; ++x) {
      const float v =
          (line[x + 1] * center + (line[x] + line[x + 2]) * blur) * gain * (corner - loss * dim[x]);
      const float t = std::min(1.f, Tone(std::max(0.f, v)));
      code[x] = t + contrast * t * (1 - t) * (2 * t - 1);  // an S about the middle
    }
  }
}

void Sensor::Expose(double time_s, float blur, LinearImage* picture, Frame* frame) {
  Meter(time_s, *picture);
  Glow(picture);
  frame->Allocate(PixelFormat::kYuv420, size_);
  frame->matrix = ColorMatrix::kBt709;
  frame->range = ColorRange::kLimited;
  uint64_t time_bits;
  std::memcpy(&time_bits, &time_s, sizeof time_bits);
  Random random = Random(seed_ ^ time_bits).Fork(0x40153);
  const float share = std::min(0.3f, character_.blur + blur);
  const float amplified = std::sqrt(std::max(1.f, gain_));
  const float luma_noise = noise_ * character_.noise * (0.6f + 0.4f * amplified),
              chroma_noise = luma_noise * 0.55f;
  const float saturation = character_.saturation * std::min(1.f, 1.25f - 0.06f * amplified);
  const auto width = static_cast<size_t>(size_.width), half = (width + 1) / 2;
  const auto code = [](float v) {
    return static_cast<uint8_t>(std::clamp(static_cast<int>(v + 0.5f), 16, 240));
  };
  for (int y = 0; y < size_.height; ++y) {
    float* red = rows_.data() + static_cast<size_t>(y & 1) * 3 * width;
    Develop(*picture, y, share, red);
    const float *green = red + width, *blue = green + width;
    const float* grain = grain_.data() + random.Bits() % kGrain;
    uint8_t* luma = frame->mutable_plane(0) + static_cast<ptrdiff_t>(y) * frame->planes[0].stride;
    for (size_t x = 0; x < width; ++x) {
      const float v =
          16.5f + 219 * (0.2126f * red[x] + 0.7152f * green[x] + 0.0722f * blue[x]) + luma_noise * grain[x];
      luma[x] = static_cast<uint8_t>(static_cast<int>(std::min(235.f, std::max(16.f, v))));
    }
    if ((y & 1) == 0 && y + 1 < size_.height) continue;
    const float* upper = rows_.data();
    const float* lower = y & 1 ? rows_.data() + 3 * width : upper;
    const float* grain_u = grain_.data() + random.Bits() % kGrain;
    const float* grain_v = grain_.data() + random.Bits() % kGrain;
    uint8_t* u = frame->mutable_plane(1) + static_cast<ptrdiff_t>(y / 2) * frame->planes[1].stride;
    uint8_t* v = frame->mutable_plane(2) + static_cast<ptrdiff_t>(y / 2) * frame->planes[2].stride;
    for (size_t x = 0; x < half; ++x) {
      const size_t a = 2 * x, b = std::min(2 * x + 1, width - 1);
      const auto mean = [&](size_t p) {
        return 0.25f *
               (upper[p * width + a] + upper[p * width + b] + lower[p * width + a] + lower[p * width + b]);
      };
      const float r = mean(0), g = mean(1), bl = mean(2),
                  luma_mean = 0.2126f * r + 0.7152f * g + 0.0722f * bl;
      u[x] = code(128 + saturation * 224 / 1.8556f * (bl - luma_mean) + chroma_noise * grain_u[x]);
      v[x] = code(128 + saturation * 224 / 1.5748f * (r - luma_mean) + chroma_noise * grain_v[x]);
    }
  }
}

}  // namespace sightline::simulate
