// A copy of a frame as BGRX pixels, to draw on and to encode.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "data/frame.h"

struct SwsContext;

namespace sightline::sinks {

// Pixels in memory are B, G, R, unused: what Cairo calls RGB24. Threads: one at a time.
class Canvas {
 public:
  Canvas();
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;
  ~Canvas();

  // Copies `frame`; made smaller where its sides or pixels are beyond what can be drawn on, and larger by a
  // whole factor where it is so small that labels would hide it. Memory is reused.
  absl::Status Load(const Frame& frame);

  uint8_t* pixels() { return pixels_.data(); }
  const uint8_t* pixels() const { return pixels_.data(); }
  int stride() const { return stride_; }  // bytes
  Size size() const { return size_; }
  // From source pixels to the canvas's.
  float scale_x() const { return scale_x_; }
  float scale_y() const { return scale_y_; }

 private:
  std::vector<uint8_t> pixels_;
  Size size_;
  int stride_ = 0;
  float scale_x_ = 1, scale_y_ = 1;
  SwsContext* converter_ = nullptr;
};

}  // namespace sightline::sinks
