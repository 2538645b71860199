#include "simulate/faults/planes.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "simulate/scene/exact.h"

namespace sightline::simulate {

MutablePlane PlaneBuffer::Sized(int width, int height) {
  const size_t bytes = static_cast<size_t>(width) * static_cast<size_t>(height) + 64;
  if (samples.size() < bytes) samples.resize(bytes);
  return {samples.data(), width, width, height};
}

void Copy(const ConstPlane& in, const MutablePlane& out) {
  for (int y = 0; y < in.height; ++y) std::memcpy(out.row(y), in.row(y), static_cast<size_t>(in.width));
}

int Mean(const ConstPlane& in) {
  int64_t sum = 0, count = 0;
  const int step_x = std::max(1, in.width / 64), step_y = std::max(1, in.height / 64);
  for (int y = step_y / 2; y < in.height; y += step_y) {
    for (int x = step_x / 2; x < in.width; x += step_x, ++count) sum += in.row(y)[x];
  }
  return static_cast<int>(sum / std::max<int64_t>(1, count));
}

void Resizer::Shrink(const ConstPlane& in, const MutablePlane& out) {
  sums_.resize(static_cast<size_t>(in.width) + 1);
  for (int oy = 0; oy < out.height; ++oy) {
    const int y0 = static_cast<int>(static_cast<int64_t>(oy) * in.height / out.height);
    const int y1 = static_cast<int>(static_cast<int64_t>(oy + 1) * in.height / out.height);
    uint32_t* sums = sums_.data();
    std::fill(sums_.begin(), sums_.end(), 0);
    for (int y = y0; y < y1; ++y) {
      const uint8_t* row = in.row(y);
      for (int x = 0; x < in.width; ++x) sums[x] += row[x];
    }
    uint8_t* to = out.row(oy);
    int x = 0;
    for (int ox = 0; ox < out.width; ++ox) {
      const int end = static_cast<int>(static_cast<int64_t>(ox + 1) * in.width / out.width);
      const uint32_t area = static_cast<uint32_t>((end - x) * (y1 - y0));
      uint32_t sum = area / 2;
      for (; x < end; ++x) sum += sums[x];
      to[ox] = static_cast<uint8_t>(sum / area);
    }
  }
}

void Resizer::Enlarge(const ConstPlane& in, const MutablePlane& out) {
  const size_t width = static_cast<size_t>(out.width);
  from_.resize(width);
  weights_.resize(width);
  const auto place = [](int i, int to, int from, int* low) {  // weight of the upper neighbour, 0..256
    const double at = std::clamp((i + 0.5) * from / to - 0.5, 0.0, from - 1.0);
    *low = std::min(static_cast<int>(at), std::max(0, from - 2));
    return static_cast<int>(std::lround((at - *low) * 256));
  };
  for (int x = 0; x < out.width; ++x) {
    weights_[static_cast<size_t>(x)] =
        static_cast<uint16_t>(place(x, out.width, in.width, &from_[static_cast<size_t>(x)]));
  }
  int held[2] = {-1, -1};
  const int step = in.width > 1 ? 1 : 0;
  const auto widened = [&](int y) -> const uint16_t* {
    auto& row = rows_[y & 1];
    if (held[y & 1] == y) return row.data();
    held[y & 1] = y;
    row.resize(width);
    const uint8_t* from = in.row(y);
    for (size_t x = 0; x < width; ++x) {
      const int a = from[from_[x]], b = from[from_[x] + step];
      row[x] = static_cast<uint16_t>((a << 7) + (((b - a) * weights_[x]) >> 1));
    }
    return row.data();
  };
  for (int y = 0; y < out.height; ++y) {
    int low = 0;
    const int weight = place(y, out.height, in.height, &low);
    const uint16_t* a = widened(low);
    const uint16_t* b = widened(std::min(low + 1, in.height - 1));
    uint8_t* to = out.row(y);
    for (size_t x = 0; x < width; ++x) {
      to[x] = static_cast<uint8_t>((a[x] * (256 - weight) + b[x] * weight + (1 << 14)) >> 15);
    }
  }
}

void SoftBlur::Apply(const ConstPlane& in, double radius, const MutablePlane& out) {
  int factor = 1;
  while (radius / factor > 3 && factor < 64) factor *= 2;
  const int width = std::max(1, in.width / factor), height = std::max(1, in.height / factor);
  const MutablePlane small = small_.Sized(width, height), other = other_.Sized(width, height);
  resizer_.Shrink(in, small);
  const int r = std::max(1, static_cast<int>(std::lround(radius / factor * 0.8)));
  const uint32_t scale = 65536u / static_cast<uint32_t>(2 * r + 1);
  for (int pass = 0; pass < 2; ++pass) {
    for (int y = 0; y < height; ++y) {
      const uint8_t* from = small.row(y);
      uint8_t* to = other.row(y);
      uint32_t sum = 0;
      for (int x = -r; x <= r; ++x) sum += from[std::clamp(x, 0, width - 1)];
      for (int x = 0; x < width; ++x) {
        to[x] = static_cast<uint8_t>((sum * scale + 32768) >> 16);
        sum += from[std::min(x + r + 1, width - 1)] - static_cast<uint32_t>(from[std::max(x - r, 0)]);
      }
    }
    sums_.assign(static_cast<size_t>(width), 0);
    for (int y = -r; y <= r; ++y) {
      const uint8_t* from = other.row(std::clamp(y, 0, height - 1));
      for (int x = 0; x < width; ++x) sums_[static_cast<size_t>(x)] += from[x];
    }
    for (int y = 0; y < height; ++y) {
      const uint8_t* enter = other.row(std::min(y + r + 1, height - 1));
      const uint8_t* leave = other.row(std::max(y - r, 0));
      uint8_t* to = small.row(y);
      uint32_t* sums = sums_.data();
      for (int x = 0; x < width; ++x) {
        to[x] = static_cast<uint8_t>((sums[x] * scale + 32768) >> 16);
        sums[x] += enter[x] - static_cast<uint32_t>(leave[x]);
      }
    }
  }
  resizer_.Enlarge(small, out);
}

void DiscBlur::Apply(const ConstPlane& in, double radius, bool is_luma, const MutablePlane& out) {
  int factor = 1;
  while (radius / factor > 4 && std::min(in.width, in.height) / (2 * factor) >= 8) factor *= 2;
  if (radius < 0.5) return Copy(in, out);
  ConstPlane from = in;
  MutablePlane to = out;
  if (factor > 1) {
    const MutablePlane small = small_.Sized(in.width / factor, in.height / factor);
    resizer_.Shrink(in, small);
    from = small;
    to = other_.Sized(small.width, small.height);
  }
  const double r = std::min(radius / factor, 40.0);
  const int reach = static_cast<int>(std::ceil(r)) + 1;
  const int width = from.width, height = from.height;
  const size_t pitch = static_cast<size_t>(width + 2 * reach + 1);
  prefix_.resize(pitch * static_cast<size_t>(height));
  sums_.resize(static_cast<size_t>(width));
  for (int y = 0; y < height; ++y) {
    const uint8_t* row = from.row(y);
    uint32_t* prefix = prefix_.data() + pitch * static_cast<size_t>(y);
    uint32_t sum = 0;
    for (int x = -reach; x <= width + reach; ++x) {
      *prefix++ = sum;
      const uint32_t value = row[std::clamp(x, 0, width - 1)];
      sum += is_luma ? value * value : value;
    }
  }
  for (int y = 0; y < height; ++y) {
    float* sums = sums_.data();
    std::fill(sums_.begin(), sums_.end(), 0.f);
    float total = 0;
    for (int dy = -reach; dy <= reach; ++dy) {
      double weight = std::clamp(r - std::abs(dy) + 0.5, 0.0, 1.0);
      const double chord = std::sqrt(std::max(0.0, r * r - dy * dy));
      if (weight <= 0) continue;
      const double half = std::max(0.0, chord - 0.5);
      if (chord < 0.5) weight *= std::max(0.3, 2 * chord);
      const int n = static_cast<int>(half);
      const float whole = static_cast<float>(weight), edge = static_cast<float>(weight * (half - n));
      total += whole * static_cast<float>(2 * n + 1) + 2 * edge;
      const uint32_t* p =
          prefix_.data() + pitch * static_cast<size_t>(std::clamp(y + dy, 0, height - 1)) + reach;
      const uint32_t *low = p - n, *high = p + n + 1;
      // (span + both neighbours) * edge + span * (whole - edge), so that two sums are enough.
      const float inner = whole - edge;
      for (int x = 0; x < width; ++x) {
        const auto span = static_cast<int32_t>(high[x] - low[x]);
        const auto wide = static_cast<int32_t>(high[x + 1] - low[x - 1]);
        sums[x] += inner * static_cast<float>(span) + edge * static_cast<float>(wide);
      }
    }
    const float scale = 1 / total;
    uint8_t* row = to.row(y);
    if (is_luma) {
      for (int x = 0; x < width; ++x) {
        row[x] = static_cast<uint8_t>(
            static_cast<int>(std::min(255.f, std::sqrt(std::max(0.f, sums[x] * scale)) + 0.5f)));
      }
    } else {
      for (int x = 0; x < width; ++x) row[x] = static_cast<uint8_t>(static_cast<int>(sums[x] * scale + 0.5f));
    }
  }
  if (factor > 1) resizer_.Enlarge(to, out);
}

uint64_t Hash(uint64_t a, uint64_t b) {  // the finaliser of SplitMix64
  uint64_t x = a * 0x9e3779b97f4a7c15u + b + 0x632be59bd9b4e019u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

double Cloud(double x, double y, uint64_t seed, int octaves) {
  double sum = 0, weight = 0.5, total = 0;
  for (int i = 0; i < octaves; ++i, weight *= 0.5, x *= 2.03, y *= 2.03) {
    const double fx = std::floor(x), fy = std::floor(y);
    const auto corner = [&](double dx, double dy) {
      const auto cell = static_cast<uint64_t>(static_cast<int64_t>(fx + dx)) * 7919u +
                        static_cast<uint64_t>(static_cast<int64_t>(fy + dy)) * 104729u;
      return static_cast<double>(Hash(seed + static_cast<uint64_t>(i), cell) >> 11) / 9007199254740992.0;
    };
    const double tx = SmoothStep(0, 1, x - fx), ty = SmoothStep(0, 1, y - fy);
    const double upper = corner(0, 0) * (1 - tx) + corner(1, 0) * tx;
    const double lower = corner(0, 1) * (1 - tx) + corner(1, 1) * tx;
    sum += weight * (upper * (1 - ty) + lower * ty);
    total += weight;
  }
  return sum / total;
}

void ShapeMask::Prepare(const Picture& picture, const std::function<double(double, double)>& shape) {
  if (picture.size == size_ && picture.count == count_ && picture.shift_x == shift_x_ &&
      picture.shift_y == shift_y_) {
    return;
  }
  size_ = picture.size;
  count_ = picture.count;
  shift_x_ = picture.shift_x;
  shift_y_ = picture.shift_y;
  chroma_width_ = count_ > 1 ? picture.planes[1].width : 0;
  key_ = -1;
  const int step = std::max(1, std::max(size_.width, size_.height) / 320);
  const int columns = size_.width / step + 2, rows = size_.height / step + 2;
  std::vector<float> grid(static_cast<size_t>(columns) * static_cast<size_t>(rows));
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < columns; ++x) {
      const double value = shape((x * step + 0.5) / size_.width, (y * step + 0.5) / size_.height);
      grid[static_cast<size_t>(y * columns + x)] = static_cast<float>(std::clamp(value, 0.0, 1.0) * 1023);
    }
  }
  const size_t pixels = static_cast<size_t>(size_.width) * static_cast<size_t>(size_.height);
  shape_.resize(pixels);
  luma_.resize(pixels);
  if (count_ > 1)
    chroma_.resize(static_cast<size_t>(chroma_width_) * static_cast<size_t>(picture.planes[1].height));
  for (int y = 0; y < size_.height; ++y) {
    const float ty = static_cast<float>(y % step) / static_cast<float>(step);
    const float* upper = grid.data() + static_cast<ptrdiff_t>(y / step) * columns;
    const float* lower = upper + columns;
    uint16_t* row = shape_.data() + static_cast<size_t>(y) * static_cast<size_t>(size_.width);
    for (int x = 0; x < size_.width; ++x) {
      const float tx = static_cast<float>(x % step) / static_cast<float>(step);
      const int i = x / step;
      const float a = upper[i] + (upper[i + 1] - upper[i]) * tx,
                  b = lower[i] + (lower[i + 1] - lower[i]) * tx;
      row[x] = static_cast<uint16_t>(a + (b - a) * ty + 0.5f);
    }
  }
}

