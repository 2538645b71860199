// Where something is along one axis, how fast it goes, and how sure that is.
#pragma once

#include <array>

namespace sightline::rules {

// Position, speed and acceleration along one axis. Acceleration comes and goes (Singer 1970): whoever brakes
// or turns goes on so for a while, and a speed that took it for noise would come late.
struct AxisFilter {
  struct Motion {
    double deviation = 1;  // of the acceleration, m/s2
    double lasts_s = 1;    // how long it does
  };
  double value = 0, speed = 0, acceleration = 0;
  std::array<double, 9> covariance{};  // of value, speed, acceleration, row by row

  double variance() const { return covariance[0]; }
  double speed_variance() const { return covariance[4]; }
  void Start(double measured, double deviation, double speed_deviation, double acceleration_deviation);
  void Predict(double seconds, const Motion& motion);  // seconds: 0 or more
  void Update(double measured, double deviation);
};

}  // namespace sightline::rules
