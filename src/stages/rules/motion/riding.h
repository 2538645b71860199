// Who rides: detectors report a rider and the cycle as two.
#pragma once

#include <algorithm>
#include <vector>

#include "stages/rules/motion/track_book.h"

namespace sightline::rules {

// A person whose box lies over a cycle's, and who is above it, rides it.
inline bool Rides(const Track& person, const Track& cycle) {
  const Box &p = person.box, &c = cycle.box;
  const float w = std::min(p.x2, c.x2) - std::max(p.x1, c.x1),
              h = std::min(p.y2, c.y2) - std::max(p.y1, c.y1);
  return w > 0.5f * std::min(p.width(), c.width()) && h > 0.3f * std::min(p.height(), c.height()) &&
         p.y2 < c.y2 + 0.1f * c.height() && p.y1 < c.y1 + 0.3f * c.height();
}

inline bool RidesAny(const Track& person, const std::vector<Track*>& all) {
  return person.facts->being == Being::kPerson &&
         std::any_of(all.begin(), all.end(), [&](const Track* other) {
           return other->facts->being == Being::kCycle && Rides(person, *other);
         });
}

}  // namespace sightline::rules
