#include "stages/sinks/annotate/label_layout.h"

namespace sightline::sinks {
namespace {

float Overlap(const Box& a, const Box& b) {
  const float w = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  const float h = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  return w > 0 && h > 0 ? w * h : 0;
}

}  // namespace

Box LabelLayout::Inside(float x, float y, float width, float height) const {
  const float right = std::max(0.f, static_cast<float>(picture_.width) - width);
  const float bottom = std::max(0.f, static_cast<float>(picture_.height) - height);
  x = std::clamp(x, 0.f, right);
  y = std::clamp(y, 0.f, bottom);
  return {x, y, x + width, y + height};
}

std::optional<Box> LabelLayout::Place(const Box& box, float width, float height) {
  const float left = box.x1, right = box.x2 - width;
  const std::pair<float, float> corners[] = {
      {left, box.y1 - height}, {left, box.y1},          {left, box.y2},  {right, box.y1 - height},
      {left, box.y2 - height}, {right, box.y2},         {right, box.y1}, {right, box.y2 - height},
      {box.x2, box.y1},        {box.x1 - width, box.y1}};
  constexpr float kCoveredMax = 0.1f;
  std::optional<Box> best;
  float best_cost = 0;
  for (const auto& [x, y] : corners) {
    const Box place = Inside(x, y, width, height);
    float covered = 0;
    for (const Box& other : taken_) covered += Overlap(place, other);
    if (covered > kCoveredMax * width * height) continue;
    // How far the picture's edge pushed it away from where it belongs counts, too.
    const float cost = covered + (std::abs(place.x1 - x) + std::abs(place.y1 - y)) * height * 0.25f;
    if (best && cost >= best_cost) continue;
    best = place;
    best_cost = cost;
    if (best_cost == 0) break;
  }
  if (best) taken_.push_back(*best);
  return best;
}

}  // namespace sightline::sinks
