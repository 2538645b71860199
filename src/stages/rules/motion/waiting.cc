#include "stages/rules/motion/waiting.h"

#include <algorithm>
#include <cmath>

namespace sightline::rules {
namespace {

constexpr double kHeldUp_m = 10;
constexpr double kNear_m = 5;
constexpr double kCrawls = 2;  // m/s

// Nearly in line before its front, and standing or crawling.
bool AheadOnGround(const Track& track, const Track& other) {
  const Footprint &f = track.footprint, &g = other.footprint;
  if (other.speed - other.speed_deviation > kCrawls && other.stood_s() < kStandsMin_s) return false;
  const Point d = g.center - f.front();
  const double ahead = Dot(d, f.along), aside = std::abs(Cross(f.along, d));
  const double cosine = std::abs(Dot(f.along, g.along));
  const double half = g.half_length * cosine + g.half_width * (1 - cosine);
  const double half_aside = g.half_width * cosine + g.half_length * (1 - cosine);
  // It never moved and is in no lane: whoever stands near it may be the one before it.
  if (!track.heading_known && !track.lane_heading) return f.DistanceTo(g.center) - g.half_length < kNear_m;
  const auto in_line = [&](double way) { return way > 0 && way - half < kHeldUp_m; };
  if (aside >= f.half_width + half_aside) return false;
  return in_line(ahead);
}

bool AheadInPicture(const Track& track, const Track& other) {
  if (other.speed > 4 * other.scale && other.stood_s() < kStandsMin_s) return false;
  const double size = std::sqrt(static_cast<double>(std::max(track.box.area(), 1.f)));
  const Point d = other.foot - track.foot;
  if (!track.heading_known) return Length(d) < 2 * size;
  const double ahead = Dot(d, track.footprint.along), aside = std::abs(Cross(track.footprint.along, d));
  return ahead > 0 && ahead < 3 * size && aside < 0.8 * size;
}

}  // namespace

bool HeldUp(const Track& track, const TrackBook& book) {
  return std::any_of(book.all().begin(), book.all().end(), [&](const auto& entry) {
    const Track& other = entry.second;
    if (entry.first == track.key || !other.facts->vehicle()) return false;
    return track.grounded && other.grounded ? AheadOnGround(track, other) : AheadInPicture(track, other);
  });
}

}  // namespace sightline::rules
