// What the drivers of a layout know beforehand: how fast each place can be taken, and where ways meet.
#pragma once

#include <vector>

#include "simulate/scene/layout.h"

namespace sightline::simulate {

// A stretch of one route that another comes close to: both in metres along their routes.
struct Conflict {
  int other = 0;                              // route
  double begin_s = 0, end_s = 0;              // on this route
  double other_begin_s = 0, other_end_s = 0;  // on the other
  bool yields = false;                        // this route lets the other go first
};

struct Crossing {  // of a crosswalk
  int crosswalk = 0;
  double begin_s = 0, end_s = 0;
};

class RouteMap {
 public:
  explicit RouteMap(const Layout& layout);
  // The speed (m/s) at which a route can be taken at s, with comfortable braking before curves.
  double SpeedAt(int route, double s) const;
  const std::vector<Conflict>& conflicts(int route) const { return conflicts_[static_cast<size_t>(route)]; }
  const std::vector<Crossing>& crossings(int route) const { return crossings_[static_cast<size_t>(route)]; }

 private:
  std::vector<std::vector<double>> speeds_;  // one a metre
  std::vector<std::vector<Conflict>> conflicts_;
  std::vector<std::vector<Crossing>> crossings_;
};

}  // namespace sightline::simulate
