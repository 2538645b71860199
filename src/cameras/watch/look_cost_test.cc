#include "cameras/watch/look_cost.h"

#include <gtest/gtest.h>

#include "cameras/watch/test_street.h"

namespace sightline::cameras {
namespace {

constexpr Size kPicture{640, 360};

TEST(LookCost, a_part_costs_less_than_the_whole_and_many_cost_more) {
  const auto engine = StreetEngine();
  const LookCost cost(engine->step(0));
  std::vector<Box> parts = {{100, 100, 180, 160}};
  EXPECT_LT(cost.Parts(kPicture, parts), cost.Whole(kPicture) / 4);
  parts = {{0, 0, 640, 180}, {0, 180, 640, 360}};
  EXPECT_GT(cost.Parts(kPicture, parts), cost.Whole(kPicture));
}

TEST(LookCost, a_shared_picture_costs_by_its_rows_and_never_less_than_its_bound) {
  const auto engine = StreetEngine();
  const LookCost cost(engine->step(0));
  EXPECT_LT(cost.Packed(kPicture, 100), cost.Packed(kPicture, 300));
  EXPECT_EQ(cost.Packed(kPicture, 360), cost.Whole(kPicture));
  EXPECT_EQ(cost.Packed(kPicture, 5000), cost.Whole(kPicture));
  for (const float rows : {10.f, 100.f, 200.f, 360.f})
    EXPECT_LE(cost.PackedAtLeast(kPicture, 0.8 * 640 * static_cast<double>(rows)),
              cost.Packed(kPicture, rows));
}

TEST(LookCost, what_runs_at_one_size_costs_the_same_whatever_is_looked_at) {
  const auto engine = StreetEngine(TestModel::kFixed);
  const LookCost cost(engine->step(0));
  const std::vector<Box> parts = {{100, 100, 180, 160}};
  EXPECT_GT(cost.Parts(kPicture, parts), 1e12);
  EXPECT_EQ(cost.Packed(kPicture, 50), cost.Whole(kPicture));
}

}  // namespace
}  // namespace sightline::cameras
