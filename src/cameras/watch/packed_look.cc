#include "cameras/watch/packed_look.h"

#include <algorithm>

namespace sightline::cameras {
namespace {

void Move(float dx, float dy, Detection* detection) {
  for (Keypoint& point : detection->keypoints) {
    point.x += dx;
    point.y += dy;
  }
  if (detection->mask == nullptr) return;
  auto mask = std::make_shared<Mask>(*detection->mask);
  mask->area = {mask->area.x1 + dx, mask->area.y1 + dy, mask->area.x2 + dx, mask->area.y2 + dy};
  detection->mask = std::move(mask);
}

// Of the region that the middle of the box lies in.
const attention::Placed* PlaceOf(const Box& box, absl::Span<const attention::Placed> placed) {
  const float x = (box.x1 + box.x2) / 2, y = (box.y1 + box.y2) / 2;
  for (const attention::Placed& place : placed) {
    const float left = static_cast<float>(place.x), top = static_cast<float>(place.y);
    if (x >= left && x < left + place.from.width() && y >= top && y < top + place.from.height())
      return &place;
  }
  return nullptr;
}

}  // namespace

void PackedLook::Begin(const Frame& like) {
  canvas_->Begin(like);
  results_.clear();
  areas_.clear();
  area_ = 0;
}

bool PackedLook::Add(const Frame& frame, absl::Span<const Box> regions, pipeline::FrameResult* result) {
  if (!canvas_->Add(static_cast<int>(results_.size()), frame, regions)) return false;
  results_.push_back(result);
  double area = 0;
  for (const Box& region : regions) area += static_cast<double>(region.area());
  areas_.push_back(area);
  area_ += area;
  return true;
}

float PackedLook::rows() const {
  float bottom = 0;
  for (const attention::Placed& place : canvas_->placed())
    bottom = std::max(bottom, static_cast<float>(place.y) + place.from.height());
  return bottom;
}

absl::Status PackedLook::Run(int step, pipeline::StepRunner& runner, size_t step_count) {
  pipeline::FixedPixels pixels(canvas_->Finish());
  on_canvas_.Clear(step_count);
  const absl::Status status = runner.RunStep(step, pixels, {}, &on_canvas_);
  if (status.ok()) TakeBack(step);
  return status;
}

void PackedLook::TakeBack(int step) {
  const size_t index = static_cast<size_t>(step);
  for (Detection& detection : on_canvas_.steps[index].detections) {
    int source = 0;
    Box box;
    if (!canvas_->ToSource(detection.box, &source, &box)) continue;
    const attention::Placed* place = PlaceOf(detection.box, canvas_->placed());
    if (place == nullptr) continue;
    Move(place->from.x1 - static_cast<float>(place->x), place->from.y1 - static_cast<float>(place->y),
         &detection);
    detection.box = box;
    results_[static_cast<size_t>(source)]->steps[index].detections.push_back(std::move(detection));
  }
}

}  // namespace sightline::cameras
