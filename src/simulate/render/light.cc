#include "simulate/render/light.h"

#include <algorithm>

#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

Rgb Gray(float v) { return {v, v, v}; }

constexpr double kArm = 1.65;  // metres from the pole to the lamp

}  // namespace

Rgb Light::SkyTowards(float up) const {
  const float share = std::clamp(up * 1.6f, 0.f, 1.f);
  return Mix(horizon, zenith, std::sqrt(share));
}

Rgb Light::On(const Vector3& normal, float sunlit) const {
  const float upward = 0.5f + 0.5f * normal.z;
  const float facing = std::max(0.f, Dot(normal, to_sun)) * sunlit;
  return Mix(bounce, sky, upward) + sun * facing;
}

Light LightOf(const Weather& weather, uint64_t seed) {
  Random random = Random(seed).Fork(0x117);
  const bool white_lamps = random.Chance(0.5);
  const auto spread = static_cast<float>(random.Uniform(0.7, 1.4));
  const auto clouds = static_cast<float>(std::clamp(std::max(weather.clouds, 0.9 * weather.rain), 0.0, 1.0));
  const auto rain = static_cast<float>(std::clamp(weather.rain, 0.0, 1.0));
  const auto fog = static_cast<float>(std::clamp(weather.fog, 0.0, 1.0));
  const auto elevation = static_cast<float>(std::clamp(weather.sun_elevation, 0.06, 1.5));
  Light light;
  const float flat = std::cos(elevation);
  light.to_sun = {flat * static_cast<float>(Cos(weather.sun_azimuth)),
                  flat * static_cast<float>(Sin(weather.sun_azimuth)), std::sin(elevation)};
  light.wetness = static_cast<float>(std::clamp(weather.wetness, 0.0, 1.0));
  const Rgb lamp_color = white_lamps ? Rgb{0.85f, 0.93f, 1.0f} : Rgb{1.0f, 0.62f, 0.26f};
  const float veil = (1 - clouds) * (1 - clouds) * (1 - 0.9f * fog);
  if (weather.light == DayLight::kDay) {
    const float low = std::exp(-elevation * 4.f);  // reddened and weakened near the horizon
    light.sun = Mix({1.0f, 0.95f, 0.86f}, {0.95f, 0.6f, 0.32f}, low) * (1.15f * (1 - 0.5f * low) * veil);
    light.sky =
        Mix({0.24f, 0.31f, 0.42f}, Gray(0.52f - 0.2f * rain), clouds) * (0.7f + 0.3f * std::sin(elevation));
    light.zenith = Mix({0.16f, 0.32f, 0.66f}, Gray(0.6f - 0.25f * rain), clouds);
    light.horizon = Mix({0.62f, 0.74f, 0.88f}, Gray(0.75f - 0.3f * rain), clouds);
    light.lamp = 0.9f;
    light.headlight = 0.03f;
    light.windows = 0;
  } else if (weather.light == DayLight::kDusk) {
    light.sun = Rgb{0.30f, 0.13f, 0.05f} * veil;
    light.sky = Mix({0.055f, 0.06f, 0.10f}, {0.05f, 0.053f, 0.065f}, clouds);
    light.zenith = Mix({0.05f, 0.07f, 0.16f}, Gray(0.06f), clouds);
    light.horizon = Mix({0.35f, 0.2f, 0.14f}, {0.1f, 0.1f, 0.12f}, clouds);
    light.street_lamp = lamp_color * (0.05f * spread);
    light.lamp = 0.7f;
    light.headlight = 0.06f;
    light.windows = 0.12f;
  } else {
    light.sky = Rgb{0.0042f, 0.0045f, 0.006f};
    light.zenith = Rgb{0.003f, 0.0035f, 0.006f};
    light.horizon = Rgb{0.012f, 0.01f, 0.009f};
    light.street_lamp = lamp_color * (0.055f * spread);
    light.lamp = 0.6f;
    light.headlight = 0.07f;
    light.windows = 0.07f;
  }
  light.bounce = (light.sky + light.sun * light.to_sun.z) * Rgb{0.24f, 0.23f, 0.21f};
  light.fog = static_cast<float>(ExtinctionPerMetre(weather));
  light.fog_color =
      Mix(light.horizon, light.sky * 1.1f + light.sun * 0.35f, 0.6f) + light.street_lamp * 0.22f;
  return light;
}

std::vector<LampPoint> LampsOf(const Layout& layout) {
  std::vector<LampPoint> lamps;
  for (const Pole& pole : layout.poles) {
    lamps.push_back({ToVector({pole.position.x + kArm * Cos(pole.heading),
                               pole.position.y + kArm * Sin(pole.heading), pole.height}),
                     static_cast<float>(pole.height * 3.5)});
  }
  return lamps;
}

Mesh LampPanes(const Layout& layout) {
  Mesh mesh;
  for (const Pole& pole : layout.poles) {
    const double c = Cos(pole.heading), s = Sin(pole.heading);
    const auto first = static_cast<uint16_t>(mesh.vertices.size());
    for (int i = 0; i < 8; ++i) {
      const double u = kArm + (i & 1 ? 0.3 : -0.3), v = i & 2 ? 0.1 : -0.1;
      mesh.vertices.push_back({static_cast<float>(pole.position.x + c * u - s * v),
                               static_cast<float>(pole.position.y + s * u + c * v),
                               static_cast<float>(pole.height - (i & 4 ? 0.01 : 0.1))});
    }
    const auto side = [&](int a, int b, int d, int e, const Vertex& normal) {
      const auto corner = [&](int k) { return static_cast<uint16_t>(first + k); };
      mesh.triangles.push_back(
          {{corner(a), corner(b), corner(d)}, normal, {1, 0.95f, 0.85f}, Surface::kLamp});
      mesh.triangles.push_back(
          {{corner(a), corner(d), corner(e)}, normal, {1, 0.95f, 0.85f}, Surface::kLamp});
    };
    const auto cf = static_cast<float>(c), sf = static_cast<float>(s);
    side(0, 1, 3, 2, {0, 0, -1});
    side(0, 1, 5, 4, {sf, -cf, 0});
    side(2, 3, 7, 6, {-sf, cf, 0});
    side(0, 2, 6, 4, {-cf, -sf, 0});
    side(1, 3, 7, 5, {cf, sf, 0});
  }
  return mesh;
}

float LampOn(const LampPoint& lamp, const Vector3& point, const Vector3& normal) {
  const Vector3 way = lamp.position - point;
  const float square = Dot(way, way);
  if (square > lamp.reach * lamp.reach || way.z < -0.5f) return 0;
  const float distance = std::sqrt(square) + 1e-3f;
  const float facing = Dot(way, normal) / distance;
  if (facing <= 0) return 0;
  const float down = std::max(0.f, way.z / distance);  // the shade above the lamp lets light out below alone
  const float height = lamp.position.z;
  const float edge = 1 - square / (lamp.reach * lamp.reach);
  return facing * (0.25f + 0.75f * down) * height * height / (square + 1) * edge;
}

}  // namespace sightline::simulate
