#include "stages/postprocess/mask.h"

#include <algorithm>
#include <cmath>

namespace sightline::postprocess {
namespace {

// Where source pixels lie in the prototypes, along one axis: position = (pixel + 0.5) * scale + offset, in
// samples whose centres are whole numbers.
struct Axis {
  double scale = 1, offset = 0;
  int samples = 0;

  double Position(int pixel) const {
    return std::clamp((pixel + 0.5) * scale + offset, 0.0, static_cast<double>(samples - 1));
  }
};

Axis MakeAxis(double input_scale, double input_offset, int input, int samples) {
  const double ratio = static_cast<double>(samples) / input;
  return {input_scale * ratio, input_offset * ratio - 0.5, samples};
}

struct Range {
  int begin = 0, end = 0;
  int size() const { return end - begin; }
};

Range PixelsIn(float low, float high, int extent) {
  const int begin = static_cast<int>(std::ceil(low - 0.5f)), end = static_cast<int>(std::ceil(high - 0.5f));
  return {std::clamp(begin, 0, extent), std::clamp(end, 0, extent)};
}

Range SamplesFor(const Axis& axis, Range pixels) {
  return {static_cast<int>(axis.Position(pixels.begin)),
          std::min(static_cast<int>(axis.Position(pixels.end - 1)) + 2, axis.samples)};
}

// Collects a row-major sequence of bits as run lengths.
class RunWriter {
 public:
  explicit RunWriter(std::vector<uint32_t>* runs) : runs_(runs) {}
  void Add(bool bit, uint32_t count) {
    if (bit != bit_) {
      runs_->push_back(length_);
      length_ = 0;
      bit_ = bit;
    }
    length_ += count;
  }
  void Finish() { runs_->push_back(length_); }

 private:
  std::vector<uint32_t>* runs_;
  uint32_t length_ = 0;
  bool bit_ = false;
};

// One row of pixels from one row of samples. Between two samples the value is a straight line: where both
// ends of a stretch of pixels agree, so does everything between them.
void AddRow(const float* samples, Range in_samples, const Axis& axis, Range pixels, RunWriter* runs) {
  const auto value = [&](int pixel) {
    const double position = axis.Position(pixel);
    const int left = static_cast<int>(position);
    const int right = std::min(left + 1, in_samples.end - 1);
    const float fraction = static_cast<float>(position - left);
    return samples[left - in_samples.begin] * (1 - fraction) + samples[right - in_samples.begin] * fraction;
  };
  int pixel = pixels.begin;
  while (pixel < pixels.end) {
    const double next_sample = std::floor(axis.Position(pixel)) + 1;
    // The last pixel that still lies between the same two samples.
    const double stretch_end = std::ceil((next_sample - axis.offset) / axis.scale - 0.5);
    int last = pixels.end - 1;
    if (next_sample <= axis.samples - 1) {
      last = static_cast<int>(
          std::clamp(stretch_end - 1, static_cast<double>(pixel), static_cast<double>(last)));
    }
    const bool first_bit = value(pixel) > 0;
    if (first_bit == (value(last) > 0)) {
      runs->Add(first_bit, static_cast<uint32_t>(last - pixel + 1));
    } else {
      for (int p = pixel; p <= last; ++p) runs->Add(value(p) > 0, 1);
    }
    pixel = last + 1;
  }
}

}  // namespace

std::shared_ptr<const Mask> MakeMask(const Output& prototypes, const float* weights,
                                     const InputTransform& transform, const Box& box,
                                     std::vector<float>* work) {
  const Range xs = PixelsIn(box.x1, box.x2, transform.source.width);
  const Range ys = PixelsIn(box.y1, box.y2, transform.source.height);
  if (xs.size() <= 0 || ys.size() <= 0) return nullptr;
  const int rows = static_cast<int>(prototypes.extent(1)), columns = static_cast<int>(prototypes.extent(2));
  const Axis horizontal = MakeAxis(transform.scale_x, transform.offset_x, transform.input.width, columns);
  const Axis vertical = MakeAxis(transform.scale_y, transform.offset_y, transform.input.height, rows);
  const Range sample_xs = SamplesFor(horizontal, xs), sample_ys = SamplesFor(vertical, ys);

  // The weighted sum, only where the box needs it, and behind it one row between two of its rows.
  const size_t width = static_cast<size_t>(sample_xs.size());
  work->assign(width * (sample_ys.size() + 1), 0.f);
  for (int64_t m = 0; m < prototypes.extent(0); ++m) {
    for (int y = sample_ys.begin; y < sample_ys.end; ++y) {
      const float* from = prototypes.data + (m * rows + y) * columns + sample_xs.begin;
      float* sum = work->data() + width * (y - sample_ys.begin);
      for (size_t x = 0; x < width; ++x) sum[x] += weights[m] * from[x];
    }
  }
  float* between = work->data() + width * sample_ys.size();

  auto mask = std::make_shared<Mask>();
  mask->area = {static_cast<float>(xs.begin), static_cast<float>(ys.begin), static_cast<float>(xs.end),
                static_cast<float>(ys.end)};
  RunWriter runs(&mask->runs);
  for (int y = ys.begin; y < ys.end; ++y) {
    const double position = vertical.Position(y);
    const int above = static_cast<int>(position), below = std::min(above + 1, sample_ys.end - 1);
    const float fraction = static_cast<float>(position - above);
    const float* first = work->data() + width * (above - sample_ys.begin);
    const float* second = work->data() + width * (below - sample_ys.begin);
    for (size_t x = 0; x < width; ++x) between[x] = first[x] * (1 - fraction) + second[x] * fraction;
    AddRow(between, sample_xs, horizontal, xs, &runs);
  }
  runs.Finish();
  return mask;
}

}  // namespace sightline::postprocess
