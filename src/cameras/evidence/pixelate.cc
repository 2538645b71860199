#include "cameras/evidence/pixelate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

namespace sightline::cameras {
namespace {

constexpr int kBlocksMax = 8;    // along a side
constexpr int kBlockPixels = 8;  // at least
constexpr int kChannelsMax = 3;
constexpr float kOutlineMargin = 2;  // pixels
constexpr float kFar = 1e6f;         // pixels; corners beyond are nonsense, and all of the box is hidden

struct Area {
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  int width() const { return x1 - x0; }
  int height() const { return y1 - y0; }
};

// Whole pixels that hold the box, to even sides, so that each chroma sample is hidden that has a part in it.
Area AreaOf(const Box& box, Size size) {
  const bool numbers =
      std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2) && std::isfinite(box.y2);
  if (!numbers) return {0, 0, size.width, size.height};
  const auto [left, right] = std::minmax(box.x1, box.x2);
  const auto [top, bottom] = std::minmax(box.y1, box.y2);
  const Box inside = Clip({left, top, right, bottom}, size);
  Area area{static_cast<int>(inside.x1) / 2 * 2, static_cast<int>(inside.y1) / 2 * 2,
            static_cast<int>(std::ceil(inside.x2)), static_cast<int>(std::ceil(inside.y2))};
  area.x1 = std::min((area.x1 + 1) / 2 * 2, size.width);
  area.y1 = std::min((area.y1 + 1) / 2 * 2, size.height);
  return area;
}

// The means of a part of a plane, and what they look like drawn large.
class Blocks {
 public:
  Blocks(const Area& luma) {
    const int longer = std::max(luma.width(), luma.height());
    const int block = std::max(kBlockPixels, (longer + kBlocksMax - 1) / kBlocksMax);
    columns_ = (luma.width() + block - 1) / block;
    rows_ = (luma.height() + block - 1) / block;
  }

  void Measure(const uint8_t* data, int stride, int channels, const Area& area) {
    channels_ = channels;
    area_ = area;
    for (int row = 0; row < rows_; ++row) {
      const int y0 = area.y0 + area.height() * row / rows_, y1 = area.y0 + area.height() * (row + 1) / rows_;
      for (int column = 0; column < columns_; ++column) {
        const int x0 = area.x0 + area.width() * column / columns_;
        const int x1 = area.x0 + area.width() * (column + 1) / columns_;
        std::array<int64_t, kChannelsMax> sums{};
        for (int y = y0; y < y1; ++y) {
          const uint8_t* samples = data + static_cast<ptrdiff_t>(y) * stride;
          for (int x = x0; x < x1; ++x)
            for (int c = 0; c < channels; ++c) sums[static_cast<size_t>(c)] += samples[x * channels + c];
        }
        const int count = std::max(1, (x1 - x0) * (y1 - y0));
        for (int c = 0; c < channels; ++c)
          At(row, column, c) = static_cast<float>(sums[static_cast<size_t>(c)]) / static_cast<float>(count);
      }
    }
    Blur();
  }

  // Samples [from, to) of row y of the plane.
  void Draw(int y, int from, int to, uint8_t* samples) const {
    const auto [top, down, fy] = Between(y - area_.y0, area_.height(), rows_);
    for (int x = from; x < to; ++x) {
      const auto [left, right, fx] = Between(x - area_.x0, area_.width(), columns_);
      for (int c = 0; c < channels_; ++c) {
        const float above = At(top, left, c) + (At(top, right, c) - At(top, left, c)) * fx;
        const float below = At(down, left, c) + (At(down, right, c) - At(down, left, c)) * fx;
        samples[x * channels_ + c] = static_cast<uint8_t>(above + (below - above) * fy + 0.5f);
      }
    }
  }

 private:
  struct Place {
    int low, high;
    float fraction;
  };
  static Place Between(int position, int length, int blocks) {
    const float at =
        (static_cast<float>(position) + 0.5f) * static_cast<float>(blocks) / static_cast<float>(length) -
        0.5f;
    const float inside = std::clamp(at, 0.f, static_cast<float>(blocks - 1));
    const int low = static_cast<int>(inside);
    return {low, std::min(low + 1, blocks - 1), inside - static_cast<float>(low)};
  }

  float& At(int row, int column, int channel) {
    return means_[static_cast<size_t>((row * kBlocksMax + column) * kChannelsMax + channel)];
  }
  float At(int row, int column, int channel) const {
    return means_[static_cast<size_t>((row * kBlocksMax + column) * kChannelsMax + channel)];
  }

  // 1 2 1 both ways; edges repeat.
  void Blur() {
    const Blocks sharp = *this;
    for (int row = 0; row < rows_; ++row) {
      for (int column = 0; column < columns_; ++column) {
        for (int c = 0; c < channels_; ++c) {
          float sum = 0;
          for (int dy = -1; dy <= 1; ++dy)
            for (int dx = -1; dx <= 1; ++dx)
              sum +=
                  static_cast<float>((2 - std::abs(dy)) * (2 - std::abs(dx))) *
                  sharp.At(std::clamp(row + dy, 0, rows_ - 1), std::clamp(column + dx, 0, columns_ - 1), c);
          At(row, column, c) = sum / 16;
        }
      }
    }
  }

