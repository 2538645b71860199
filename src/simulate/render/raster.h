// Fills triangles on a grid of samples, row by row. Exact arithmetic alone.
#pragma once

#include <algorithm>
#include <utility>

namespace sightline::simulate {

struct Corner {
  double x = 0, y = 0;  // samples, continuous; the first covers [0, 1)
  double inverse = 0;   // 1 / depth (or any value that is linear on the screen)
};

struct GridBounds {
  int x_begin = 0, y_begin = 0, x_end = 0, y_end = 0;
};

// The first sample whose centre is at or after `v`, within [low, high].
inline int FirstSample(double v, int low, int high) {
  const double shifted = v - 0.5;
  if (!(shifted > low)) return low;
  if (shifted >= high) return high;
  const int whole = static_cast<int>(shifted);  // shifted > low >= 0
  return whole < shifted ? whole + 1 : whole;
}

// row(y, x_begin, x_end, value at the centre of x_begin, step of the value per sample). Bounds are not
// negative.
template <typename Row>
void FillTriangle(Corner a, Corner b, Corner c, const GridBounds& bounds, Row&& row) {
  if (b.y < a.y) std::swap(a, b);
  if (c.y < a.y) std::swap(a, c);
  if (c.y < b.y) std::swap(b, c);
  const int y_begin = FirstSample(a.y, bounds.y_begin, bounds.y_end),
            y_end = FirstSample(c.y, bounds.y_begin, bounds.y_end);
  if (y_begin >= y_end) return;
  const double area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
  if (!(area > 1e-9 || area < -1e-9)) return;
  const double step_x =
      ((b.inverse - a.inverse) * (c.y - a.y) - (c.inverse - a.inverse) * (b.y - a.y)) / area;
  const double step_y =
      ((c.inverse - a.inverse) * (b.x - a.x) - (b.inverse - a.inverse) * (c.x - a.x)) / area;
  const double slope_long = (c.x - a.x) / (c.y - a.y);
  const double slope_upper = b.y > a.y ? (b.x - a.x) / (b.y - a.y) : 0;
  const double slope_lower = c.y > b.y ? (c.x - b.x) / (c.y - b.y) : 0;
  for (int y = y_begin; y < y_end; ++y) {
    const double center = y + 0.5;
    double left = a.x + slope_long * (center - a.y);
    double right = center < b.y ? a.x + slope_upper * (center - a.y) : b.x + slope_lower * (center - b.y);
    if (right < left) std::swap(left, right);
    const int x_begin = FirstSample(left, bounds.x_begin, bounds.x_end),
              x_end = FirstSample(right, bounds.x_begin, bounds.x_end);
    if (x_begin >= x_end) continue;
    row(y, x_begin, x_end, a.inverse + step_x * (x_begin + 0.5 - a.x) + step_y * (center - a.y), step_x);
  }
}

}  // namespace sightline::simulate
