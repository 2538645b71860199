#include "stages/rules/motion/axis_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace sightline::rules {
namespace {

constexpr AxisFilter::Motion kMotion{2.5, 1.0};
constexpr double kStep_s = 0.04, kDeviation = 0.4;

TEST(AxisFilter, follows_what_goes_evenly) {
  AxisFilter filter;
  filter.Start(0, kDeviation, 8, kMotion.deviation);
  double at = 0;
  for (int i = 0; i < 100; ++i) {
    at += 5 * kStep_s;
    filter.Predict(kStep_s, kMotion);
    filter.Update(at, kDeviation);
  }
  EXPECT_NEAR(filter.value, at, 0.02);
  EXPECT_NEAR(filter.speed, 5, 0.05);
  EXPECT_NEAR(filter.acceleration, 0, 0.1);
}

TEST(AxisFilter, does_not_lag_behind_what_brakes) {
  AxisFilter filter;
  filter.Start(0, kDeviation, 8, kMotion.deviation);
  double at = 0, speed = 6;
  for (int i = 0; i < 100; ++i) {
    if (i >= 50) speed = std::max(0.0, speed - 3 * kStep_s);
    at += speed * kStep_s;
    filter.Predict(kStep_s, kMotion);
    filter.Update(at, kDeviation);
  }
  // Taken for constant speed with noise, equally smoothed, it would be 0.85 m/s behind.
  EXPECT_NEAR(filter.speed, speed, 0.4);
}

TEST(AxisFilter, knows_as_little_after_one_long_step_as_after_many_short_ones) {
  AxisFilter one, many;
  for (AxisFilter* filter : {&one, &many}) filter->Start(0, kDeviation, 1, kMotion.deviation);
  one.Predict(0.2, kMotion);
  for (int i = 0; i < 5; ++i) many.Predict(kStep_s, kMotion);
  for (size_t i = 0; i < one.covariance.size(); ++i)
    EXPECT_NEAR(one.covariance[i], many.covariance[i], 0.02 + 0.02 * std::abs(many.covariance[i])) << i;
}

TEST(AxisFilter, is_as_sure_as_it_has_reason_to_be) {
  AxisFilter filter;
  filter.Start(0, kDeviation, 8, kMotion.deviation);
  for (int i = 0; i < 50; ++i) {
    filter.Predict(kStep_s, kMotion);
    filter.Update(0, kDeviation);
    EXPECT_GT(filter.variance(), 0);
    EXPECT_LT(filter.variance(), kDeviation * kDeviation);
    EXPECT_GT(filter.speed_variance(), 0);
  }
  EXPECT_LT(std::sqrt(filter.speed_variance()), 2);
}

}  // namespace
}  // namespace sightline::rules
