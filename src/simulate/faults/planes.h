// What several faults do to planes: smaller, larger, blurred, masked, noisy. Inside this folder only.
// Threads: one at a time; the classes keep scratch memory, so that planes of one size need no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "simulate/faults/picture.h"

namespace sightline::simulate {

struct PlaneBuffer {
  std::vector<uint8_t> samples;
  MutablePlane Sized(int width, int height);  // contents unspecified
};

void Copy(const ConstPlane& in, const MutablePlane& out);
int Mean(const ConstPlane& in);  // of a grid of samples
inline uint8_t ToByte(int value) { return static_cast<uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value); }

class Resizer {
 public:
  void Shrink(const ConstPlane& in, const MutablePlane& out);   // means of areas; out is no larger
  void Enlarge(const ConstPlane& in, const MutablePlane& out);  // bilinear
 private:
  std::vector<uint32_t> sums_;
  std::vector<int> from_;
  std::vector<uint16_t> weights_;
  std::vector<uint16_t> rows_[2];
};

// Soft, nearly Gaussian: for veils and what is seen through grease. `radius` in samples.
class SoftBlur {
 public:
  void Apply(const ConstPlane& in, double radius, const MutablePlane& out);

 private:
  Resizer resizer_;
  PlaneBuffer small_, other_;
  std::vector<uint32_t> sums_;
};

// What a lens out of focus does: every point becomes a disc. In light, not in levels, where `is_luma`: lamps
// become bright discs.
class DiscBlur {
 public:
  void Apply(const ConstPlane& in, double radius, bool is_luma, const MutablePlane& out);

 private:
  Resizer resizer_;
  PlaneBuffer small_, other_;
  std::vector<uint32_t> prefix_;
  std::vector<float> sums_;
};

// 0..1, smooth, of structure size 1; `octaves` of finer detail.
double Cloud(double x, double y, uint64_t seed, int octaves = 4);
uint64_t Hash(uint64_t a, uint64_t b);

// A shape over the picture, drawn once per size, turned to weights by strength.
class ShapeMask {
 public:
  // `shape` of x, y in 0..1 gives 0..1; it is asked on a coarse grid, only when the layout changed.
  void Prepare(const Picture& picture, const std::function<double(double, double)>& shape);
  // Weight (0..1) by shape, where `key` changed since the last call.
  void Weigh(double key, const std::function<double(double)>& weight);
  const uint8_t* row(int plane, int y) const {  // weights of 0..255
    return plane == 0 ? luma_.data() + static_cast<size_t>(y) * static_cast<size_t>(size_.width)
                      : chroma_.data() + static_cast<size_t>(y) * static_cast<size_t>(chroma_width_);
  }

 private:
  Size size_;
  int count_ = 0, shift_x_ = 0, shift_y_ = 0, chroma_width_ = 0;
  double key_ = -1;
  std::vector<uint16_t> shape_;  // 0..1023
  std::vector<uint8_t> luma_, chroma_;
};

// Gaussian noise of deviation 32, of a long table: rows begin anywhere in it.
class NoiseTable {
 public:
  static constexpr int kLength = 1 << 16;
  const int8_t* Row(uint64_t hash) const {
    return table_.data() + hash % kLength;
  }  // as long as the widest picture
  explicit NoiseTable(uint64_t seed);

 private:
  std::vector<int8_t> table_;
};

// out = in + noise of the deviations given by level; `gain`[level] in 1/256 of the table's deviation.
void AddNoise(const ConstPlane& in, const NoiseTable& noise, uint64_t hash,
              const std::array<int16_t, 256>& gain, const MutablePlane& out);

inline double SmoothStep(double low, double high, double x) {
  const double t = x <= low ? 0 : x >= high ? 1 : (x - low) / (high - low);
  return t * t * (3 - 2 * t);
}

}  // namespace sightline::simulate