void ShapeMask::Weigh(double key, const std::function<double(double)>& weight) {
  if (key == key_) return;
  key_ = key;
  std::array<uint8_t, 1024> table;
  for (int i = 0; i < 1024; ++i) {
    table[static_cast<size_t>(i)] =
        static_cast<uint8_t>(std::lround(std::clamp(weight(i / 1023.0), 0.0, 1.0) * 255));
  }
  for (size_t i = 0; i < luma_.size(); ++i) luma_[i] = table[shape_[i]];
  if (count_ == 1) return;
  const int height = static_cast<int>(chroma_.size() / static_cast<size_t>(chroma_width_));
  for (int y = 0; y < height; ++y) {
    const uint8_t* from = row(0, std::min(y << shift_y_, size_.height - 1));
    uint8_t* to = chroma_.data() + static_cast<size_t>(y) * static_cast<size_t>(chroma_width_);
    for (int x = 0; x < chroma_width_; ++x) to[x] = from[std::min(x << shift_x_, size_.width - 1)];
  }
}

NoiseTable::NoiseTable(uint64_t seed) : table_(2 * kLength) {
  Random random(seed, 5);
  for (int i = 0; i < kLength; ++i) {
    const double value = std::clamp(random.Normal(0, 32), -127.0, 127.0);
    table_[static_cast<size_t>(i)] = table_[static_cast<size_t>(i + kLength)] =
        static_cast<int8_t>(Round(value));
  }
}

void AddNoise(const ConstPlane& in, const NoiseTable& noise, uint64_t hash,
              const std::array<int16_t, 256>& gain, const MutablePlane& out) {
  for (int y = 0; y < in.height; ++y) {
    const int8_t* random = noise.Row(Hash(hash, static_cast<uint64_t>(y)));
    const uint8_t* from = in.row(y);
    uint8_t* to = out.row(y);
    for (int x = 0; x < in.width; ++x) {
      to[x] = ToByte(from[x] + ((random[x & 0xffff] * gain[from[x]] + 128) >> 8));
    }
  }
}

}  // namespace sightline::simulate
