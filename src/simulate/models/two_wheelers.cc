// Bicycles and motorcycles with their riders.
#include <algorithm>
#include <cmath>

#include "simulate/models/mesh_builder.h"

namespace sightline::simulate {
namespace {

constexpr Paint kTyre{{0.02f, 0.02f, 0.02f}};
constexpr Paint kRim{{0.09f, 0.09f, 0.095f}};  // spokes let the dark through

struct Rider {
  Paint skin, upper, lower, helmet;
};
Rider Dress(Random* random) {
  Rider rider;
  rider.skin.color = {0.5f, 0.34f, 0.26f};
  rider.upper.color = Cloth(random);
  rider.lower.color = random->Chance(0.6) ? Rgb{0.04f, 0.05f, 0.09f} : Cloth(random);
  rider.helmet.color = random->Chance(0.5) ? Rgb{0.65f, 0.65f, 0.66f} : CarPaint(random);
  rider.helmet.surface = Surface::kGloss;
  return rider;
}

// Sits at `hip`, hands at `hands` (x, half width, z), head up to `top`.
void BuildRider(const Rider& rider, const Vertex& hip, const Vertex& hands, double top, double lean,
                double half_width, MeshBuilder* build) {
  const double head = 0.24;
  const double shoulder_z = top - head - 0.03, shoulder_x = hip.x + lean;
  build->Limb(hip, V(shoulder_x, 0, shoulder_z), 0.15, 0.18, 6, rider.upper);
  for (const double side : {1.0, -1.0}) {
    const Vertex shoulder = V(shoulder_x, side * std::min(0.2, half_width * 0.7), shoulder_z - 0.05);
    const Vertex hand = V(hands.x, side * hands.y, hands.z);
    const Vertex elbow = V((shoulder.x + hand.x) / 2 - 0.03, side * std::min(0.27, half_width - 0.05),
                           (shoulder.z + hand.z) / 2 - 0.08);
    build->Limb(shoulder, elbow, 0.06, 0.05, 4, rider.upper);
    build->Limb(elbow, hand, 0.05, 0.04, 4, rider.upper);
  }
  build->Ball(V(shoulder_x + 0.06, 0, top - head / 2), 0.105, head / 2, 4, 6, rider.helmet);
  build->Ball(V(shoulder_x + 0.1, 0, top - head * 0.62), 0.085, head * 0.3, 3, 5, rider.skin);
}

void BuildLegs(const Rider& rider, const Vertex& hip, const std::array<Vertex, 2>& feet, MeshBuilder* build) {
  for (size_t i = 0; i < 2; ++i) {
    const double y = i == 0 ? 0.11 : -0.11;
    const Vertex top = V(hip.x, y, hip.z);
    const Vertex& foot = feet[i];
    // The knee is forward of the middle.
    const Vertex knee = V((top.x + foot.x) / 2 + 0.2, y * 1.2, (top.z + foot.z) / 2 + 0.1);
    build->Limb(top, knee, 0.085, 0.065, 5, rider.lower);
    build->Limb(knee, foot, 0.065, 0.045, 5, rider.lower);
    build->Box(V(foot.x - 0.06, foot.y - 0.045, foot.z - 0.06),
               V(foot.x + 0.16, foot.y + 0.045, foot.z + 0.02), {{0.04f, 0.04f, 0.04f}});
  }
}

void BuildBicycle(const Actor& actor, Random* random, MeshBuilder* build) {
  const double radius = 0.335, front = actor.length / 2 - radius, rear = -actor.length / 2 + radius;
  const Paint frame{CarPaint(random), Surface::kGloss};
  build->Wheel(front, 0, radius, 0.045, actor.steering, 12, kTyre, {{0.10f, 0.10f, 0.10f}});
  build->Wheel(rear, 0, radius, 0.045, 0, 12, kTyre, {{0.10f, 0.10f, 0.10f}});
  const Vertex axle_r = V(rear, 0, radius), axle_f = V(front, 0, radius), crank = V(-0.1, 0, 0.29);
  const Vertex seat = V(-0.22, 0, 0.92), stem = V(front - 0.14, 0, 0.95);
  for (const auto& [a, b] : {std::pair(axle_r, crank), std::pair(crank, stem), std::pair(crank, seat),
                             std::pair(seat, stem), std::pair(axle_r, seat), std::pair(stem, axle_f)}) {
    build->Limb(a, b, 0.024, 0.024, 4, frame);
  }
  build->Box(V(stem.x - 0.03, -0.28, 0.96), V(stem.x + 0.03, 0.28, 1.01), {{0.05f, 0.05f, 0.05f}});
  build->Box(V(-0.34, -0.08, 0.92), V(-0.1, 0.08, 0.98), {{0.04f, 0.04f, 0.04f}});
  const double phase = 2 * kPi * actor.travelled / 4.5;
  const double turn = actor.speed > 0.3 ? phase : 0.4;
  const Rider rider = Dress(random);
  const Vertex hip = V(-0.22, 0, 1.0);
  const std::array<Vertex, 2> feet = {
      V(crank.x + 0.17 * Cos(turn), 0.13, crank.z + 0.06 + 0.17 * Sin(turn)),
      V(crank.x - 0.17 * Cos(turn), -0.13, crank.z + 0.06 - 0.17 * Sin(turn))};
  BuildLegs(rider, hip, feet, build);
  BuildRider(rider, hip, V(stem.x, 0.26, 1.0), actor.height, 0.3, actor.width / 2, build);
}

void BuildMotorcycle(const Actor& actor, Random* random, MeshBuilder* build) {
  const double radius = 0.31, front = actor.length / 2 - radius, rear = -actor.length / 2 + radius;
  const bool scooter = random->Chance(0.4);
  const Paint paint{CarPaint(random), Surface::kGloss};
  build->Wheel(front, 0, radius, 0.12, actor.steering, 12, kTyre, kRim);
  build->Wheel(rear, 0, radius, 0.17, 0, 12, kTyre, kRim);
  build->Frustum({-0.5, 0.42, 0.17, 0.28}, {-0.45, 0.38, 0.2, 0.62}, {{0.06f, 0.06f, 0.065f}},
                 {{0.06f, 0.06f, 0.065f}});
  build->Frustum({-0.25, 0.45, 0.2, 0.6}, {-0.1, 0.38, 0.14, 0.84}, paint, paint);                     // tank
  build->Frustum({-0.92, -0.2, 0.15, 0.62}, {-0.9, -0.2, 0.17, 0.8}, paint, {{0.03f, 0.03f, 0.03f}});  // seat
  build->Limb(V(front, 0, radius), V(0.38, 0, 0.95), 0.05, 0.05, 4, {{0.12f, 0.12f, 0.12f}});
  if (scooter) build->Frustum({0.3, 0.6, 0.24, 0.3}, {0.3, 0.42, 0.26, 0.95}, paint, paint);  // leg shield
  build->Frustum({0.4, 0.62, 0.15, 0.75}, {0.38, 0.5, 0.12, 1.05}, paint,
                 {{0.02f, 0.02f, 0.02f}, Surface::kGlass});
  build->Box(V(0.33, -0.36, 0.98), V(0.4, 0.36, 1.03), {{0.05f, 0.05f, 0.05f}});
  build->Box(V(0.6, -0.07, 0.74), V(0.64, 0.07, 0.86),
             {{0.85f, 0.83f, 0.75f}, Surface::kLamp});  // by day, too, as the law asks of motorcycles
  const bool braking = actor.acceleration < -0.8;
  build->Box(
      V(-actor.length / 2 + 0.02, -0.06, 0.72), V(-actor.length / 2 + 0.06, 0.06, 0.8),
      {{braking ? 1.0f : 0.35f, 0.02f, 0.01f}, braking || actor.lights ? Surface::kLamp : Surface::kMatt});
  const Rider rider = Dress(random);
  const Vertex hip = V(-0.38, 0, 0.9);
  BuildLegs(rider, hip, {V(0.0, 0.22, 0.34), V(0.0, -0.22, 0.34)}, build);
  BuildRider(rider, hip, V(0.36, 0.33, 1.02), actor.height, 0.22, actor.width / 2, build);
}

}  // namespace

void BuildTwoWheeler(const Actor& actor, Mesh* mesh) {
  Random random(actor.look, 12);
  MeshBuilder build(mesh);
  if (actor.kind == ActorKind::kBicycle) return BuildBicycle(actor, &random, &build);
  BuildMotorcycle(actor, &random, &build);
}

}  // namespace sightline::simulate
