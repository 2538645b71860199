// The ground's colour, worked out from the layout's polygons and value noise.
#include <algorithm>
#include <cmath>

#include "simulate/models/mesh.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

float Hash(int x, int y, uint32_t seed) {
  uint32_t h =
      static_cast<uint32_t>(x) * 0x9e3779b1u ^ static_cast<uint32_t>(y) * 0x85ebca77u ^ seed * 0xc2b2ae3du;
  h ^= h >> 15;
  h *= 0x2c1b3c6du;
  h ^= h >> 12;
  h *= 0x297a2d39u;
  h ^= h >> 15;
  return static_cast<float>(h >> 8) / 16777216.0f;
}

// Smooth noise, 0..1, with features of about `size` metres. Fades to 0.5 where a pixel covers more than that.
float Noise(const Point2& p, double size, double footprint_m, uint32_t seed) {
  const double fade = std::clamp(1.6 - footprint_m / size, 0.0, 1.0);
  if (fade <= 0) return 0.5f;
  const double x = p.x / size, y = p.y / size;
  const double fx = Floor(x), fy = Floor(y);
  const auto ix = static_cast<int>(fx), iy = static_cast<int>(fy);
  auto u = static_cast<float>(x - fx), v = static_cast<float>(y - fy);
  u = u * u * (3 - 2 * u);
  v = v * v * (3 - 2 * v);
  const float low = Hash(ix, iy, seed) * (1 - u) + Hash(ix + 1, iy, seed) * u;
  const float high = Hash(ix, iy + 1, seed) * (1 - u) + Hash(ix + 1, iy + 1, seed) * u;
  return 0.5f + static_cast<float>(fade) * (low * (1 - v) + high * v - 0.5f);
}

Rgb Mix(const Rgb& a, const Rgb& b, float share) {
  return {a.red + (b.red - a.red) * share, a.green + (b.green - a.green) * share,
          a.blue + (b.blue - a.blue) * share};
}
Rgb Times(const Rgb& a, float factor) { return {a.red * factor, a.green * factor, a.blue * factor}; }

// How much of a stripe from -half to half a pixel of this footprint at `distance` covers.
float Cover(double distance, double half, double footprint_m) {
  const double w = std::max(footprint_m, 0.02);
  return static_cast<float>(std::clamp((half - std::abs(distance)) / w + 0.5, 0.0, 1.0));
}

// A point in a lane's axes: metres along its centre line from the intersection, and to its left.
struct InLane {
  double along, aside;
};
InLane LaneAxes(const Lane& lane, const Point2& p) {
  const Point2 &a = lane.center.points().front(), &b = lane.center.points().back();
  const double length = lane.center.length(), dx = (b.x - a.x) / length, dy = (b.y - a.y) / length;
  const double along = (p.x - a.x) * dx + (p.y - a.y) * dy, aside = (p.y - a.y) * dx - (p.x - a.x) * dy;
  return {lane.incoming ? length - along : along, aside};
}

}  // namespace

struct Ground::Cells {
  static constexpr double kCell = 4;  // metres
  int side = 0;
  double low = 0;
  struct Cell {
    std::vector<uint16_t> lanes, crosswalks, roads, sidewalks;
  };
  std::vector<Cell> cells;
  uint32_t seed = 0;
  Rgb asphalt, paving, beyond, paint;
  float wear = 0.2f;
  double slab = 0.6;
  bool zebra = true, grass = false;
};

namespace {

// Whether a polygon comes near a square: by its corners and the square's, with room to spare.
bool Near(const Polygon& polygon, const Point2& center, double reach) {
  if (Inside(polygon, center)) return true;
  for (size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++) {
    const Point2 &a = polygon[j], &b = polygon[i];
    const double dx = b.x - a.x, dy = b.y - a.y, square = dx * dx + dy * dy;
    const double t =
        square > 0 ? std::clamp(((center.x - a.x) * dx + (center.y - a.y) * dy) / square, 0.0, 1.0) : 0;
    const double ex = a.x + t * dx - center.x, ey = a.y + t * dy - center.y;
    if (ex * ex + ey * ey < reach * reach) return true;
  }
  return false;
}

}  // namespace

