// Scenes for tests and benchmarks: any layout with traffic put on it by chance, and a bare plane.
#pragma once

#include "data/frame.h"
#include "simulate/scene/layout.h"

namespace sightline::simulate {

// `count` actors of all kinds on the layout's routes and walks. The same bits on every machine.
Scene CrowdedScene(const Layout& layout, uint64_t seed, int count, const Weather& weather);

// Sizes that real things have.
Actor MakeActor(int64_t id, ActorKind kind, const Point2& position, double heading, uint32_t look = 7);

// Ground and a camera, no more.
Layout BareLayout(const Point3& eye, double pitch, double focal_px);

Weather MakeWeather(DayLight light, double clouds = 0, double rain = 0, double fog = 0);

}  // namespace sightline::simulate
