// Vehicles, cyclists and pedestrians on a layout: simple but physical motion, and orders for scripted ones.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "simulate/scene/exact.h"
#include "simulate/scene/layout.h"

namespace sightline::simulate {

struct TrafficOptions {
  uint64_t seed = 1;
  double vehicles_per_minute = 20;  // all arms together
  double bicycles_per_minute = 6;
  double walkers_per_minute = 34;
  double parked_share = 0.6;  // of the bays that are taken
  double warm_up_s = 100;     // simulated before time 0, so that the street is populated
};

// What scripted actors do. An order is carried out exactly: no car following, no signal stops it; all others
// see it and react (brake) as they would to anybody.
struct Waypoint {
  double time_s = 0;  // rising
  Point2 point;
};
struct ActorOrder {
  ActorKind kind = ActorKind::kCar;
  uint32_t look = 0;
  // Position over time: between waypoints along straight lines or, with `path`, along that at the stations
  // that `stations` gives (metres, one a waypoint time). Interpolation in time is by a monotone cubic, so
  // that speeds are smooth. Headings follow the motion and are kept while standing (a reversed path is driven
  // against its lane's direction: wrong way).
  std::vector<double> times_s;
  Path path;
  std::vector<double> stations;
  bool stays = false;  // remains at the end (abandoned, stopped) instead of leaving the world
  bool hazard = false;
};

// Threads: one at a time. Same layout, options and orders at the same times: the same bits.
class Traffic {
 public:
  static std::unique_ptr<Traffic> Create(const Layout* layout,
                                         const TrafficOptions& options);  // layout outlives it
  virtual ~Traffic() = default;
  // As it is now, with all orders and reservations: both go on alike.
  virtual std::unique_ptr<Traffic> Clone() const = 0;
  // Gives the order's actor its id; it exists from times_s.front() on. Give orders before that time is
  // reached.
  virtual int64_t Add(const ActorOrder& order) = 0;
  // Keeps others out: from begin_s to end_s no free vehicle enters `area` that is not yet in it (so that a
  // script has the room that it needs); they stop before it as behind a standing car, or at the stop line
  // where it lies beyond. Nobody on foot steps on to a road to walk through it, from some seconds earlier on:
  // they are slow to get away.
  virtual void Reserve(const Polygon& area, double begin_s, double end_s) = 0;
  // Moves on to `time_s` (rising, from -warm_up_s on) in steps of 1/50 s and fills actors, signals and time;
  // weather is left alone. The warm-up, too, is done here: what is ordered or reserved before has its effect.
  virtual void AdvanceTo(double time_s, Scene* scene) = 0;
};

}  // namespace sightline::simulate
