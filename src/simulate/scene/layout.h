// The unmoving street: what a seed builds. Geometry only; how it looks is the business of simulate/models.
#pragma once

#include <cstdint>
#include <vector>

#include "simulate/scene/camera.h"
#include "simulate/scene/scene.h"

namespace sightline::simulate {

// A path with its length worked out.
class Path {
 public:
  Path() = default;
  explicit Path(std::vector<Point2> points);  // at least 2, no two in a row alike
  struct Pose {
    Point2 point;
    double heading = 0;
  };
  Pose At(double s) const;  // s metres from the start; beyond the ends it goes straight on
  double length() const { return stations_.empty() ? 0 : stations_.back(); }
  const std::vector<Point2>& points() const { return points_; }

 private:
  std::vector<Point2> points_;
  std::vector<double> stations_;  // metres from the start, one a point
};

// A lane of one arm: towards the middle (incoming) or away from it.
struct Lane {
  Polygon area;
  Path center;  // in driving direction
  double width = 3.3;
  int arm = 0;
  bool incoming = true;
};

// A way for vehicles from the edge of the world over the intersection and out again (or a bicycle lane's).
struct Route {
  Path path;
  int from_arm = 0, to_arm = 0;
  int turn = 0;                     // -1 right, 0 straight on, +1 left
  double stop_s = -1;               // where the stop line is, metres along the path; -1: none
  double enter_s = 0, leave_s = 0;  // the intersection's own area
  int signal = -1;                  // index in signals, -1: none (gives way)
  double speed_max = 13.9;          // m/s
  bool bicycles_only = false;
};

struct Crosswalk {
  Polygon area;
  Point2 from, to;  // middle of its two ends, on the kerbs
  double width = 3.5;
  int signal = -1;  // of pedestrians
};

// Each signal's colour is a function of time.
struct Signal {
  bool pedestrian = false;
  double cycle_s = 60, green_begin_s = 0, green_s = 20, amber_s = 3;  // the rest is red
  Point3 head;                                                        // where the lamps hang
  double facing = 0;                                                  // heading towards which they shine
};
SignalColor ColorAt(const Signal& signal, double time_s);

struct Building {
  Point2 center;
  double length = 0, width = 0, height = 0, heading = 0;
  uint32_t look = 0;
};
struct Tree {
  Point2 position;
  double height = 6, crown = 2;  // metres
  uint32_t look = 0;
};
struct Pole {  // street lamp
  Point2 position;
  double height = 8, heading = 0;
};
struct ParkingBay {
  Point2 center;
  double heading = 0;
};

struct Layout {
  uint64_t seed = 0;
  int arms = 4;                      // 3 or 4
  std::vector<double> arm_headings;  // outward, radians
  double extent_m = 90;              // the world's half side; routes begin and end beyond it
  std::vector<Polygon> roads;        // asphalt; may overlap
  Polygon intersection;              // the area that all routes share
  std::vector<Polygon> sidewalks;
  std::vector<Polygon> islands;  // raised, in the road
  std::vector<Lane> lanes;
  std::vector<Route> routes;
  std::vector<Crosswalk> crosswalks;
  std::vector<Path> walks;  // where pedestrians may go off the road (along the kerbs)
  std::vector<Signal> signals;
  std::vector<Building> buildings;
  std::vector<Tree> trees;
  std::vector<Pole> poles;
  std::vector<ParkingBay> bays;
  Camera camera;
};

// True on asphalt (roads less islands). `on_crosswalk`: within a crosswalk's area grown by `margin_m`.
bool OnRoad(const Layout& layout, const Point2& point);
bool OnCrosswalk(const Layout& layout, const Point2& point, double margin_m);
bool Inside(const Polygon& polygon, const Point2& point);

// The same seed gives the same street, bit by bit, on every machine. Cameras differ in arms, lanes, widths,
// buildings, greenery, height (6 to 20 m), view and focal length as those of a city do; the road fills most
// of the picture.
Layout MakeLayout(uint64_t seed, Size picture);

}  // namespace sightline::simulate
