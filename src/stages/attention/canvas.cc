// Regions on shelves: rows of regions, each as high as its first.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "stages/attention/attention.h"

namespace sightline::attention {
namespace {

constexpr int kGap = 12;           // grey between regions, so that they are not seen as one
constexpr uint8_t kGrey = 114;     // as models' padding
constexpr float kCutPixels = 1.5;  // a box that ends so near to a region's edge was cut by it

class ShelfCanvas final : public Canvas {
 public:
  void Begin(const Frame& like) override {
    placed_.clear();
    shelves_.clear();
    used_ = 0;
    picture_ = like.size;
    frame_ = pool_.Acquire();
    frame_->Allocate(like.format, like.size);
    frame_->matrix = like.matrix;
    frame_->range = like.range;
    frame_->time_s.reset();
    frame_->owner.reset();
    for (int i = 0; i < PlaneCount(like.format); ++i) {
      const Size size = PlaneSize(like.format, like.size, i);
      const uint8_t value = i == 0 || like.format == PixelFormat::kRgb24 ? kGrey : 128;
      for (int row = 0; row < size.height; ++row) {
        std::memset(frame_->mutable_plane(i) +
                        static_cast<ptrdiff_t>(row) * frame_->planes[static_cast<size_t>(i)].stride,
                    value, static_cast<size_t>(size.width));
      }
    }
  }

  bool Add(int source, const Frame& frame, absl::Span<const Box> regions) override {
    if (frame_ == nullptr || frame.size != picture_ || frame.source_size != frame.size ||
        frame.format != frame_->format || frame.matrix != frame_->matrix || frame.range != frame_->range) {
      return false;
    }
    order_.resize(regions.size());
    for (size_t i = 0; i < regions.size(); ++i) order_[i] = i;
    std::sort(order_.begin(), order_.end(), [&](size_t a, size_t b) {
      return regions[a].height() != regions[b].height() ? regions[a].height() > regions[b].height() : a < b;
    });
    const size_t before = placed_.size();
    shelves_before_ = shelves_;
    const int used_before = used_;
    for (const size_t i : order_) {
      if (Place(source, regions[i])) continue;
      placed_.resize(before);
      shelves_ = shelves_before_;
      used_ = used_before;
      return false;
    }
    for (size_t i = before; i < placed_.size(); ++i) Copy(frame, placed_[i]);
    return true;
  }

  FramePtr Finish() override {
    if (frame_ == nullptr) return nullptr;
    frame_->size.height = frame_->source_size.height =
        std::clamp((used_ + 1) & ~1, std::min(2, picture_.height), picture_.height);
    return std::move(frame_);
  }

  absl::Span<const Placed> placed() const override { return placed_; }

  bool ToSource(const Box& on_canvas, int* source, Box* box) const override {
    const float x = (on_canvas.x1 + on_canvas.x2) / 2, y = (on_canvas.y1 + on_canvas.y2) / 2;
    for (const Placed& place : placed_) {
      const float left = static_cast<float>(place.x), top = static_cast<float>(place.y);
      const float right = left + place.from.width(), bottom = top + place.from.height();
      if (!(x >= left && x < right && y >= top && y < bottom)) continue;
      const float w = static_cast<float>(picture_.width), h = static_cast<float>(picture_.height);
      if ((on_canvas.x1 < left + kCutPixels && place.from.x1 > 0) ||
          (on_canvas.y1 < top + kCutPixels && place.from.y1 > 0) ||
          (on_canvas.x2 > right - kCutPixels && place.from.x2 < w) ||
          (on_canvas.y2 > bottom - kCutPixels && place.from.y2 < h)) {
        return false;
      }
      const float dx = place.from.x1 - left, dy = place.from.y1 - top;
      *source = place.source;
      *box = Clip({on_canvas.x1 + dx, on_canvas.y1 + dy, on_canvas.x2 + dx, on_canvas.y2 + dy}, picture_);
      return true;
    }
    return false;
  }

 private:
  struct Shelf {
    int y = 0, height = 0, x = 0;  // x: where the next region goes
  };

  bool Place(int source, const Box& region) {
    const int width = static_cast<int>(region.width()), height = static_cast<int>(region.height());
    if (width <= 0 || height <= 0 || width > picture_.width || height > picture_.height) return false;
    Shelf* best = nullptr;
    for (Shelf& shelf : shelves_) {
      if (shelf.height < height || shelf.x + width > picture_.width) continue;
      if (best == nullptr || shelf.height < best->height) best = &shelf;
    }
    if (best == nullptr) {
      const int y = shelves_.empty() ? 0 : (shelves_.back().y + shelves_.back().height + kGap + 1) & ~1;
      if (y + height > picture_.height) return false;
      shelves_.push_back({y, height, 0});
      best = &shelves_.back();
      used_ = y + height;
    }
    placed_.push_back({source, region, best->x, best->y});
    best->x = (best->x + width + kGap + 1) & ~1;
    return true;
  }

  void Copy(const Frame& frame, const Placed& place) {
    const int from_x = static_cast<int>(place.from.x1), from_y = static_cast<int>(place.from.y1);
    const int width = static_cast<int>(place.from.width()), height = static_cast<int>(place.from.height());
    for (int i = 0; i < PlaneCount(frame.format); ++i) {
      const size_t plane = static_cast<size_t>(i);
      // What one pixel, and a pair of rows, are in this plane.
      const Size pair = PlaneSize(frame.format, {2, 2}, i),
                 part = PlaneSize(frame.format, {width, height}, i);
      const int to_offset = place.x * pair.width / 2, from_offset = from_x * pair.width / 2;
      uint8_t* to = frame_->mutable_plane(i) +
                    static_cast<ptrdiff_t>(place.y * pair.height / 2) * frame_->planes[plane].stride;
      const uint8_t* from = frame.planes[plane].data +
                            static_cast<ptrdiff_t>(from_y * pair.height / 2) * frame.planes[plane].stride;
      for (int row = 0; row < part.height; ++row) {
        std::memcpy(to + to_offset, from + from_offset, static_cast<size_t>(part.width));
        to += frame_->planes[plane].stride;
        from += frame.planes[plane].stride;
      }
    }
  }

  FramePool pool_;
  std::shared_ptr<Frame> frame_;
  Size picture_;
  int used_ = 0;  // height
  std::vector<Shelf> shelves_, shelves_before_;
  std::vector<Placed> placed_;
  std::vector<size_t> order_;
};

}  // namespace

std::unique_ptr<Canvas> Canvas::Create() { return std::make_unique<ShelfCanvas>(); }

}  // namespace sightline::attention
