#include <gtest/gtest.h>

#include <set>

#include "cameras/stream/back_off.h"
#include "cameras/stream/lateness.h"
#include "cameras/stream/rate_meter.h"

namespace sightline::cameras {
namespace {

TEST(BackOff, waits_double_up_to_the_limit_and_are_jittered) {
  BackOff back_off(30, 7);
  double base = 0.5;
  for (int i = 0; i < 20; ++i) {
    const double wait = back_off.Next(0);
    EXPECT_GE(wait, base * 0.75);
    EXPECT_LE(wait, std::min(base * 1.25, 30.));
    base = std::min(base * 2, 30.);
  }
}

TEST(BackOff, cameras_that_failed_together_come_back_apart) {
  std::set<double> waits;
  for (uint64_t seed = 0; seed < 100; ++seed) waits.insert(BackOff(30, seed).Next(0));
  EXPECT_EQ(waits.size(), 100u);
}

TEST(BackOff, begins_anew_after_calm_live_time_only) {
  BackOff back_off(30, 7);
  for (int i = 0; i < 10; ++i) back_off.Next(0);
  EXPECT_GT(back_off.Next(BackOff::kCalmS / 2), 20);
  EXPECT_LE(back_off.Next(BackOff::kCalmS), 0.625);
  back_off.Next(0);
  back_off.Reset();
  EXPECT_LE(back_off.Next(0), 0.625);
}

TEST(BackOff, a_limit_below_the_first_wait_holds) {
  BackOff back_off(0.001, 7);
  for (int i = 0; i < 10; ++i) EXPECT_LE(back_off.Next(0), 0.001);
  EXPECT_EQ(BackOff(0, 7).Next(0), 0);
}

TEST(Pacer, packets_are_due_as_the_stream_goes) {
  Pacer pacer;
  EXPECT_EQ(pacer.Due(100, 5), 5);
  EXPECT_NEAR(pacer.Due(101, 5.1), 6, 1e-9);
  EXPECT_NEAR(pacer.Due(102, 9), 7, 1e-9);    // two seconds late, still in the same count
  EXPECT_NEAR(pacer.Due(103, 20), 20, 1e-9);  // hopeless: a new one
  EXPECT_NEAR(pacer.Due(104, 20), 21, 1e-9);
}

TEST(Backlog, what_was_waited_for_is_not_late) {
  Backlog backlog;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(backlog.Late(i * 0.04, 50 + i * 0.04 + 0.01 * (i % 3), true), 0);
}

TEST(Backlog, what_lay_in_buffers_is_late_by_its_wait) {
  Backlog backlog;
  backlog.Late(0, 50, true);
  EXPECT_NEAR(backlog.Late(0.04, 51.04, false), 1, 1e-9);
  EXPECT_NEAR(backlog.Late(0.08, 51.05, false), 0.97, 1e-9);
  EXPECT_EQ(backlog.Late(1.1, 51.1, true), 0);  // caught up
}

TEST(RateMeter, counts_what_came_of_late) {
  RateMeter meter;
  for (int i = 0; i <= 100; ++i) meter.Add(i * 0.1);
  EXPECT_NEAR(meter.PerSecond(10), 10, 0.1);
  EXPECT_LT(meter.PerSecond(13), 5);  // nothing came any more
  EXPECT_EQ(meter.PerSecond(16), 0);
  meter.Clear();
  EXPECT_EQ(meter.PerSecond(10), 0);
}

}  // namespace
}  // namespace sightline::cameras
