#include "cameras/evidence/redact.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace sightline::cameras {
namespace {

constexpr float kMargin = 0.15f;
constexpr float kMarginPixels = 2;  // at least
constexpr float kEdge = 2;          // pixels; what ends here is cut by the picture's edge
constexpr float kPlateShare = 0.65f;

Box Grown(const Box& box) {
  const float x = std::max(kMarginPixels, box.width() * kMargin),
              y = std::max(kMarginPixels, box.height() * kMargin);
  return {box.x1 - x, box.y1 - y, box.x2 + x, box.y2 + y};
}

// The upper part: of somebody upright a third and more; of somebody half hidden or sitting, whose box is
// wider for its height, more of it; of somebody lying all.
Box HeadOf(const Box& person) {
  constexpr float kShare = 0.35f, kUpright = 2.2f;
  const float slender = person.height() / std::max(person.width(), 1.f);
  const float share = std::min(1.f, kShare * std::max(1.f, kUpright / std::max(slender, 0.1f)));
  return {person.x1, person.y1, person.x2, person.y1 + person.height() * share};
}

// The lower part, where plates are, seen from a post or from a wall; all of a vehicle whose roof is not in
// the picture.
Box PlatesOf(const Box& vehicle) {
  if (vehicle.y1 <= kEdge) return vehicle;
  return {vehicle.x1, vehicle.y2 - vehicle.height() * kPlateShare, vehicle.x2, vehicle.y2};
}

HiddenRegion ZoneRegion(const std::vector<Keypoint>& corners) {
  constexpr float kFar = std::numeric_limits<float>::max();
  Box box{kFar, kFar, -kFar, -kFar};
  for (const Keypoint& corner : corners) {
    if (!std::isfinite(corner.x) || !std::isfinite(corner.y)) {  // then all is hidden
      box.x1 = std::numeric_limits<float>::quiet_NaN();
      return {box, {}};
    }
    box = {std::min(box.x1, corner.x), std::min(box.y1, corner.y), std::max(box.x2, corner.x),
           std::max(box.y2, corner.y)};
  }
  return {{box.x1 - kMarginPixels, box.y1 - kMarginPixels, box.x2 + kMarginPixels, box.y2 + kMarginPixels},
          corners};
}

}  // namespace

std::vector<HiddenRegion> RegionsOf(const Redaction& redaction, absl::Span<const SeenBox> boxes,
                                    Size source) {
  std::vector<HiddenRegion> regions;
  for (const SeenBox& seen : boxes) {
    switch (seen.kind) {
      case SeenBox::Kind::kPerson:
        if (redaction.people) {
          regions.push_back({Grown(seen.box), {}});
        } else if (redaction.faces) {
          // Grown as the person is: a head moves with all of the body.
          const Box head = HeadOf(seen.box), body = Grown(seen.box), grown = Grown(head);
          regions.push_back({{body.x1, body.y1, body.x2, grown.y2}, {}});
        }
        break;
      case SeenBox::Kind::kFace:
        if (redaction.faces || redaction.people) regions.push_back({Grown(seen.box), {}});
        break;
      case SeenBox::Kind::kVehicle:
        if (redaction.plates) {
          const Box vehicle = Clip(seen.box, source), body = Grown(vehicle), grown = Grown(PlatesOf(vehicle));
          regions.push_back({{body.x1, grown.y1, body.x2, body.y2}, {}});
        }
        break;
    }
  }
  for (const auto& corners : redaction.zones)
    if (!corners.empty()) regions.push_back(ZoneRegion(corners));
  return regions;
}

void Redact(const Redaction& redaction, absl::Span<const SeenBox> boxes, Frame* frame) {
  const Size source = frame->source_size.empty() ? frame->size : frame->source_size;
  const float x = static_cast<float>(frame->size.width) / static_cast<float>(source.width);
  const float y = static_cast<float>(frame->size.height) / static_cast<float>(source.height);
  for (HiddenRegion& region : RegionsOf(redaction, boxes, source)) {
    region.box = {region.box.x1 * x, region.box.y1 * y, region.box.x2 * x, region.box.y2 * y};
    for (Keypoint& corner : region.outline) corner = {corner.x * x, corner.y * y, corner.score};
    Hide(region, frame);
  }
}

void HideWhole(Frame* frame) { Hide({WholeBox(frame->size), {}}, frame); }

void Join(const Redaction& other, Redaction* redaction) {
  redaction->faces |= other.faces;
  redaction->people |= other.people;
  redaction->plates |= other.plates;
  for (const auto& zone : other.zones) {
    const auto same = [&](const std::vector<Keypoint>& known) {
      return std::equal(known.begin(), known.end(), zone.begin(), zone.end(),
                        [](const Keypoint& a, const Keypoint& b) { return a.x == b.x && a.y == b.y; });
    };
    if (std::none_of(redaction->zones.begin(), redaction->zones.end(), same))
      redaction->zones.push_back(zone);
  }
}

FramePtr Redacted(const FramePtr& frame, const Redaction& redaction, absl::Span<const SeenBox> boxes) {
  if (frame == nullptr || redaction.none()) return frame;
  std::shared_ptr<Frame> copy = CopyOf(*frame);
  Redact(redaction, boxes, copy.get());
  return copy;
}

}  // namespace sightline::cameras
