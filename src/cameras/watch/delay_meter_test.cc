#include "cameras/watch/delay_meter.h"

#include <gtest/gtest.h>

namespace sightline::cameras {
namespace {

TEST(DelayMeter, tells_quantiles_within_a_tenth) {
  DelayMeter meter;
  for (int i = 1; i <= 1000; ++i) meter.Add(100, 0.001 * i);
  EXPECT_NEAR(meter.Quantile(100, 0.5), 0.5, 0.05);
  EXPECT_NEAR(meter.Quantile(100, 0.99), 0.99, 0.1);
}

TEST(DelayMeter, forgets_after_a_minute) {
  DelayMeter meter;
  meter.Add(1000, 5);
  meter.Add(1030, 0.1);
  EXPECT_GT(meter.Quantile(1050, 0.99), 4);
  EXPECT_LT(meter.Quantile(1065, 0.99), 0.12);
  EXPECT_EQ(meter.Quantile(2000, 0.99), 0);
}

TEST(DelayMeter, takes_any_number) {
  DelayMeter meter;
  for (const double delay :
       {-1.0, 0.0, 1e9, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    meter.Add(5, delay);
  }
  EXPECT_GT(meter.Quantile(5, 1), 30);
}

}  // namespace
}  // namespace sightline::cameras
