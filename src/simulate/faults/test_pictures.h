// For the tests of this folder: pictures made here, a source that plays them, and how much two differ.
#pragma once

#include <cmath>
#include <vector>

#include "data/frame_source.h"

namespace sightline::simulate {

// Smooth blobs, edges and fine texture in light and colour.
inline std::shared_ptr<Frame> TestPicture(PixelFormat format, Size size,
                                          ColorRange range = ColorRange::kFull) {
  auto frame = std::make_shared<Frame>();
  frame->Allocate(format, size);
  frame->range = range;
  const int low = range == ColorRange::kLimited ? 16 : 0, high = range == ColorRange::kLimited ? 235 : 255;
  for (int i = 0; i < PlaneCount(format); ++i) {
    const Size plane = PlaneSize(format, size, i);
    for (int y = 0; y < plane.height; ++y) {
      for (int x = 0; x < plane.width; ++x) {
        const double u = 6.0 * x / plane.width, v = 5.0 * y / plane.height;
        double value = 110 + 50 * std::sin(u) * std::cos(v) + (((x / 24) + (y / 24)) % 2 == 0 ? 25 : -20) +
                       12 * std::sin(0.9 * x) * std::sin(0.8 * y);
        if (i > 0) value = 128 + 40 * std::sin(u * i) * std::cos(v * 0.7);
        frame->mutable_plane(i)[static_cast<ptrdiff_t>(y) * frame->planes[i].stride + x] =
            static_cast<uint8_t>(std::min<double>(high, std::max<double>(low, value)));
      }
    }
  }
  return frame;
}

inline uint8_t At(const Frame& frame, int plane, int x, int y) {
  return frame.planes[plane].data[static_cast<ptrdiff_t>(y) * frame.planes[plane].stride + x];
}

inline double MeanSquaredError(const Frame& a, const Frame& b) {
  double sum = 0, count = 0;
  for (int i = 0; i < PlaneCount(a.format); ++i) {
    const Size plane = PlaneSize(a.format, a.size, i);
    for (int y = 0; y < plane.height; ++y) {
      for (int x = 0; x < plane.width; ++x, ++count) {
        const double difference = At(a, i, x, y) - At(b, i, x, y);
        sum += difference * difference;
      }
    }
  }
  return sum / count;
}

inline bool SameSamples(const Frame& a, const Frame& b) { return MeanSquaredError(a, b) == 0; }

// `count` frames at 10 per second, frame k filled with level k.
class CountingSource final : public FrameSource {
 public:
  explicit CountingSource(int count, Size size = {32, 24}) : count_(count) {
    format_.size = size;
    format_.frames_per_second = 10;
    format_.frames_estimate = count;
  }
  const SourceFormat& format() const override { return format_; }
  absl::StatusOr<SourceFrame> Next() override {
    if (index_ >= count_) return absl::OutOfRangeError("end");
    auto frame = std::make_shared<Frame>();
    frame->Allocate(PixelFormat::kGray8, format_.size);
    std::fill_n(frame->mutable_plane(0), frame->planes[0].stride * format_.size.height,
                static_cast<uint8_t>(index_));
    frame->time_s = static_cast<double>(index_) / 10;
    given.push_back(frame);
    return SourceFrame{frame, index_++};
  }
  std::vector<FramePtr> given;

 private:
  SourceFormat format_;
  int64_t count_, index_ = 0;
};

}  // namespace sightline::simulate