Ground::Ground(const Layout& layout) : layout_(layout) {
  auto cells = std::make_unique<Cells>();
  Cells& c = *cells;
  Random random(layout.seed, 31);
  c.seed = random.Bits();
  const auto tone = static_cast<float>(random.Uniform(0.055, 0.16));
  const auto warm = static_cast<float>(random.Uniform(0.96, 1.06));
  c.asphalt = {tone * warm, tone, tone / warm};
  const auto light = static_cast<float>(random.Uniform(0.20, 0.38));
  c.paving = {light, light * static_cast<float>(random.Uniform(0.9, 1.0)),
              light * static_cast<float>(random.Uniform(0.8, 0.98))};
  c.grass = random.Chance(0.5);
  c.beyond = c.grass ? Rgb{0.07f, 0.11f, 0.035f} : Rgb{light * 0.8f, light * 0.78f, light * 0.74f};
  c.paint = {0.62f, 0.62f, 0.60f};
  c.wear = static_cast<float>(random.Uniform(0.05, 0.5));
  c.slab = random.Uniform(0.4, 1.0);
  c.zebra = random.Chance(0.75);
  c.low = -(layout.extent_m + 15);
  c.side = static_cast<int>(-2 * c.low / Cells::kCell) + 1;
  c.cells.resize(static_cast<size_t>(c.side) * static_cast<size_t>(c.side));
  for (int y = 0; y < c.side; ++y) {
    for (int x = 0; x < c.side; ++x) {
      const Point2 center = {c.low + (x + 0.5) * Cells::kCell, c.low + (y + 0.5) * Cells::kCell};
      Cells::Cell& cell =
          c.cells[static_cast<size_t>(y) * static_cast<size_t>(c.side) + static_cast<size_t>(x)];
      const double reach = Cells::kCell * 0.75 + 0.5;
      const auto gather = [&](const auto& list, const auto& area_of, std::vector<uint16_t>* into) {
        for (size_t i = 0; i < list.size(); ++i) {
          if (Near(area_of(list[i]), center, reach)) into->push_back(static_cast<uint16_t>(i));
        }
      };
      gather(
          layout.lanes, [](const Lane& l) -> const Polygon& { return l.area; }, &cell.lanes);
      gather(
          layout.crosswalks, [](const Crosswalk& l) -> const Polygon& { return l.area; }, &cell.crosswalks);
      gather(
          layout.roads, [](const Polygon& l) -> const Polygon& { return l; }, &cell.roads);
      gather(
          layout.sidewalks, [](const Polygon& l) -> const Polygon& { return l; }, &cell.sidewalks);
    }
  }
  cells_ = std::move(cells);
}

Ground::~Ground() = default;

