// For tests only: grey pictures with known contents.
#pragma once

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "data/frame.h"

namespace sightline::attention {

// A street of sorts: smooth light with texture, the same at every call, and sensor noise that is not.
class TestScene {
 public:
  TestScene(Size size, uint32_t seed) : size_(size), random_(seed), ground_(Area()) {
    std::mt19937 texture(7);
    for (size_t i = 0; i < ground_.size(); ++i) {
      const int x = static_cast<int>(i) % size_.width, y = static_cast<int>(i) / size_.width;
      ground_[i] = 70 + 60.f * static_cast<float>(y) / static_cast<float>(size_.height) +
                   ((x / 16 + y / 16) % 2 == 0 ? 12.f : 0.f) + static_cast<float>(texture() % 9);
    }
  }

  // Begins a frame: what is there, times `gain`, moved by `shift_x` pixels.
  void Begin(float gain = 1, int shift_x = 0) {
    light_.resize(Area());
    for (int y = 0; y < size_.height; ++y) {
      for (int x = 0; x < size_.width; ++x) {
        const int from = std::clamp(x + shift_x, 0, size_.width - 1);
        light_[At(x, y)] = gain * ground_[At(from, y)];
      }
    }
  }
  void Fill(const Box& box, float level) {
    const Box inside = Clip(box, size_);
    for (int y = static_cast<int>(inside.y1); y < static_cast<int>(inside.y2); ++y) {
      for (int x = static_cast<int>(inside.x1); x < static_cast<int>(inside.x2); ++x)
        light_[At(x, y)] = level;
    }
  }
  // Bright streaks anywhere, of this many pixels' length.
  void Rain(int streaks, int length) {
    for (int i = 0; i < streaks; ++i) {
      const int x = Below(size_.width), y = Below(size_.height);
      for (int j = y; j < std::min(y + length, size_.height); ++j) light_[At(x, j)] += 40;
    }
  }
  FramePtr Finish(float noise) {
    auto frame = std::make_shared<Frame>();
    frame->Allocate(PixelFormat::kGray8, size_);
    for (int y = 0; y < size_.height; ++y) {
      uint8_t* row = frame->mutable_plane(0) + static_cast<ptrdiff_t>(y) * frame->planes[0].stride;
      for (int x = 0; x < size_.width; ++x) {
        // Three uniform numbers make near enough a bell.
        const float bell = static_cast<float>(Below(1000) + Below(1000) + Below(1000)) / 500.f - 3.f;
        row[x] = static_cast<uint8_t>(std::clamp(light_[At(x, y)] + noise * bell, 0.f, 255.f));
      }
    }
    return frame;
  }
  int Below(int end) { return static_cast<int>(random_() % static_cast<uint32_t>(end)); }

 private:
  size_t Area() const { return static_cast<size_t>(size_.width) * static_cast<size_t>(size_.height); }
  size_t At(int x, int y) const {
    return static_cast<size_t>(y) * static_cast<size_t>(size_.width) + static_cast<size_t>(x);
  }
  const Size size_;
  std::mt19937 random_;
  std::vector<float> ground_, light_;
};

}  // namespace sightline::attention
