#include <gtest/gtest.h>

#include "data/frame.h"
#include "data/geometry.h"
#include "data/tensor.h"

namespace sightline {
namespace {

TEST(Geometry, intersection_over_union_of_half_overlapping_boxes) {
  EXPECT_FLOAT_EQ(IntersectionOverUnion({0, 0, 2, 2}, {1, 0, 3, 2}), 1.f / 3);
  EXPECT_EQ(IntersectionOverUnion({0, 0, 1, 1}, {1, 0, 2, 1}), 0);
}

TEST(Geometry, transform_goes_there_and_back) {
  const InputTransform transform{0.5f, 0.25f, 10, 20, {100, 100}, {160, 240}};
  const Box box{8, 16, 40, 80};
  EXPECT_EQ(transform.ToInput(box), (Box{14, 24, 30, 40}));
  EXPECT_EQ(transform.ToSource(transform.ToInput(box)), box);
}

TEST(Frame, planes_are_aligned_and_do_not_overlap) {
  Frame frame;
  for (const Size size : {Size{1, 1}, Size{3, 5}, Size{641, 479}}) {
    for (const auto format : {PixelFormat::kGray8, PixelFormat::kRgb24, PixelFormat::kYuv420,
                              PixelFormat::kYuv422, PixelFormat::kYuv444, PixelFormat::kNv12}) {
      frame.Allocate(format, size);
      const uint8_t* end = nullptr;
      for (int i = 0; i < PlaneCount(format); ++i) {
        const Size plane = PlaneSize(format, size, i);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(frame.planes[i].data) % 64, 0u);
        EXPECT_GE(frame.planes[i].stride, plane.width);
        EXPECT_GE(frame.planes[i].data, end);
        end = frame.planes[i].data + static_cast<ptrdiff_t>(frame.planes[i].stride) * plane.height;
      }
      EXPECT_LE(end + Frame::kPadding, frame.storage.data() + frame.storage.size());
    }
  }
}

TEST(FramePool, gives_the_same_memory_again_and_outlives_its_pool) {
  std::shared_ptr<Frame> kept;
  const uint8_t* first = nullptr;
  {
    FramePool pool;
    kept = pool.Acquire();
    kept->Allocate(PixelFormat::kGray8, {64, 64});
    first = kept->planes[0].data;
    kept.reset();
    kept = pool.Acquire();
    kept->Allocate(PixelFormat::kGray8, {64, 64});
    EXPECT_EQ(kept->planes[0].data, first);
  }
  kept->mutable_plane(0)[0] = 1;
}

TEST(Tensor, reset_keeps_alignment_and_text_shows_open_extents) {
  Tensor tensor;
  tensor.Reset(ElementType::kFloat32, {1, 3, 7, 5});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.view().data) % 64, 0u);
  EXPECT_EQ(tensor.view().elements(), 105);
  EXPECT_EQ(ToString({-1, 3}), "[?,3]");
}

}  // namespace
}  // namespace sightline