Rgb Ground::At(const Point2& point, double footprint_m) const {
  const Cells& c = *cells_;
  const auto x = static_cast<int>(Floor((point.x - c.low) / Cells::kCell)),
             y = static_cast<int>(Floor((point.y - c.low) / Cells::kCell));
  static const Cells::Cell kNothing;
  const bool known = x >= 0 && y >= 0 && x < c.side && y < c.side;
  const Cells::Cell& cell =
      known ? c.cells[static_cast<size_t>(y) * static_cast<size_t>(c.side) + static_cast<size_t>(x)]
            : kNothing;
  const auto within = [&](const auto& list, const auto& indices) {
    return std::any_of(indices.begin(), indices.end(), [&](uint16_t i) { return Inside(list[i], point); });
  };
  if (!within(layout_.roads, cell.roads)) {
    const bool walk = within(layout_.sidewalks, cell.sidewalks);
    const float grain = Noise(point, 0.35, footprint_m, c.seed + 1),
                patch = Noise(point, 3.1, footprint_m, c.seed + 2);
    if (!walk) return Times(c.beyond, 0.6f + 0.45f * grain + 0.35f * patch);
    // Slabs with dark joints, each of its own tone.
    const double u = point.x / c.slab, v = point.y / c.slab;
    const double du = (u - Floor(u) - 0.5) * c.slab, dv = (v - Floor(v) - 0.5) * c.slab;
    const float joint = std::max(1 - Cover(du, c.slab / 2 - 0.012, footprint_m),
                                 1 - Cover(dv, c.slab / 2 - 0.012, footprint_m));
    const float own = footprint_m < c.slab
                          ? Hash(static_cast<int>(Floor(u)), static_cast<int>(Floor(v)), c.seed + 3)
                          : 0.5f;
    return Times(c.paving, (0.82f + 0.14f * own + 0.12f * patch + 0.1f * grain) * (1 - 0.35f * joint));
  }
  // Asphalt: grain, cloudy patches, mended places, cracks.
  float tone = 0.72f + 0.22f * Noise(point, 0.06, footprint_m, c.seed + 4) +
               0.2f * Noise(point, 0.9, footprint_m, c.seed + 5) +
               0.24f * Noise(point, 6, footprint_m, c.seed + 6);
  const float mended = Noise(point, 9, footprint_m, c.seed + 7);
  if (mended > 0.78f) tone *= 0.8f;
  const float crack = std::abs(Noise(point, 2.3, footprint_m, c.seed + 8) - 0.5f);
  if (footprint_m < 0.15 && crack < 0.012f) tone *= 0.72f;
  Rgb color = Times(c.asphalt, tone);
  float painted = 0;
  for (const uint16_t i : cell.lanes) {
    const Lane& lane = layout_.lanes[i];
    if (!Near(lane.area, point, 0.2)) continue;
    const InLane at = LaneAxes(lane, point);
    // Tyres darken two tracks; oil drips between them.
    const float tracks =
        std::max(Cover(std::abs(at.aside) - 0.8, 0.35, 0.5), 0.6f * Cover(at.aside, 0.25, 0.5));
    color = Times(color, 1 - 0.16f * tracks * (0.5f + Noise(point, 2.5, footprint_m, c.seed + 9)));
    // Solid lines near the intersection, dashes beyond; both edges (neighbours paint the same line).
    const double dash = at.along - 9 * Floor(at.along / 9);
    const float along = at.along < 5.2 ? 0.0f : at.along < 22 ? 1.0f : Cover(dash - 1.5, 1.5, footprint_m);
    for (const double edge : {lane.width / 2, -lane.width / 2})
      painted = std::max(painted, along * Cover(at.aside - edge, 0.065, footprint_m));
    // The stop line lies 0.9 m before the crosswalk's far edge plus its gap.
    if (lane.incoming)
      painted = std::max(painted, Cover(at.along - (0.8 + 3.6 + 1.0), 0.2, footprint_m) *
                                      Cover(at.aside, lane.width / 2, footprint_m));
  }
  for (const uint16_t i : cell.crosswalks) {
    const Crosswalk& crosswalk = layout_.crosswalks[i];
    if (!Inside(crosswalk.area, point)) continue;
    const double dx = crosswalk.to.x - crosswalk.from.x, dy = crosswalk.to.y - crosswalk.from.y,
                 length = std::sqrt(dx * dx + dy * dy);
    const double along = ((point.x - crosswalk.from.x) * dx + (point.y - crosswalk.from.y) * dy) / length;
    const double aside = ((point.y - crosswalk.from.y) * dx - (point.x - crosswalk.from.x) * dy) / length;
    if (c.zebra) {
      const double stripe = along - Floor(along) - 0.5;
      painted = std::max(painted, footprint_m > 1 ? 0.5f : Cover(stripe, 0.25, footprint_m));
    } else {
      painted = std::max(painted, Cover(std::abs(aside) - (crosswalk.width / 2 - 0.2), 0.12, footprint_m));
    }
  }
  const float worn = 1 - c.wear * (0.4f + Noise(point, 0.5, footprint_m, c.seed + 10));
  return Mix(color, c.paint, painted * std::clamp(worn, 0.0f, 1.0f) * 0.92f);
}

}  // namespace sightline::simulate
