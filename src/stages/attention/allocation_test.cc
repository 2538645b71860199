#include <gtest/gtest.h>

#include "base/count_allocations.h"
#include "stages/attention/attention.h"
#include "stages/attention/test_pictures.h"

namespace sightline::attention {
namespace {

TEST(Allocation, deciding_where_to_look_takes_no_memory_once_warm) {
  TestScene scene({640, 360}, 1);
  std::vector<FramePtr> frames;
  for (int i = 0; i < 40; ++i) {
    scene.Begin();
    const float x = 12 * static_cast<float>(i);
    scene.Fill({x, 200, x + 50, 230}, 210);
    scene.Fill({600 - x, 100, 612 - x, 130}, 30);
    frames.push_back(scene.Finish(2));
  }
  auto detector = MotionDetector::Create();
  auto planner = Planner::Create({.model_input = {576, 320}});
  auto canvas = Canvas::Create();
  const std::vector<TrackedBox> tracks = {{1, {100, 100, 140, 180}, 30, 0, true, 0},
                                          {2, {400, 50, 420, 90}, 0, 0, true, 1}};
  int64_t before = 0;
  int regions = 0;
  for (int i = 0; i < 120; ++i) {
    if (i == 80) before = allocations_of_this_thread;
    const Frame& frame = *frames[static_cast<size_t>(i) % frames.size()];
    const Motion& motion = detector->Update(frame, i * 0.2);
    const Look& look = planner->Plan(motion, tracks, {640, 360}, i * 0.2);
    canvas->Begin(frame);
    canvas->Add(0, frame, look.regions);
    canvas->Finish();
    regions += look.kind == LookKind::kRegions;
  }
  EXPECT_GT(regions, 20);
  EXPECT_EQ(allocations_of_this_thread, before);
}

}  // namespace
}  // namespace sightline::attention