  int columns_ = 1, rows_ = 1, channels_ = 1;
  Area area_;
  std::array<float, kBlocksMax * kBlocksMax * kChannelsMax> means_{};
};

using Span = std::pair<float, float>;

// What of the line at y lies inside the outline.
void AddSpans(const std::vector<Keypoint>& outline, float y, std::vector<Span>* spans) {
  std::vector<float> crossings;
  for (size_t i = 0; i < outline.size(); ++i) {
    const Keypoint &a = outline[i], &b = outline[(i + 1) % outline.size()];
    if ((a.y <= y) != (b.y <= y)) crossings.push_back(a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y));
  }
  std::sort(crossings.begin(), crossings.end());
  for (size_t i = 0; i + 1 < crossings.size(); i += 2)
    spans->emplace_back(crossings[i] - kOutlineMargin, crossings[i + 1] + kOutlineMargin);
}

// Of rows [y0, y1) of the picture, a little grown.
std::vector<Span> SpansOf(const std::vector<Keypoint>& outline, int y0, int y1) {
  std::vector<Span> spans;
  const float top = static_cast<float>(y0) - kOutlineMargin, down = static_cast<float>(y1) + kOutlineMargin;
  for (float y = top; y <= down; y += 0.5f) AddSpans(outline, y, &spans);
  return spans;
}

struct PlaneShape {
  int channels, shrink_x, shrink_y;
};

PlaneShape ShapeOf(PixelFormat format, int plane) {
  if (format == PixelFormat::kRgb24) return {3, 1, 1};
  if (plane == 0 || format == PixelFormat::kYuv444) return {1, 1, 1};
  if (format == PixelFormat::kNv12) return {2, 2, 2};
  if (format == PixelFormat::kYuv422) return {1, 2, 1};
  return {1, 2, 2};
}

bool IsUsable(const std::vector<Keypoint>& outline) {
  return outline.size() >= 3 && std::all_of(outline.begin(), outline.end(), [](const Keypoint& corner) {
           return std::fabs(corner.x) < kFar && std::fabs(corner.y) < kFar;
         });
}

}  // namespace

std::shared_ptr<Frame> CopyOf(const Frame& frame) {
  auto copy = std::make_shared<Frame>();
  copy->Allocate(frame.format, frame.size);
  copy->source_size = frame.source_size.empty() ? frame.size : frame.source_size;
  copy->matrix = frame.matrix;
  copy->range = frame.range;
  copy->time_s = frame.time_s;
  for (int i = 0; i < PlaneCount(frame.format); ++i) {
    const Size size = PlaneSize(frame.format, frame.size, i);
    const Plane& from = frame.planes[static_cast<size_t>(i)];
    uint8_t* to = copy->mutable_plane(i);
    for (int y = 0; y < size.height; ++y) {
      std::memcpy(to + static_cast<ptrdiff_t>(y) * copy->planes[static_cast<size_t>(i)].stride,
                  from.data + static_cast<ptrdiff_t>(y) * from.stride, static_cast<size_t>(size.width));
    }
  }
  return copy;
}

void Hide(const HiddenRegion& region, Frame* frame) {
  const Area luma = AreaOf(region.box, frame->size);
  if (luma.width() <= 0 || luma.height() <= 0) return;
  const bool outlined = IsUsable(region.outline);
  Blocks blocks(luma);
  for (int i = 0; i < PlaneCount(frame->format); ++i) {
    const PlaneShape shape = ShapeOf(frame->format, i);
    const Area area{luma.x0 / shape.shrink_x, luma.y0 / shape.shrink_y,
                    (luma.x1 + shape.shrink_x - 1) / shape.shrink_x,
                    (luma.y1 + shape.shrink_y - 1) / shape.shrink_y};
    uint8_t* data = frame->mutable_plane(i);
    const int stride = frame->planes[static_cast<size_t>(i)].stride;
    blocks.Measure(data, stride, shape.channels, area);
    for (int y = area.y0; y < area.y1; ++y) {
      uint8_t* samples = data + static_cast<ptrdiff_t>(y) * stride;
      if (!outlined) {
        blocks.Draw(y, area.x0, area.x1, samples);
        continue;
      }
      for (const auto& [from, to] : SpansOf(region.outline, y * shape.shrink_y, (y + 1) * shape.shrink_y)) {
        const float left = std::clamp(from, static_cast<float>(luma.x0), static_cast<float>(luma.x1));
        const float right = std::clamp(to, static_cast<float>(luma.x0), static_cast<float>(luma.x1));
        blocks.Draw(y, static_cast<int>(left) / shape.shrink_x,
                    std::min(area.x1, static_cast<int>(std::ceil(right)) / shape.shrink_x + 1), samples);
      }
    }
  }
}

}  // namespace sightline::cameras
