// Vehicles and cyclists that drive by themselves: follow, stop at signals, give way, keep from touching
// anybody.
#pragma once

#include <memory>
#include <vector>

#include "simulate/street/body.h"
#include "simulate/street/route_map.h"
#include "simulate/street/traffic.h"

namespace sightline::simulate {

struct Reservation {
  Polygon area;
  double begin_s = 0, end_s = 0;
  std::vector<double> enter_s;  // per route: where it comes into the area; below 0: it does not
};

class Vehicles {
 public:
  Vehicles(const Layout* layout, const TrafficOptions& options);

  void Reserve(const Polygon& area, double begin_s, double end_s);
  // New arrivals, with ids from *next_id on.
  void Arrive(double time_s, double step_s, int64_t* next_id);
  // Looks about: what each will do until the next look. `others`: walkers and scripted actors.
  // Parked cars stand beside all routes.
  void Look(double time_s, const std::vector<Body>& others);
  void Move(double time_s, double step_s);
  void AppendBodies(std::vector<Body>* bodies) const;
  // As they are `ahead_s` after the last step.
  void AppendActors(double ahead_s, std::vector<Actor>* actors) const;

 private:
  static constexpr double kNever = 1e18;
  struct Vehicle {
    int64_t id = 0;
    ActorKind kind = ActorKind::kCar;
    uint32_t look = 0;
    int route = 0;
    double s = 0;  // of its middle
    double speed = 0, acceleration = 0, travelled = 0;
    double length = 4.4, width = 1.8, height = 1.5;
    double haste = 1;  // wanted speed over the allowed
    Driver driver;
    double standing_s = 0;          // in the intersection
    double waits_since_s = kNever;  // first at the stop line, and free to go but for others
    Body body;
    double front() const { return s + length / 2; }
  };
  struct Ahead {  // the nearest thing to stop or slow down for
    double gap = kNoGap, speed = 0;
    void Nearer(double new_gap, double new_speed) {
      if (new_gap < gap) gap = new_gap, speed = new_speed;
    }
  };

  void Place(Vehicle* vehicle) const;
  Vehicle Make(const Route& route, int index);
  double EntrySpeed(const Vehicle& vehicle) const;
  bool CanStop(const Vehicle& vehicle, double s, double braking_max) const;
  double Arrives(const Vehicle& other, double s) const;
  // Wish to stop at s: counts while it can still be done with `braking_max`.
  void StopAt(const Vehicle& vehicle, double s, double braking_max, Ahead* ahead) const;
  void SeeSignal(const Vehicle& vehicle, double time_s, Ahead* ahead) const;
  void SeeReservations(const Vehicle& vehicle, double time_s, Ahead* ahead) const;
  void SeeBodies(const Vehicle& vehicle, const std::vector<Body>& bodies, Ahead* ahead) const;
  void SeeWalkers(const Vehicle& vehicle, const std::vector<Body>& others, Ahead* ahead) const;
  bool Comes(const Vehicle& other, double time_s) const;
  void SeeConflicts(const Vehicle& vehicle, double time_s, Ahead* ahead) const;

  const Layout& layout_;
  std::shared_ptr<const RouteMap> map_;
  Random random_;
  double vehicles_per_s_, bicycles_per_s_;
  std::vector<int> car_routes_, bicycle_routes_;
  std::vector<Vehicle> vehicles_;
  std::vector<Vehicle> waiting_;  // outside, until there is room
  std::vector<Reservation> reservations_;
  std::vector<Body> seen_;
};

}  // namespace sightline::simulate
