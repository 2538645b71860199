// Sizes, boxes and the map between a model's input and the picture. Coordinates are continuous pixels: the
// first pixel covers [0, 1) x [0, 1), x to the right, y down.
#pragma once

#include <algorithm>

namespace sightline {

struct Size {
  int width = 0;
  int height = 0;
  bool operator==(const Size&) const = default;
  bool empty() const { return width <= 0 || height <= 0; }
};

// Corners in pixels, x1 <= x2 and y1 <= y2.
struct Box {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  bool operator==(const Box&) const = default;
  float width() const { return x2 - x1; }
  float height() const { return y2 - y1; }
  float area() const { return width() > 0 && height() > 0 ? width() * height() : 0; }
};

inline Box WholeBox(Size size) {
  return {0, 0, static_cast<float>(size.width), static_cast<float>(size.height)};
}

inline Box Clip(const Box& box, Size size) {
  const float w = static_cast<float>(size.width), h = static_cast<float>(size.height);
  return {std::clamp(box.x1, 0.f, w), std::clamp(box.y1, 0.f, h), std::clamp(box.x2, 0.f, w),
          std::clamp(box.y2, 0.f, h)};
}

// Intersection over union; 0 for empty boxes.
inline float IntersectionOverUnion(const Box& a, const Box& b) {
  const float w = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  const float h = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  if (!(w > 0 && h > 0)) return 0;
  const float intersection = w * h;
  return intersection / (a.area() + b.area() - intersection);
}

// Where a region of the picture lies in a model's input: input = picture * scale + offset, per axis.
// `picture` means source pixels (the picture as displayed, at full resolution), `input` the tensor's pixels.
struct InputTransform {
  float scale_x = 1, scale_y = 1;
  float offset_x = 0, offset_y = 0;
  Size input;   // the tensor's width and height
  Size source;  // the picture's, in source pixels

  Box ToSource(const Box& box) const {
    return {(box.x1 - offset_x) / scale_x, (box.y1 - offset_y) / scale_y, (box.x2 - offset_x) / scale_x,
            (box.y2 - offset_y) / scale_y};
  }
  Box ToInput(const Box& box) const {
    return {box.x1 * scale_x + offset_x, box.y1 * scale_y + offset_y, box.x2 * scale_x + offset_x,
            box.y2 * scale_y + offset_y};
  }
};

}  // namespace sightline
