#include "simulate/render/test_scene.h"

#include "simulate/scene/exact.h"

namespace sightline::simulate {

Actor MakeActor(int64_t id, ActorKind kind, const Point2& position, double heading, uint32_t look) {
  struct Extent {
    double length, width, height;
  };
  constexpr std::array<Extent, kActorKinds> kExtents = {{{0.5, 0.55, 1.75},
                                                         {1.8, 0.6, 1.75},
                                                         {2.1, 0.8, 1.6},
                                                         {4.4, 1.8, 1.45},
                                                         {11.5, 2.5, 3.1},
                                                         {8.0, 2.45, 3.3}}};
  const Extent& extent = kExtents[static_cast<size_t>(kind)];
  Actor actor;
  actor.id = id;
  actor.kind = kind;
  actor.look = look;
  actor.position = position;
  actor.heading = heading;
  actor.length = extent.length;
  actor.width = extent.width;
  actor.height = extent.height;
  return actor;
}

Scene CrowdedScene(const Layout& layout, uint64_t seed, int count, const Weather& weather) {
  Scene scene;
  scene.time_s = 10;
  scene.weather = weather;
  Random random = Random(seed).Fork(0xc0d);
  for (int i = 0; i < count; ++i) {
    const auto kind = static_cast<ActorKind>(random.Chance(0.4) ? 3 : random.Below(kActorKinds));
    Path::Pose pose{{random.Uniform(-20, 20), random.Uniform(-20, 20)}, random.Uniform(-kPi, kPi)};
    const double along = random.Uniform(0.25, 0.75);
    if (kind == ActorKind::kPerson && !layout.walks.empty()) {
      const Path& walk =
          layout.walks[static_cast<size_t>(random.Below(static_cast<int>(layout.walks.size())))];
      pose = walk.At(walk.length() * along);
    } else if (!layout.routes.empty()) {
      const Path& path =
          layout.routes[static_cast<size_t>(random.Below(static_cast<int>(layout.routes.size())))].path;
      pose = path.At(path.length() * along);
    }
    Actor actor = MakeActor(i + 1, kind, pose.point, pose.heading, random.Bits());
    actor.speed = random.Uniform(0, 10);
    actor.travelled = random.Uniform(0, 50);
    actor.steering = random.Uniform(-0.3, 0.3);
    actor.acceleration = random.Chance(0.3) ? -2 : 0;
    actor.indicator = random.Below(3) - 1;
    actor.lights = weather.light != DayLight::kDay || weather.rain > 0;
    scene.actors.push_back(actor);
  }
  for (const Signal& signal : layout.signals) scene.signals.push_back(ColorAt(signal, scene.time_s));
  return scene;
}

Layout BareLayout(const Point3& eye, double pitch, double focal_px) {
  Layout layout;
  layout.seed = 5;
  layout.camera.size = {640, 360};
  layout.camera.focal_px = focal_px;
  layout.camera.position = eye;
  layout.camera.yaw = kPi / 2;
  layout.camera.pitch = pitch;
  return layout;
}

Weather MakeWeather(DayLight light, double clouds, double rain, double fog) {
  Weather weather;
  weather.light = light;
  weather.sun_azimuth = 0;
  weather.sun_elevation = light == DayLight::kDusk ? 0.1 : 0.7;
  weather.clouds = clouds;
  weather.rain = rain;
  weather.wetness = rain;
  weather.fog = fog;
  return weather;
}

}  // namespace sightline::simulate
