// People on foot: along the pavements, over the crosswalks when it is their turn.
#pragma once

#include <vector>

#include "simulate/street/body.h"
#include "simulate/street/traffic.h"

namespace sightline::simulate {

class Walkers {
 public:
  Walkers(const Layout* layout, const TrafficOptions& options);
  void Reserve(const Polygon& area, double begin_s, double end_s);
  void Arrive(double step_s, int64_t* next_id);
  void Look(double time_s, const std::vector<Body>& vehicles);
  void Move(double step_s);
  void AppendBodies(std::vector<Body>* bodies) const;
  void AppendActors(double ahead_s, std::vector<Actor>* actors) const;

 private:
  struct Walker {
    int64_t id = 0;
    uint32_t look = 0;
    Path path;
    // Where the path goes over a road: from kerb to kerb.
    struct Over {
      double begin_s = 0, end_s = 0;
      int signal = -1;
    };
    std::vector<Over> over;
    double s = 0, speed = 0, wanted = 1.3, target = 0, travelled = 0;
    double heading = 0;
    double blocked_s = 0;  // by another on foot
    double height = 1.7, width = 0.55;
    Body body;
  };
  Walker Make();
  void Place(Walker* walker) const;
  bool MayCross(const Walker& walker, const Walker::Over& over, double time_s) const;

  const Layout& layout_;
  Random random_;
  double per_s_;
  std::vector<Walker> walkers_;
  struct Reserved {
    Polygon area;
    double begin_s, end_s;
  };
  std::vector<Reserved> reserved_;
};

}  // namespace sightline::simulate
