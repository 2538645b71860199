#include "stages/rules/motion/axis_filter.h"

#include <cmath>

namespace sightline::rules {

void AxisFilter::Start(double measured, double deviation, double speed_deviation,
                       double acceleration_deviation) {
  *this = {measured,
           0,
           0,
           {deviation * deviation, 0, 0, 0, speed_deviation * speed_deviation, 0, 0, 0,
            acceleration_deviation * acceleration_deviation}};
}

void AxisFilter::Predict(double seconds, const Motion& motion) {
  const double t = seconds, fade = std::exp(-t / motion.lasts_s), lasts = motion.lasts_s;
  const double by_a = lasts * lasts * (t / lasts - 1 + fade), by_a_speed = lasts * (1 - fade);
  value += speed * t + acceleration * by_a;
  speed += acceleration * by_a_speed;
  acceleration *= fade;
  const std::array<double, 9> f{1, t, by_a, 0, 1, by_a_speed, 0, 0, fade};
  std::array<double, 9> fp{}, next{};
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j)
      for (size_t k = 0; k < 3; ++k) fp[3 * i + j] += f[3 * i + k] * covariance[3 * k + j];
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j)
      for (size_t k = 0; k < 3; ++k) next[3 * i + j] += fp[3 * i + k] * f[3 * j + k];
  // What the acceleration did in between: as if its change had come in the middle of the step.
  const double change = motion.deviation * motion.deviation * (1 - fade * fade);
  const std::array<double, 3> by{t * t / 8, t / 2, 1};
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j) next[3 * i + j] += change * by[i] * by[j];
  covariance = next;
}

void AxisFilter::Update(double measured, double deviation) {
  const double total = covariance[0] + deviation * deviation, error = measured - value;
  const std::array<double, 3> gain{covariance[0] / total, covariance[3] / total, covariance[6] / total};
  value += gain[0] * error;
  speed += gain[1] * error;
  acceleration += gain[2] * error;
  const std::array<double, 3> first{covariance[0], covariance[1], covariance[2]};
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j) covariance[3 * i + j] -= gain[i] * first[j];
}

}  // namespace sightline::rules
