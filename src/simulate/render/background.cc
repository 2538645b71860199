#include "simulate/render/background.h"

#include <algorithm>

namespace sightline::simulate {
namespace {

constexpr int64_t kManyPixels = 2'200'000;  // pictures above this are sampled once a pixel
constexpr double kFarGround = 600;          // metres; farther ground is haze

uint32_t Hash(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ (x >> 16);
}
float HashUnit(int x, int y) {
  return static_cast<float>(Hash(static_cast<uint32_t>(x) * 0x9e3779b1u ^ Hash(static_cast<uint32_t>(y))) >>
                            8) *
         (1.f / 16777216.f);
}
// Smooth, 0..1.
float ValueNoise(float x, float y) {
  const float fx = std::floor(x), fy = std::floor(y);
  const int ix = static_cast<int>(fx), iy = static_cast<int>(fy);
  float u = x - fx, v = y - fy;
  u = u * u * (3 - 2 * u);
  v = v * v * (3 - 2 * v);
  const float upper = HashUnit(ix, iy) * (1 - u) + HashUnit(ix + 1, iy) * u;
  const float lower = HashUnit(ix, iy + 1) * (1 - u) + HashUnit(ix + 1, iy + 1) * u;
  return upper * (1 - v) + lower * v;
}
float Power4(float x) { return x * x * x * x; }
// (1 - x)^-like highlight of width 1/k without a power function.
float Highlight(float cosine, float k) {
  const float off = std::max(0.f, 1 - cosine) * k;
  return 1 / ((1 + off) * (1 + off) * (1 + off));
}

}  // namespace

void LinearImage::Allocate(Size size) {
  width = size.width;
  height = size.height;
  const auto pixels = static_cast<size_t>(width) * static_cast<size_t>(height);
  for (std::vector<float>* plane : {&red, &green, &blue}) plane->assign(pixels, 0);
}

Background::Background(const Layout& layout, const std::vector<Mesh>* surroundings, uint64_t seed)
    : surroundings_(*surroundings),
      projection_(layout.camera),
      size_(layout.camera.size),
      samples_(static_cast<int64_t>(size_.width) * size_.height > kManyPixels ? 1 : 2),
      canvas_{layout.camera.focal_px * samples_, size_.width * samples_ / 2.0, size_.height * samples_ / 2.0,
              size_.width * samples_, size_.height * samples_},
      seed_(seed),
      lamps_(LampsOf(layout)) {
  const auto rotation = layout.camera.Rotation();
  eye_ = ToVector(layout.camera.position);
  right_ = ToVector({rotation[0][0], rotation[0][1], rotation[0][2]});
  down_ = ToVector({rotation[1][0], rotation[1][1], rotation[1][2]});
  forward_ = ToVector({rotation[2][0], rotation[2][1], rotation[2][2]});
  const auto count = static_cast<size_t>(canvas_.width) * static_cast<size_t>(canvas_.height);
  inverse_.assign(count, 0);
  surface_.assign(count, kSky);
  ground_color_.assign(count, {});
  DrawGround(layout);
  DrawMeshes();
  Summarise();
}

Vector3 Background::Ray(int x, int y) const {
  const float u = static_cast<float>((x + 0.5 - canvas_.center_x) / canvas_.focal),
              v = static_cast<float>((y + 0.5 - canvas_.center_y) / canvas_.focal);
  return right_ * u + down_ * v + forward_;
}

void Background::DrawGround(const Layout& layout) {
  const Ground ground(layout);
  const auto code = [](float v) {
    return static_cast<uint8_t>(std::sqrt(std::clamp(v, 0.f, 1.f)) * 255.f + 0.5f);
  };
  const Point3& eye = layout.camera.position;
  for (int y = 0; y < canvas_.height; ++y) {
    for (int x = 0; x < canvas_.width; ++x) {
      const Vector3 ray = Ray(x, y);
      if (ray.z > -1e-4f) continue;
      const double depth = eye.z / -static_cast<double>(ray.z);
      if (depth > kFarGround) continue;
      const size_t at = static_cast<size_t>(y) * static_cast<size_t>(canvas_.width) + static_cast<size_t>(x);
      const double across = depth / canvas_.focal;
      const double slant = std::sqrt(static_cast<double>(Dot(ray, ray))) / -static_cast<double>(ray.z);
      const Rgb color =
          ground.At({eye.x + static_cast<double>(ray.x) * depth, eye.y + static_cast<double>(ray.y) * depth},
                    across * std::sqrt(slant));
      surface_[at] = kGround;
      inverse_[at] = static_cast<float>(1 / depth);
      ground_color_[at] = {code(color.red), code(color.green), code(color.blue)};
    }
  }
}

void Background::DrawMesh(const Mesh& mesh, uint32_t first, std::vector<uint32_t>* surface,
                          std::vector<float>* inverse) const {
  PlacedMesh placed;
  placed.Place(mesh, {0, 0}, 0, projection_);
  const GridBounds bounds{0, 0, canvas_.width, canvas_.height};
  uint32_t id = first;
  for (const Triangle& t : mesh.triangles) {
    const uint32_t own = id++;
    if (!placed.Faces(mesh, t)) continue;
    placed.OnScreen(t, canvas_, [&](const Corner& a, const Corner& b, const Corner& c) {
      FillTriangle(a, b, c, bounds, [&](int y, int x_begin, int x_end, double value, double step) {
        const size_t row = static_cast<size_t>(y) * static_cast<size_t>(canvas_.width);
        for (int x = x_begin; x < x_end; ++x, value += step) {
          const size_t at = row + static_cast<size_t>(x);
          const auto nearness = static_cast<float>(value);
          if (nearness < (*inverse)[at] * 0.9995f) continue;
          (*inverse)[at] = nearness;
          (*surface)[at] = own;
        }
      });
    });
  }
}

void Background::DrawMeshes() {
  mirror_.assign(surface_.size(), kSky);
  mirror_inverse_.assign(surface_.size(), 0);
  uint32_t mesh_number = 0;
  for (const Mesh& mesh : surroundings_) {
    ++mesh_number;
    const auto first = static_cast<uint32_t>(kFirst + facets_.size());
    for (size_t i = 0; i < mesh.triangles.size(); ++i) {
      const Triangle& t = mesh.triangles[i];
      // Pairs of triangles are one pane.
      const uint32_t draw =
          Hash(mesh_number * 7919u + static_cast<uint32_t>(i / 2) + static_cast<uint32_t>(seed_) * 31u);
      const bool lit = t.surface == Surface::kGlass && draw % 100 < 32;
      facets_.push_back({{t.normal.x, t.normal.y, t.normal.z},
                         t.color,
                         t.surface,
                         lit ? 0.35f + 0.65f * static_cast<float>(draw >> 24) / 255.f : 0,
                         t.color.green > 1.15f * t.color.red && t.color.green > 1.3f * t.color.blue});
    }
    DrawMesh(mesh, first, &surface_, &inverse_);
    Mesh mirrored = mesh;
    for (Vertex& v : mirrored.vertices) v.z = -v.z;
    for (Triangle& t : mirrored.triangles) t.normal.z = -t.normal.z;
    DrawMesh(mirrored, first, &mirror_, &mirror_inverse_);
  }
}

Rgb Background::GroundColor(size_t sample) const {
  const auto decode = [](uint8_t code) {
    const float root = static_cast<float>(code) * (1 / 255.f);
    return root * root;
  };
  const auto& c = ground_color_[sample];
  return {decode(c[0]), decode(c[1]), decode(c[2])};
}

void Background::Summarise() {
  albedo_.Allocate(size_);
  const auto pixels = static_cast<size_t>(size_.width) * static_cast<size_t>(size_.height);
  positions_.assign(pixels, {0, 0, 1e6f});
  ground_.assign(pixels, 0);
  const float share = 1.f / static_cast<float>(samples_ * samples_);
  for (int y = 0; y < size_.height; ++y) {
    for (int x = 0; x < size_.width; ++x) {
      Rgb sum;
      int ground = 0;
      for (int k = 0; k < samples_ * samples_; ++k) {
        const int sx = x * samples_ + k % samples_, sy = y * samples_ + k / samples_;
        const size_t at =
            static_cast<size_t>(sy) * static_cast<size_t>(canvas_.width) + static_cast<size_t>(sx);
        if (surface_[at] == kGround) {
          sum = sum + GroundColor(at);
          ++ground;
        } else if (surface_[at] >= kFirst) {
          sum = sum + facets_[surface_[at] - kFirst].color;
        }
        if (k == 0 && surface_[at] != kSky) {
          positions_[static_cast<size_t>(y) * static_cast<size_t>(size_.width) + static_cast<size_t>(x)] =
              eye_ + Ray(sx, sy) * (1 / inverse_[at]);
        }
      }
      const size_t at = static_cast<size_t>(y) * static_cast<size_t>(size_.width) + static_cast<size_t>(x);
      albedo_.red[at] = sum.red * share;
      albedo_.green[at] = sum.green * share;
      albedo_.blue[at] = sum.blue * share;
      ground_[at] = 2 * ground >= samples_ * samples_;
    }
  }
}

void Background::LightLamps(const Light& light, const Vector3& point, const Vector3& normal, uint32_t surface,
                            const Vector3& to_eye, LampLight* lamps) const {
  if (lamps->surface == surface || light.street_lamp.green <= 0) return;
  *lamps = {surface, {}, {}};
  for (const LampPoint& lamp : lamps_) {
    const float share = LampOn(lamp, point, normal);
    if (share <= 0) continue;
    lamps->light = lamps->light + light.street_lamp * share;
    if (light.wetness <= 0 || surface != kGround) continue;
    const Vector3 half = Unit(Unit(lamp.position - point) + to_eye);
    lamps->gleam = lamps->gleam + light.street_lamp * (4.f * Highlight(half.z, 160.f));
  }
}

Background::SampleLight Background::LightGround(const Light& light, const SunMap& sun, const Vector3& point,
                                                const Vector3& view, Rgb color, const Rgb& mirrored,
                                                LampLight* lamps) const {
  const Vector3 up{0, 0, 1};
  float wet = light.wetness;
  if (wet > 0) {
    const float pools = ValueNoise(point.x * 0.45f, point.y * 0.45f) * 0.65f +
                        ValueNoise(point.x * 1.9f, point.y * 1.9f) * 0.35f;
    wet *= 0.5f + 0.5f * std::clamp((pools - 0.35f) * 2.5f, 0.f, 1.f);
    color = color * (1 - 0.4f * light.wetness);
  }
  const float sunlit = Luminance(light.sun) > 0 ? sun.Sunlit(point + Vector3{0, 0, 0.02f}) : 0;
  const Rgb ambient = light.On(up, 0), direct = light.sun * (light.to_sun.z * sunlit);
  const Vector3 to_eye = view * -1;
  LightLamps(light, point, up, kGround, to_eye, lamps);
  Rgb gleam = lamps->gleam * wet;
  if (wet > 0) {
    const float grazing = Power4(1 - std::clamp(to_eye.z, 0.f, 1.f));
    const float mirror = wet * (0.06f + 0.75f * grazing);
    gleam = gleam + mirrored * mirror;
    if (sunlit > 0)
      gleam = gleam + light.sun * (wet * 1.5f * sunlit * Highlight(Unit(light.to_sun + to_eye).z, 300.f));
  }
  const Rgb all = color * (ambient + direct + lamps->light) + gleam;
  const float total = Luminance(all);
  return {all, total > 0 ? Luminance(color * direct) / total : 0};
}

Rgb Background::LightFacet(const Light& light, const SunMap& sun, const Vector3& point, const Vector3& view,
                           uint32_t surface, LampLight* lamps) const {
  const Facet& facet = facets_[surface - kFirst];
  if (facet.surface == Surface::kLamp) {
    const float on =
        light.street_lamp.green > 0 ? 1 : 0.15f;  // lamps of poles; those of signals come with the traffic
    return facet.color * (light.lamp * on) + facet.color * light.sky;
  }
  const Vector3& n = facet.normal;
  const float facing_sun = Dot(n, light.to_sun);
  const float sunlit = facing_sun > 0 && light.sun.red > 0 ? sun.Sunlit(point + n * 0.3f) : 0;
  Rgb incoming = light.On(n, sunlit);
  incoming = incoming * (0.7f + 0.3f * std::min(1.f, point.z * 0.4f));  // the foot of a wall sees less sky
  LightLamps(light, point, n, surface, view, lamps);
  incoming = incoming + lamps->light;
  // Grain: leaves and grimy walls.
  const float along = point.x + point.y * 0.7f;
  const float grain =
      facet.leaf ? 0.45f + 1.1f * ValueNoise(along * 3.2f + point.z * 1.3f, point.z * 3.4f - point.y * 2.1f)
                 : 0.92f + 0.16f * ValueNoise(along * 0.7f, point.z * 0.4f);
  Rgb out = facet.color * incoming * grain;
  if (facet.surface != Surface::kMatt) {
    const float facing = std::clamp(-Dot(view, n), 0.f, 1.f);
    const Vector3 mirrored = view + n * (2 * facing);
    const float base = facet.surface == Surface::kGlass ? 0.12f : 0.04f;
    const float mirror = base + (0.9f - base) * Power4(1 - facing);
    const Rgb seen = mirrored.z > 0 ? light.SkyTowards(mirrored.z) : light.bounce * 0.6f;
    out = out * (1 - mirror) + seen * mirror;
  }
  if (facet.lit > 0 && light.windows > 0) {
    const bool cold = facet.lit > 0.85f;
    out = out + (cold ? Rgb{0.8f, 0.95f, 1.1f} : Rgb{1.1f, 0.75f, 0.38f}) * (light.windows * facet.lit);
  }
  return out;
}

Rgb Background::Mirrored(const Light& light, const SunMap& sun, int x, int y, const Vector3& ray,
                         LampLight* lamps) const {
  const float jitter = HashUnit(x, y) - 0.5f;
  const int reach = canvas_.height / 24;
  const int row = std::clamp(y + static_cast<int>(jitter * static_cast<float>(reach)), 0, canvas_.height - 1);
  const size_t at = static_cast<size_t>(row) * static_cast<size_t>(canvas_.width) + static_cast<size_t>(x);
  const Vector3 up{ray.x, ray.y, -ray.z};
  const float length = std::sqrt(Dot(ray, ray));
  if (mirror_[at] == kSky) return light.SkyTowards(up.z / length);
  Vector3 point = eye_ + ray * (1 / mirror_inverse_[at]);
  point.z = std::abs(point.z);
  return LightFacet(light, sun, point, up * (1 / length), mirror_[at], lamps);
}

void Background::Relight(const Light& light, const SunMap& sun, int row_begin, int row_end,
                         LitBackground* lit) const {
  const float share = 1.f / static_cast<float>(samples_ * samples_);
  for (int y = row_begin; y < row_end; ++y) {
    for (int x = 0; x < size_.width; ++x) {
      Rgb sum;
      float sun_sum = 0;
      LampLight lamps, mirror_lamps;
      for (int k = 0; k < samples_ * samples_; ++k) {
        const int sx = x * samples_ + k % samples_, sy = y * samples_ + k / samples_;
        const size_t at =
            static_cast<size_t>(sy) * static_cast<size_t>(canvas_.width) + static_cast<size_t>(sx);
        const Vector3 ray = Ray(sx, sy);
        const float length = std::sqrt(Dot(ray, ray));
        const Vector3 view = ray * (1 / length);
        if (surface_[at] == kSky) {
          const float cloud = ValueNoise(view.x / (view.z + 0.15f) * 2, view.y / (view.z + 0.15f) * 2);
          const Rgb sky = light.SkyTowards(std::max(0.f, view.z)) * (0.9f + 0.2f * cloud);
          sum = sum + Mix(sky, light.fog_color, 1 - light.Clear(250));
          continue;
        }
        const float depth = 1 / inverse_[at];
        const Vector3 point = eye_ + ray * depth;
        Rgb color;
        float sun_share = 0;
        if (surface_[at] == kGround) {
          const SampleLight sample = LightGround(
              light, sun, point, view, GroundColor(at),
              light.wetness > 0 ? Mirrored(light, sun, sx, sy, ray, &mirror_lamps) : Rgb{}, &lamps);
          color = sample.light;
          sun_share = sample.sun;
        } else {
          color = LightFacet(light, sun, point, view, surface_[at], &lamps);
        }
        const float clear = light.Clear(depth * length);
        const Rgb seen = Mix(light.fog_color, color, clear);
        const float total = Luminance(seen);
        sum = sum + seen;
        if (total > 0) sun_sum += sun_share * clear * Luminance(color) / total;
      }
      const size_t at = static_cast<size_t>(y) * static_cast<size_t>(size_.width) + static_cast<size_t>(x);
      lit->image.red[at] = sum.red * share;
      lit->image.green[at] = sum.green * share;
      lit->image.blue[at] = sum.blue * share;
      lit->sun_share[at] = std::min(1.f, sun_sum * share);
    }
  }
}

}  // namespace sightline::simulate
