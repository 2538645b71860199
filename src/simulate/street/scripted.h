// Actors that do what they were ordered to, and nothing else.
#pragma once

#include <vector>

#include "simulate/street/body.h"
#include "simulate/street/traffic.h"

namespace sightline::simulate {

// The way through the points (x, y) that never overshoots (Fritsch and Carlson 1980). x rises. Flat beyond
// its ends.
class MonotoneCurve {
 public:
  MonotoneCurve(std::vector<double> x, std::vector<double> y);
  double Value(double x) const;
  double Slope(double x) const;

 private:
  size_t Piece(double x) const;
  std::vector<double> x_, y_, slope_;
};

class Scripted {
 public:
  // False (and nothing is done) for an order that makes no sense: fewer than two times, times that do not
  // rise, as many stations as times.
  bool Add(const ActorOrder& order, int64_t id);
  void AppendBodies(double time_s, std::vector<Body>* bodies) const;
  void AppendActors(double time_s, std::vector<Actor>* actors) const;

 private:
  struct Entry {
    int64_t id;
    ActorOrder order;
    MonotoneCurve stations;
    double length, width, height;
  };
  bool ActorAt(const Entry& entry, double time_s, Actor* actor) const;
  std::vector<Entry> entries_;
};

}  // namespace sightline::simulate
