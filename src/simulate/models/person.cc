// People on foot.
#include <algorithm>
#include <cmath>

#include "simulate/models/mesh_builder.h"

namespace sightline::simulate {
namespace {

constexpr Rgb kSkins[] = {
    {0.60f, 0.42f, 0.33f}, {0.50f, 0.33f, 0.24f}, {0.34f, 0.20f, 0.13f}, {0.18f, 0.10f, 0.07f}};
constexpr Rgb kHairs[] = {
    {0.03f, 0.025f, 0.02f}, {0.12f, 0.07f, 0.04f}, {0.35f, 0.25f, 0.12f}, {0.45f, 0.44f, 0.43f}};

struct Person {
  Paint skin, hair, upper, lower, shoes, bag;
  double girth = 1;
  bool skirt = false, carries = false, coat = false;
};

Person Dress(uint32_t look) {
  Random random(look, 11);
  Person person;
  person.skin.color = kSkins[random.Below(4)];
  person.hair.color = kHairs[random.Below(4)];
  person.upper.color = Cloth(&random);
  person.lower.color = random.Chance(0.5) ? Rgb{0.05f, 0.07f, 0.14f} : Cloth(&random);
  person.shoes.color = random.Chance(0.7) ? Rgb{0.03f, 0.03f, 0.03f} : Rgb{0.6f, 0.6f, 0.6f};
  person.bag.color = Cloth(&random);
  person.girth = random.Uniform(0.9, 1.2);
  person.skirt = random.Chance(0.2);
  person.carries = random.Chance(0.35);
  person.coat = random.Chance(0.25);
  return person;
}

// A leg from the hip: thigh and shin, bent at the knee. Angles from straight down, forward is positive.
struct Leg {
  double thigh = 0, knee = 0;  // radians; the knee bends the shin backward
};

Leg LegAt(double phase, double swing) {
  Leg leg;
  leg.thigh = swing * Sin(phase);
  // The knee bends while the leg comes forward.
  leg.knee = std::max(0.0, Sin(phase + 0.9)) * swing * 1.1 * (0.7 + 0.3 * Cos(phase)) + 0.05;
  return leg;
}

}  // namespace

void BuildPerson(const Actor& actor, Mesh* mesh) {
  const Person person = Dress(actor.look);
  MeshBuilder build(mesh);
  const double h = actor.height;
  const double stride = 0.83 * h;  // two steps
  const double phase = 2 * kPi * actor.travelled / stride;
  const double going = std::min(1.0, actor.speed / 1.2);
  const double swing = 0.46 * going;
  const double thigh = 0.245 * h, shin = 0.235 * h, hip_width = 0.085 * h * person.girth;
  const Leg legs[2] = {LegAt(phase, swing), LegAt(phase + kPi, swing)};
  // The lower foot stands on the ground.
  double reach = 0;
  for (const Leg& leg : legs)
    reach = std::max(reach, thigh * Cos(leg.thigh) + shin * Cos(leg.thigh - leg.knee));
  const double sole = 0.03 * h, hip = reach + sole;
  for (int side = 0; side < 2; ++side) {
    const Leg& leg = legs[side];
    const double y = side == 0 ? hip_width * 0.6 : -hip_width * 0.6;
    const Vertex top = V(0, y, hip);
    const Vertex knee = V(thigh * Sin(leg.thigh), y, hip - thigh * Cos(leg.thigh));
    const double low = leg.thigh - leg.knee;
    const Vertex ankle = V(knee.x + shin * Sin(low), y, knee.z - shin * Cos(low));
    const Paint& cloth = person.skirt ? person.skin : person.lower;
    build.Limb(top, knee, 0.052 * h * person.girth, 0.038 * h, 5, cloth);
    build.Limb(knee, ankle, 0.038 * h, 0.026 * h, 5, cloth);
    build.Box(V(ankle.x - 0.035 * h, y - 0.028 * h, ankle.z - sole),
              V(ankle.x + 0.1 * h, y + 0.028 * h, ankle.z + 0.01 * h), person.shoes);
  }
  // The rest of the body fills what is left up to the full height.
  const double head = 0.125 * h, shoulder = std::max(hip + 0.2 * h, h - head - 0.045 * h);
  const double depth = 0.065 * h * person.girth, waist = hip_width * 1.25,
               shoulders = std::min(actor.width / 2, 0.14 * h);
  if (person.skirt || person.coat) {
    const double hem = hip - (person.coat ? 0.17 : 0.14) * h;
    build.Frustum({-depth * 1.5, depth * 1.5, waist * 1.3, hem}, {-depth, depth, waist, hip + 0.05 * h},
                  person.coat ? person.upper : person.lower, person.lower);
  }
  build.Frustum({-depth, depth, waist, hip - 0.02 * h},
                {-depth * 0.9, depth * 0.9, waist * 0.92, hip + 0.12 * h}, person.lower, person.upper);
  build.Frustum({-depth * 0.9, depth * 0.9, waist * 0.92, hip + 0.1 * h},
                {-depth, depth, shoulders * 0.95, shoulder - 0.02 * h}, person.upper, person.upper);
  build.Frustum({-depth, depth, shoulders * 0.95, shoulder - 0.02 * h},
                {-depth * 0.5, depth * 0.5, 0.04 * h, shoulder + 0.02 * h}, person.upper, person.upper);
  for (int side = 0; side < 2; ++side) {
    const double y = side == 0 ? shoulders * 0.92 : -shoulders * 0.92;
    const double angle = -0.75 * swing * Sin(phase + (side == 0 ? 0 : kPi)), bend = 0.25 + 0.3 * going;
    const Vertex top = V(0, y, shoulder - 0.03 * h);
    const Vertex elbow = V(0.17 * h * Sin(angle), y * 1.06, top.z - 0.17 * h * Cos(angle));
    const Vertex hand =
        V(elbow.x + 0.15 * h * Sin(angle + bend), y * 1.04, elbow.z - 0.15 * h * Cos(angle + bend));
    build.Limb(top, elbow, 0.03 * h, 0.024 * h, 4, person.upper);
    build.Limb(elbow, hand, 0.024 * h, 0.018 * h, 4, person.coat ? person.upper : person.skin);
    if (person.carries && side == 0)
      build.Box(V(hand.x - 0.07 * h, y * 1.04 - 0.03 * h, hand.z - 0.2 * h),
                V(hand.x + 0.07 * h, y * 1.04 + 0.03 * h, hand.z), person.bag);
  }
  build.Limb(V(0, 0, shoulder), V(0.005 * h, 0, h - head * 0.8), 0.03 * h, 0.03 * h, 5, person.skin);
  build.Ball(V(0.01 * h, 0, h - head / 2 - 0.004), 0.044 * h, head / 2, 4, 6, person.skin);
  build.Ball(V(-0.004 * h, 0, h - head * 0.4), 0.05 * h, head * 0.4, 4, 6, person.hair);
}

}  // namespace sightline::simulate
