#include "cameras/evidence/seen_history.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace sightline::cameras {
namespace {

constexpr double kHold = 1;  // seconds
constexpr double kJoin = 5;
constexpr float kSwerve = 0.1f;  // of the way between two sightings: nobody goes quite straight

struct Sighting {
  double at_s = 0;
  Box box;
};

// The sightings around a time: the last two up to it and the first two after it.
struct Around {
  std::optional<Sighting> earlier, before, after, later;
};

Box Mix(const Box& a, const Box& b, double share) {
  const auto f = static_cast<float>(share);
  return {a.x1 + (b.x1 - a.x1) * f, a.y1 + (b.y1 - a.y1) * f, a.x2 + (b.x2 - a.x2) * f,
          a.y2 + (b.y2 - a.y2) * f};
}

Box Union(const Box& a, const Box& b) {
  return {std::min(a.x1, b.x1), std::min(a.y1, b.y1), std::max(a.x2, b.x2), std::max(a.y2, b.y2)};
}

Box Between(const Sighting& a, const Sighting& b, double at_s) {
  const double share = b.at_s > a.at_s ? (at_s - a.at_s) / (b.at_s - a.at_s) : 1;
  Box box = Mix(a.box, b.box, share);
  const float x = kSwerve * std::max(std::fabs(b.box.x1 - a.box.x1), std::fabs(b.box.x2 - a.box.x2));
  const float y = kSwerve * std::max(std::fabs(b.box.y1 - a.box.y1), std::fabs(b.box.y2 - a.box.y2));
  if (share > 0 && share < 1) box = {box.x1 - x, box.y1 - y, box.x2 + x, box.y2 + y};
  return box;
}

// Where it was last (or first), and where it would be by now had it gone on.
Box DrawnOut(const Sighting& nearest, const std::optional<Sighting>& further, double at_s) {
  if (!further || std::fabs(nearest.at_s - further->at_s) > kHold || nearest.at_s == further->at_s)
    return nearest.box;
  const double share = (at_s - further->at_s) / (nearest.at_s - further->at_s);
  return Union(nearest.box, Mix(further->box, nearest.box, share));
}

void Emit(const Around& around, SeenBox seen, double at_s, std::vector<SeenBox>* boxes) {
  const auto add = [&](const Box& box) {
    seen.box = box;
    boxes->push_back(seen);
  };
  if (around.before && around.after && around.after->at_s - around.before->at_s <= kJoin) {
    add(Between(*around.before, *around.after, at_s));
    return;
  }
  if (around.before && at_s - around.before->at_s <= kHold)
    add(DrawnOut(*around.before, around.earlier, at_s));
  if (around.after && around.after->at_s - at_s <= kHold) add(DrawnOut(*around.after, around.later, at_s));
}

}  // namespace

void SeenHistory::Add(double stream_s, absl::Span<const SeenBox> boxes) {
  if (!std::isfinite(stream_s)) return;
  auto place = moments_.end();
  while (place != moments_.begin() && std::prev(place)->at_s > stream_s) --place;
  moments_.insert(place, {stream_s, std::vector<SeenBox>(boxes.begin(), boxes.end())});
  boxes_ += boxes.size() + 1;  // a moment without boxes is not for nothing
  while (moments_.size() > 1 && (boxes_ > boxes_max_ || moments_.front().at_s < last_s() - keep_s_)) {
    boxes_ -= moments_.front().boxes.size() + 1;
    moments_.pop_front();
  }
}

std::optional<std::vector<SeenBox>> SeenHistory::At(double stream_s) const {
  std::map<std::pair<SeenBox::Kind, int64_t>, Around> tracks;
  std::vector<SeenBox> boxes;
  bool looked = false;
  const auto from = std::lower_bound(moments_.begin(), moments_.end(), stream_s - kJoin - kHold,
                                     [](const Moment& moment, double at_s) { return moment.at_s < at_s; });
  for (auto moment = from; moment != moments_.end() && moment->at_s <= stream_s + kJoin + kHold; ++moment) {
    const bool near = std::fabs(moment->at_s - stream_s) <= kHold;
    looked |= near;
    for (const SeenBox& seen : moment->boxes) {
      if (seen.id <= 0) {
        if (near) boxes.push_back(seen);
        continue;
      }
      Around& around = tracks[{seen.kind, seen.id}];
      const Sighting sighting{moment->at_s, seen.box};
      if (moment->at_s <= stream_s) {
        around.earlier = std::exchange(around.before, sighting);
      } else if (!around.after) {
        around.after = sighting;
      } else if (!around.later) {
        around.later = sighting;
      }
    }
  }
  if (!looked) return std::nullopt;
  for (const auto& [key, around] : tracks) Emit(around, {key.first, key.second, {}}, stream_s, &boxes);
  return boxes;
}

SeenHistory SeenHistory::Between(double from_s, double to_s) const {
  SeenHistory part(keep_s_, boxes_max_);
  for (const Moment& moment : moments_) {
    if (moment.at_s < from_s - kJoin - kHold || moment.at_s > to_s + kJoin + kHold) continue;
    part.moments_.push_back(moment);
    part.boxes_ += moment.boxes.size() + 1;
  }
  return part;
}

}  // namespace sightline::cameras
