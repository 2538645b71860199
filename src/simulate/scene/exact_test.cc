#include "simulate/scene/exact.h"

#include <cmath>

#include "gtest/gtest.h"

namespace sightline::simulate {
namespace {

TEST(Exact, follows_the_true_functions) {
  for (int i = -20000; i <= 20000; ++i) {
    const double x = i * 0.00173;
    ASSERT_NEAR(Sin(x), std::sin(x), 1e-12) << x;
    ASSERT_NEAR(Cos(x), std::cos(x), 1e-12) << x;
    ASSERT_NEAR(Exp(x * 0.5) / std::exp(x * 0.5), 1, 1e-13) << x;
    ASSERT_NEAR(Atan2(x, 1.7), std::atan2(x, 1.7), 1e-12) << x;
    ASSERT_NEAR(Atan2(x, -0.3), std::atan2(x, -0.3), 1e-12) << x;
    if (x > 0) {
      ASSERT_NEAR(Log(x), std::log(x), 1e-12) << x;
    }
    ASSERT_EQ(Floor(x), std::floor(x));
    ASSERT_EQ(Round(x), std::round(x));
  }
  EXPECT_NEAR(Sin(9999.5), std::sin(9999.5), 1e-11);
  EXPECT_EQ(Exp(-1e9), 0);
  EXPECT_NEAR(WrapAngle(7), 7 - 2 * kPi, 1e-12);
}

TEST(Random, draws_what_its_names_say) {
  Random random(7);
  double sum = 0, squares = 0, exponential = 0;
  constexpr int kDraws = 200'000;
  int below[5] = {};
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.Normal(3, 2);
    sum += x;
    squares += x * x;
    exponential += random.Exponential(4);
    ++below[random.Below(5)];
  }
  const double mean = sum / kDraws;
  EXPECT_NEAR(mean, 3, 0.03);
  EXPECT_NEAR(std::sqrt(squares / kDraws - mean * mean), 2, 0.03);
  EXPECT_NEAR(exponential / kDraws, 4, 0.06);
  for (const int count : below) EXPECT_NEAR(count, kDraws / 5, 1000);
}

TEST(Random, same_seed_goes_the_same_way_and_forks_do_not_disturb) {
  Random a(11), b(11);
  const Random other = a.Fork(3);
  Random again = b.Fork(3), first = other;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(a.Bits(), b.Bits());
    ASSERT_EQ(first.Bits(), again.Bits());
  }
  EXPECT_NE(Random(11).Bits(), Random(12).Bits());
  EXPECT_NE(Random(11).Fork(1).Bits(), Random(11).Fork(2).Bits());
}

}  // namespace
}  // namespace sightline::simulate
