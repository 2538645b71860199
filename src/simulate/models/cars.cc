// Cars: a body lofted over a few cross-sections, a cabin of glass on it, wheels, lamps.
#include <algorithm>
#include <cmath>

#include "simulate/models/mesh_builder.h"

namespace sightline::simulate {
namespace {

constexpr Paint kTyre{{0.02f, 0.02f, 0.02f}};
constexpr Paint kRim{{0.35f, 0.35f, 0.36f}, Surface::kGloss};
constexpr Paint kGlass{{0.03f, 0.035f, 0.04f}, Surface::kGlass};
constexpr Paint kPlastic{{0.03f, 0.03f, 0.03f}};

// Shares of the length from the rear (0) to the front (1), and of the height.
struct Shape {
  double hood, belt, boot;                                // heights of hood, window sill, boot lid
  double cabin_rear, roof_rear, roof_front, cabin_front;  // along
  bool bed;                                               // pick-up
};
constexpr Shape kShapes[] = {
    {0.60, 0.64, 0.66, 0.08, 0.24, 0.54, 0.72, false},  // sedan
    {0.60, 0.63, 0.63, 0.01, 0.10, 0.56, 0.74, false},  // hatchback
    {0.60, 0.63, 0.63, 0.00, 0.06, 0.57, 0.74, false},  // estate
    {0.62, 0.64, 0.64, 0.01, 0.08, 0.60, 0.74, false},  // SUV
    {0.56, 0.60, 0.60, 0.00, 0.02, 0.74, 0.88, false},  // van
    {0.60, 0.63, 0.55, 0.38, 0.42, 0.62, 0.75, true},   // pick-up
};

struct Section {
  double x, half_width, z_low, z_high;
};

// The painted hull between two sections: shoulders drawn in a little.
void Hull(const Section& a, const Section& b, const Paint& paint, MeshBuilder* build) {
  const auto ring = [](const Section& s) {
    const double waist = s.z_low + (s.z_high - s.z_low) * 0.55;
    return std::array<Vertex, 6>{V(s.x, -s.half_width * 0.94, s.z_low), V(s.x, -s.half_width, waist),
                                 V(s.x, -s.half_width * 0.9, s.z_high), V(s.x, s.half_width * 0.9, s.z_high),
                                 V(s.x, s.half_width, waist),           V(s.x, s.half_width * 0.94, s.z_low)};
  };
  const auto p = ring(a), q = ring(b);  // b lies forward of a
  for (size_t i = 0; i < 6; ++i) {
    const size_t j = (i + 1) % 6;
    build->Face(p[i], q[i], q[j], p[j], paint);
  }
}

void Cap(const Section& s, bool front, const Paint& paint, MeshBuilder* build) {
  const double waist = s.z_low + (s.z_high - s.z_low) * 0.55;
  const Vertex a = V(s.x, -s.half_width * 0.94, s.z_low), b = V(s.x, -s.half_width, waist),
               c = V(s.x, -s.half_width * 0.9, s.z_high);
  const Vertex d = V(s.x, s.half_width * 0.9, s.z_high), e = V(s.x, s.half_width, waist),
               f = V(s.x, s.half_width * 0.94, s.z_low);
  if (front) {
    build->Face(a, f, e, b, paint);
    build->Face(b, e, d, c, paint);
  } else {
    build->Face(f, a, b, e, paint);
    build->Face(e, b, c, d, paint);
  }
}

// Two wheels of an axle, as far out as the body's half width lets them be when they are turned.
void Axle(double x, double half_width, double inset, double radius, double width, double steering, int sides,
          MeshBuilder* build) {
  const double reach = radius * std::abs(Sin(steering)) + width / 2 * Cos(steering);
  const double y = half_width - std::max(inset, reach);
  for (const double side : {1.0, -1.0})
    build->Wheel(x, side * y, radius, width, steering, sides, kTyre, kRim);
}

void Lamps(const Actor& actor, double time_s, double z, double height, MeshBuilder* build) {
  const double front = actor.length / 2, half = actor.width / 2;
  const bool braking = actor.acceleration < -0.8;
  const bool blink = (time_s * 1.5 - Floor(time_s * 1.5)) < 0.5;
  for (const double side : {1.0, -1.0}) {
    const double inner = side * half * 0.45, outer = side * half * 0.78;
    const double y1 = std::min(inner, outer), y2 = std::max(inner, outer);
    build->Box(V(front - 0.06, y1, z), V(front, y2, z + height),
               {{0.85f, 0.84f, 0.78f}, actor.lights ? Surface::kLamp : Surface::kGlass});
    build->Box(
        V(-front, y1, z + 0.05), V(-front + 0.05, y2, z + 0.05 + height),
        {{braking ? 1.0f : 0.35f, 0.015f, 0.01f}, braking || actor.lights ? Surface::kLamp : Surface::kMatt});
    const bool shows = (actor.hazard || (actor.indicator > 0) == (side > 0)) &&
                       (actor.hazard || actor.indicator != 0) && blink;
    if (!shows) continue;
    const double a = side * half * 0.68, b = side * half * 0.82;
    const Paint amber{{1.0f, 0.42f, 0.02f}, Surface::kLamp};
    build->Box(V(front - 0.12, std::min(a, b), z), V(front - 0.01, std::max(a, b), z + height * 0.9), amber);
    build->Box(V(-front + 0.01, std::min(a, b), z + 0.05), V(-front + 0.12, std::max(a, b), z + height),
               amber);
  }
  build->Box(V(front - 0.02, -0.26, z - 0.2), V(front, 0.26, z - 0.08), {{0.7f, 0.7f, 0.68f}});
  build->Box(V(-front, -0.26, z - 0.05), V(-front + 0.02, 0.26, z + 0.07), {{0.7f, 0.7f, 0.6f}});
}

}  // namespace

void BuildCar(const Actor& actor, double time_s, double detail, Mesh* mesh) {
  Random random(actor.look, 13);
  const double draw = random.Unit();
  const int kind = actor.height > 1.66 ? (draw < 0.6 ? 3 : 4)
                   : draw < 0.3        ? 0
                   : draw < 0.6        ? 1
                   : draw < 0.75       ? 2
                   : draw < 0.9        ? 3
                   : draw < 0.95       ? 5
                                       : 4;
  const Shape& shape = kShapes[kind];
  const bool taxi = kind == 0 && random.Chance(0.12);
  const Paint paint{taxi ? Rgb{0.8f, 0.55f, 0.03f} : CarPaint(&random), Surface::kGloss};
  MeshBuilder build(mesh);
  const double l = actor.length, h = actor.height, w = actor.width / 2, floor = 0.17 * h / 1.5 + 0.03;
  const auto x = [&](double share) { return (share - 0.5) * l; };
  const double hood = shape.hood * h, belt = shape.belt * h, boot = shape.boot * h;
  const Section sections[] = {{x(0), w * 0.86, floor + 0.12, boot * 0.93},
                              {x(0.04), w * 0.97, floor, boot},
                              {x(0.22), w, floor, std::max(belt, boot)},
                              {x(0.6), w, floor, belt},
                              {x(0.74), w * 0.99, floor, hood},
                              {x(0.93), w * 0.95, floor, hood * 0.86},
                              {x(1), w * 0.80, floor + 0.1, hood * 0.72}};
  for (size_t i = 0; i + 1 < std::size(sections); ++i) Hull(sections[i], sections[i + 1], paint, &build);
  Cap(sections[0], false, paint, &build);
  Cap(sections[6], true, paint, &build);
  // The cabin: glass around, a painted roof, pillars where there is detail to see.
  const double sill = belt - 0.02, roof = h;
  build.Frustum({x(shape.cabin_rear), x(shape.cabin_front), w * 0.9, sill},
                {x(shape.roof_rear), x(shape.roof_front), w * 0.72, roof - 0.05}, kGlass, kGlass, kGlass,
                paint);
  build.Frustum({x(shape.roof_rear) - 0.03, x(shape.roof_front) + 0.03, w * 0.74, roof - 0.06},
                {x(shape.roof_rear) + 0.08, x(shape.roof_front) - 0.08, w * 0.66, roof}, paint, paint);
  if (detail > 0.4) {
    for (const double side : {1.0, -1.0}) {
      for (const double t : {0.08, 0.5}) {
        const double low = shape.cabin_rear + t * (shape.cabin_front - shape.cabin_rear);
        const double high = shape.roof_rear + t * (shape.roof_front - shape.roof_rear);
        build.Limb(V(x(low), side * w * 0.9, sill), V(x(high), side * w * 0.725, roof - 0.05), 0.045, 0.04, 4,
                   paint);
      }
      build.Box(V(x(0.66), side > 0 ? w * 0.9 : -w, belt - 0.02),
                V(x(0.66) + 0.16, side > 0 ? w : -w * 0.9, belt + 0.11), paint);
    }
  }
  if (shape.bed)
    build.Frustum({x(0.03), x(0.37), w * 0.85, boot - 0.01}, {x(0.04), x(0.36), w * 0.8, boot + 0.01},
                  kPlastic, kPlastic);
  if (taxi) build.Box(V(x(0.42), -0.16, roof - 0.12), V(x(0.45), 0.16, roof), {{0.9f, 0.85f, 0.5f}});
  const double radius = std::clamp(0.22 * h, 0.3, 0.38);
  Axle(x(0.815), w, 0.11, radius, 0.22, actor.steering, 10, &build);
  Axle(x(0.19), w, 0.11, radius, 0.22, 0, 10, &build);
  Lamps(actor, time_s, hood * 0.62, 0.13, &build);
}

void BuildBus(const Actor& actor, double time_s, Mesh* mesh) {
  Random random(actor.look, 14);
  MeshBuilder build(mesh);
  constexpr Rgb kLiveries[] = {{0.55f, 0.05f, 0.04f}, {0.70f, 0.69f, 0.66f}, {0.05f, 0.16f, 0.45f},
                               {0.75f, 0.52f, 0.04f}, {0.08f, 0.35f, 0.14f}, {0.45f, 0.45f, 0.48f}};
  const Paint body{kLiveries[random.Below(6)], Surface::kGloss};
  const Paint band{random.Chance(0.5) ? Rgb{0.7f, 0.7f, 0.7f} : CarPaint(&random), Surface::kGloss};
  const Paint roof{random.Chance(0.6) ? Rgb{0.65f, 0.65f, 0.65f} : body.color, Surface::kMatt};
  const double l = actor.length / 2, w = actor.width / 2, h = actor.height;
  build.Frustum({-l, l, w, 0.32}, {-l, l, w, 0.36 * h}, body, body);
  build.Frustum({-l, l, w, 0.36 * h}, {-l, l, w, 0.40 * h}, band, band);
  build.Frustum({-l + 0.03, l - 0.02, w - 0.02, 0.40 * h}, {-l + 0.06, l - 0.16, w - 0.06, 0.80 * h}, kGlass,
                kGlass, kGlass, kGlass);
  for (double x = -l + 0.08; x < l - 0.6; x += 1.45) {  // pillars
    for (const double side : {1.0, -1.0})
      build.Box(V(x, side > 0 ? w - 0.06 : -w, 0.40 * h), V(x + 0.14, side > 0 ? w : -w + 0.06, 0.80 * h),
                body);
  }
  build.Frustum({-l + 0.01, l - 0.1, w - 0.01, 0.79 * h}, {-l + 0.12, l - 0.22, w - 0.14, h * 0.96}, body,
                roof);
  build.Box(V(-l * 0.5, -w * 0.6, 0.94 * h), V(-l * 0.1, w * 0.6, h), roof);
  build.Box(V(l * 0.2, -w * 0.55, 0.94 * h), V(l * 0.4, w * 0.55, 0.99 * h), roof);
  build.Box(V(l - 0.14, -w * 0.7, 0.81 * h), V(l - 0.09, w * 0.7, 0.92 * h),
            {{0.9f, 0.5f, 0.05f}, Surface::kLamp});  // destination
  for (const double x : {-l * 0.1, l * 0.72}) {
    build.Box(V(x, -w - 0.005, 0.34), V(x + 1.2, -w + 0.02, 0.78 * h),
              {{0.08f, 0.09f, 0.10f}, Surface::kGlass});  // doors
  }
  // Wheels stand out a little: the flanks are flat.
  Axle(l * 0.56, w + 0.015, 0.15, 0.48, 0.3, actor.steering, 12, &build);
  Axle(-l * 0.5, w + 0.015, 0.15, 0.48, 0.3, 0, 12, &build);
  Lamps(actor, time_s, 0.62, 0.2, &build);
}

void BuildTruck(const Actor& actor, double time_s, Mesh* mesh) {
  Random random(actor.look, 15);
  MeshBuilder build(mesh);
  const Paint cab{CarPaint(&random), Surface::kGloss};
  const double l = actor.length / 2, w = actor.width / 2, h = actor.height;
  const double cab_length = std::min(2.1, actor.length * 0.3), cab_rear = l - cab_length;
  const int kind = random.Below(4);  // box, box, flatbed, tipper
  const double cab_height = kind == 2 || kind == 3 ? h : std::min(h * 0.86, 2.7);
  build.Box(V(-l + 0.1, -w * 0.45, 0.55), V(cab_rear, w * 0.45, 0.8), {{0.05f, 0.05f, 0.05f}});
  build.Frustum({cab_rear, l, w * 0.97, 0.42}, {cab_rear, l - 0.02, w * 0.97, 0.52 * cab_height}, cab, cab);
  build.Frustum({cab_rear + 0.02, l - 0.03, w * 0.95, 0.52 * cab_height},
                {cab_rear + 0.04, l - 0.3, w * 0.88, 0.88 * cab_height}, kGlass, cab, kGlass, cab);
  build.Frustum({cab_rear, l - 0.26, w * 0.92, 0.86 * cab_height},
                {cab_rear + 0.05, l - 0.5, w * 0.84, cab_height}, cab, cab);
  for (const double side : {1.0, -1.0}) {  // pillars behind the doors
    build.Box(V(cab_rear + 0.01, side > 0 ? w * 0.88 : -w * 0.96, 0.5 * cab_height),
              V(cab_rear + cab_length * 0.42, side > 0 ? w * 0.96 : -w * 0.88, 0.88 * cab_height), cab);
    build.Box(V(l - 0.4, side > 0 ? w * 0.94 : -w, 0.6 * cab_height),
              V(l - 0.3, side > 0 ? w : -w * 0.94, 0.8 * cab_height), kPlastic);
  }
  const double bed_front = cab_rear - 0.12;
  if (kind <= 1) {
    const Paint box{random.Chance(0.65) ? Rgb{0.68f, 0.68f, 0.67f} : CarPaint(&random), Surface::kMatt};
    build.Frustum({-l, bed_front, w, 0.8}, {-l, bed_front, w, h - 0.04}, box, box);
    build.Frustum({-l, bed_front, w, h - 0.04}, {-l + 0.05, bed_front - 0.05, w - 0.05, h}, box,
                  {{0.6f, 0.6f, 0.6f}});
    build.Box(V(-l * 0.7, -w - 0.004, h * 0.45), V(bed_front - 0.8, -w + 0.02, h * 0.75),
              {CarPaint(&random)});
    build.Box(V(-l * 0.7, w - 0.02, h * 0.45), V(bed_front - 0.8, w + 0.004, h * 0.75), {CarPaint(&random)});
  } else if (kind == 2) {
    build.Frustum({-l, bed_front, w, 0.8}, {-l, bed_front, w, 1.3}, {{0.28f, 0.2f, 0.12f}},
                  {{0.18f, 0.13f, 0.08f}});
    const double load = random.Uniform(0.4, 0.9);
    build.Frustum({-l * 0.8, bed_front - 0.5, w * 0.8, 1.28},
                  {-l * 0.75, bed_front - 0.7, w * 0.7, 1.28 + load}, {Cloth(&random)}, {Cloth(&random)});
  } else {
    const Paint tub{random.Chance(0.5) ? Rgb{0.55f, 0.35f, 0.03f} : CarPaint(&random), Surface::kMatt};
    build.Frustum({-l + 0.3, bed_front - 0.1, w * 0.8, 0.8}, {-l, bed_front, w, 0.78 * h}, tub,
                  {{0.25f, 0.2f, 0.15f}});
  }
  Axle(l - cab_length * 0.5, w, 0.16, 0.46, 0.28, actor.steering, 10, &build);
  Axle(-l * 0.55, w, 0.2, 0.46, 0.36, 0, 10, &build);
  if (actor.length > 7.5) Axle(-l * 0.55 - 1.05, w, 0.2, 0.46, 0.36, 0, 10, &build);
  Lamps(actor, time_s, 0.7, 0.18, &build);
}

}  // namespace sightline::simulate
