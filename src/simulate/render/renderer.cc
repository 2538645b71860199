// The street in four layers: background as lit, what moves, what falls, and the camera.
#include "simulate/render/renderer.h"

#include <cmath>
#include <cstring>

#include "simulate/render/actor_layer.h"
#include "simulate/render/sensor.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

constexpr int kRelightFrames = 90;  // a change of light is worked in over so many frames

// What matters to the background's light. The sun stands still for a moment's change.
bool Alike(const Weather& a, const Weather& b, double tolerance) {
  const auto near = [&](double x, double y, double scale) { return std::abs(x - y) <= tolerance * scale; };
  return a.light == b.light && near(a.sun_azimuth, b.sun_azimuth, 3) &&
         near(a.sun_elevation, b.sun_elevation, 1) && near(a.clouds, b.clouds, 1) &&
         near(a.rain, b.rain, 1) && near(a.wetness, b.wetness, 1) && near(a.fog, b.fog, 1);
}

std::vector<Mesh> Unmoving(const Layout& layout) {
  std::vector<Mesh> meshes = BuildSurroundings(layout);
  meshes.push_back(LampPanes(layout));
  return meshes;
}

class StreetRenderer final : public Renderer {
 public:
  StreetRenderer(const Layout* layout, const RenderOptions& options)
      : layout_(*layout),
        options_(options),
        surroundings_(Unmoving(*layout)),
        background_(*layout, &surroundings_, layout->seed),
        actors_(layout, &background_),
        sensor_(background_.size(), MakeSensorCharacter(options.seed), options.seed, options.noise) {
    picture_.Allocate(background_.size());
    for (LitBackground& lit : lit_) {
      lit.image.Allocate(background_.size());
      lit.sun_share.assign(lit.image.red.size(), 0);
    }
  }

  void Render(const Scene& scene, Frame* frame) override {
    Relight(scene.weather);
    const LitBackground& lit = lit_[shown_];
    picture_.red = lit.image.red;
    picture_.green = lit.image.green;
    picture_.blue = lit.image.blue;
    actors_.Draw(scene, light_[shown_], sun_[shown_], lit.sun_share, &picture_);
    const auto rain = static_cast<float>(scene.weather.rain);
    if (rain > 0) DrawRain(scene.time_s, rain);
    sensor_.Expose(scene.time_s, 0.08f * rain, &picture_, frame);
  }

 private:
  void Begin(size_t side, const Weather& weather) {
    weather_[side] = weather;
    light_[side] = LightOf(weather, layout_.seed);
    if (light_[side].sun.red > 0.01f) {
      sun_[side].Build(light_[side].to_sun, surroundings_, layout_.extent_m);
    } else {
      light_[side].sun = {};
      sun_[side].Clear();
    }
    row_ = 0;
  }

  // A jump is shown at once; a slow change is worked out behind the scenes, some rows a frame.
  void Relight(const Weather& weather) {
    const int height = background_.size().height;
    if (!lit_once_ || !Alike(weather_[shown_], weather, 0.15)) {
      Begin(shown_, weather);
      background_.Relight(light_[shown_], sun_[shown_], 0, height, &lit_[shown_]);
      lit_once_ = true;
      working_ = false;
      return;
    }
    const size_t hidden = 1 - shown_;
    if (!working_) {
      if (Alike(weather_[shown_], weather, 0.004)) return;
      Begin(hidden, weather);
      working_ = true;
      return;
    }
    const int until = std::min(height, row_ + (height + kRelightFrames - 1) / kRelightFrames);
    background_.Relight(light_[hidden], sun_[hidden], row_, until, &lit_[hidden]);
    row_ = until;
    if (row_ < height) return;
    shown_ = hidden;
    working_ = false;
  }

  void DrawRain(double time_s, float rain) {
    uint64_t time_bits;
    std::memcpy(&time_bits, &time_s, sizeof time_bits);
    Random random = Random(options_.seed ^ time_bits).Fork(0x4a17);
    const Light& light = light_[shown_];
    const Rgb glint = light.sky * 1.5f + light.street_lamp * 0.5f + light.horizon * 0.3f;
    const int width = picture_.width, height = picture_.height;
    const double scale = height / 360.0;
    const auto drops = static_cast<int>(260.0 * static_cast<double>(rain));
    const double wind = 0.25 * Sin(static_cast<double>(options_.seed % 97));
    for (int i = 0; i < drops; ++i) {
      const double nearness = random.Unit();
      double x = random.Uniform(0, width);
      const double y = random.Uniform(-0.1, 1) * height, length = (8 + 34 * nearness * nearness) * scale;
      const double lean = wind + random.Uniform(-0.04, 0.04);
      const float share = static_cast<float>(0.05 + 0.17 * nearness);
      for (int k = 0; k < static_cast<int>(length); ++k, x += lean) {
        const int row = static_cast<int>(y) + k, column = static_cast<int>(x);
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        const size_t at = static_cast<size_t>(row) * static_cast<size_t>(width) + static_cast<size_t>(column);
        picture_.red[at] += share * (glint.red - 0.4f * picture_.red[at]);
        picture_.green[at] += share * (glint.green - 0.4f * picture_.green[at]);
        picture_.blue[at] += share * (glint.blue - 0.4f * picture_.blue[at]);
      }
    }
  }

  const Layout& layout_;
  RenderOptions options_;
  std::vector<Mesh> surroundings_;
  Background background_;
  ActorLayer actors_;
  Sensor sensor_;
  LinearImage picture_;
  // Two sides: the one shown, and the one that is being lit anew.
  std::array<LitBackground, 2> lit_;
  std::array<Weather, 2> weather_;
  std::array<Light, 2> light_;
  std::array<SunMap, 2> sun_;
  size_t shown_ = 0;
  bool lit_once_ = false, working_ = false;
  int row_ = 0;
};

}  // namespace

std::unique_ptr<Renderer> Renderer::Create(const Layout* layout, const RenderOptions& options) {
  return std::make_unique<StreetRenderer>(layout, options);
}

}  // namespace sightline::simulate
