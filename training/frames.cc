// Frames for training: many cameras, few frames of each, seconds apart, as raw YUV 4:2:0 and a text of boxes
// (data.py).
//
//   frames OUT FIRST_SEED CAMERAS FRAMES [plain]      writes OUT.yuv and OUT.txt; 2 x FRAMES a camera, two
//   weathers
//
// Streets have too few buses, trucks and motorcycles to learn them from: unless `plain` is given, some cars
// are replaced by these. Traffic is denser than in scenarios made up by a seed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "simulate/render/renderer.h"
#include "simulate/scene/exact.h"
#include "simulate/script/truth_writer.h"
#include "simulate/street/traffic.h"

namespace sightline::simulate {
namespace {

Weather DrawWeather(Random* random) {
  Weather weather;
  const int draw = random->Below(13);
  weather.light = draw < 6 ? DayLight::kDay : draw < 8 ? DayLight::kDusk : DayLight::kNight;
  weather.sun_azimuth = random->Uniform(-3.14, 3.14);
  weather.sun_elevation =
      weather.light == DayLight::kDusk ? random->Uniform(0.06, 0.2) : random->Uniform(0.3, 1.15);
  weather.clouds = random->Chance(0.4) ? random->Uniform(0, 0.4) : random->Uniform(0, 1);
  if (draw == 3 || draw == 4 || draw == 7 || draw == 10 || draw == 11) {
    weather.rain = random->Uniform(0.3, 1);
    weather.wetness = std::min(1.0, 0.55 + 0.5 * weather.rain);
    weather.clouds = std::max(weather.clouds, 0.8 + 0.2 * weather.rain);
  } else if (draw == 5 || draw == 12) {
    weather.fog = random->Uniform(0.2, 0.75);
    weather.clouds = std::max(weather.clouds, 0.8);
  } else if (random->Chance(0.2)) {
    weather.wetness = random->Uniform(0.2, 0.8);
  }
  return weather;
}

// By the car's looks, so that it stays what it is from frame to frame.
void Replace(const Weather& weather, Actor* actor) {
  if (actor->kind != ActorKind::kCar || actor->parked) return;
  Random random(actor->look, 5);
  const double draw = random.Unit();
  actor->lights = weather.light != DayLight::kDay || weather.rain > 0.1 || weather.fog > 0.3;
  const auto become = [&](ActorKind kind, double shortest, double longest, double width, double low,
                          double high) {
    actor->kind = kind;
    actor->length = random.Uniform(shortest, longest);
    actor->width = width;
    actor->height = random.Uniform(low, high);
  };
  if (draw < 0.12) {
    become(ActorKind::kMotorcycle, 2, 2.3, 0.8, 1.5, 1.75);
  } else if (draw < 0.18) {
    become(ActorKind::kBicycle, 1.7, 1.85, 0.6, 1.65, 1.9);
    actor->lights = false;
    actor->indicator = 0;
  } else if (draw < 0.28) {
    become(ActorKind::kBus, 10.5, 12.5, 2.55, 2.9, 3.4);
  } else if (draw < 0.40) {
    become(ActorKind::kTruck, 6.5, 10.5, 2.45, 2.9, 3.6);
  }
}

struct Output {
  std::FILE *pixels, *boxes;
  long frames = 0;
};

void Write(const Scene& scene, const Frame& frame, const std::vector<Sighting>& sightings, uint64_t seed,
           Output* out) {
  for (int i = 0; i < 3; ++i) {
    const Size size = PlaneSize(frame.format, frame.size, i);
    for (int y = 0; y < size.height; ++y) {
      const uint8_t* row = frame.planes[static_cast<size_t>(i)].data +
                           ptrdiff_t{y} * frame.planes[static_cast<size_t>(i)].stride;
      std::fwrite(row, 1, static_cast<size_t>(size.width), out->pixels);
    }
  }
  for (const Sighting& sighting : sightings) {
    const auto actor = std::find_if(scene.actors.begin(), scene.actors.end(),
                                    [&](const Actor& a) { return a.id == sighting.id; });
    const Box& box = sighting.box;
    const double width = box.x2 - box.x1, height = box.y2 - box.y1;
    const bool measured = sighting.visibility >= kMeasuredVisibility &&
                          sighting.clearness >= kMeasuredClearness && height >= kMeasuredHeight &&
                          width * height >= kMeasuredArea;
    std::fprintf(out->boxes, "%ld %d %.2f %.2f %.2f %.2f %.3f %d %ld\n", out->frames,
                 static_cast<int>(actor->kind), double{box.x1}, double{box.y1}, double{box.x2},
                 double{box.y2}, sighting.visibility, measured ? 1 : 0, static_cast<long>(seed));
  }
  ++out->frames;
}

void Film(uint64_t seed, int frames, bool plain, Output* out) {
  Random random(seed, 77);
  const Layout layout = MakeLayout(seed, {640, 360});
  const auto renderer = Renderer::Create(&layout, {.seed = seed});
  const auto observer = Observer::Create(&layout);
  TrafficOptions options;
  options.seed = seed;
  options.vehicles_per_minute = random.Uniform(14, 36);
  options.bicycles_per_minute = random.Uniform(4, 14);
  options.walkers_per_minute = random.Uniform(20, 60);
  options.parked_share = random.Uniform(0.3, 0.9);
  options.warm_up_s = 60;
  const auto traffic = Traffic::Create(&layout, options);
  Scene scene;
  Frame frame;
  std::vector<Sighting> sightings;
  double time_s = random.Uniform(0, 3);
  for (int part = 0; part < 2; ++part) {
    scene.weather = DrawWeather(&random);
    for (int i = 0; i < frames; ++i) {
      traffic->AdvanceTo(time_s, &scene);
      time_s += random.Uniform(2.5, 5);
      if (!plain) {
        for (Actor& actor : scene.actors) Replace(scene.weather, &actor);
      }
      renderer->Render(scene, &frame);
      observer->Observe(scene, &sightings);
      Write(scene, frame, sightings, seed, out);
    }
  }
}

}  // namespace
}  // namespace sightline::simulate

int main(int count, char** arguments) {
  if (count < 5) {
    std::fprintf(stderr, "usage: frames OUT FIRST_SEED CAMERAS FRAMES [plain]\n");
    return 2;
  }
  const std::string stem = arguments[1];
  sightline::simulate::Output out{std::fopen((stem + ".yuv").c_str(), "wb"),
                                  std::fopen((stem + ".txt").c_str(), "w")};
  if (out.pixels == nullptr || out.boxes == nullptr) {
    std::perror(stem.c_str());
    return 4;
  }
  const uint64_t first = std::strtoull(arguments[2], nullptr, 10);
  const int cameras = std::atoi(arguments[3]), frames = std::atoi(arguments[4]);
  for (int i = 0; i < cameras; ++i) {
    sightline::simulate::Film(first + static_cast<uint64_t>(i), frames, count > 5, &out);
  }
  const bool bad = std::fclose(out.pixels) != 0 || std::fclose(out.boxes) != 0;
  std::fprintf(stderr, "%ld frames\n", out.frames);
  return bad ? 4 : 0;
}
