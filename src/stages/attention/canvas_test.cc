#include <gtest/gtest.h>

#include <random>

#include "stages/attention/attention.h"

namespace sightline::attention {
namespace {

std::shared_ptr<Frame> Picture(PixelFormat format, Size size, uint32_t seed) {
  auto frame = std::make_shared<Frame>();
  frame->Allocate(format, size);
  std::mt19937 random(seed);
  for (int i = 0; i < PlaneCount(format); ++i) {
    const Size plane = PlaneSize(format, size, i);
    for (int y = 0; y < plane.height; ++y) {
      uint8_t* row =
          frame->mutable_plane(i) + static_cast<ptrdiff_t>(y) * frame->planes[static_cast<size_t>(i)].stride;
      for (int x = 0; x < plane.width; ++x) row[x] = static_cast<uint8_t>(random());
    }
  }
  return frame;
}

uint8_t Sample(const Frame& frame, int plane, int x, int y) {
  const Plane& p = frame.planes[static_cast<size_t>(plane)];
  return p.data[static_cast<ptrdiff_t>(y) * p.stride + x];
}

bool Meet(const Placed& a, const Placed& b) {
  return static_cast<float>(a.x) < static_cast<float>(b.x) + b.from.width() &&
         static_cast<float>(b.x) < static_cast<float>(a.x) + a.from.width() &&
         static_cast<float>(a.y) < static_cast<float>(b.y) + b.from.height() &&
         static_cast<float>(b.y) < static_cast<float>(a.y) + a.from.height();
}

TEST(Canvas, every_sample_of_a_region_lies_where_it_was_placed) {
  constexpr Size kSize{320, 182};
  for (const PixelFormat format : {PixelFormat::kGray8, PixelFormat::kYuv420, PixelFormat::kNv12,
                                   PixelFormat::kYuv422, PixelFormat::kYuv444, PixelFormat::kRgb24}) {
    SCOPED_TRACE(Name(format));
    for (uint32_t seed = 0; seed < 40; ++seed) {
      SCOPED_TRACE(seed);
      std::mt19937 random(seed);
      const auto below = [&](int end) {
        return static_cast<float>(2 * static_cast<int>(random() % static_cast<uint32_t>(end / 2)));
      };
      std::vector<std::shared_ptr<Frame>> pictures;
      auto canvas = Canvas::Create();
      for (int source = 0; source < 4; ++source) {
        pictures.push_back(Picture(format, kSize, seed * 10 + static_cast<uint32_t>(source)));
        if (source == 0) canvas->Begin(*pictures[0]);
        std::vector<Box> regions;
        for (int i = 0; i < 2; ++i) {
          const float x = below(kSize.width - 80), y = below(kSize.height - 60);
          regions.push_back({x, y, x + 2 + below(78), y + 2 + below(58)});
        }
        const size_t before = canvas->placed().size();
        const bool added = canvas->Add(source, *pictures.back(), regions);
        EXPECT_EQ(canvas->placed().size(), before + (added ? regions.size() : 0));
      }
      ASSERT_FALSE(canvas->placed().empty());
      const std::vector<Placed> placed(canvas->placed().begin(), canvas->placed().end());
      const FramePtr frame = canvas->Finish();
      EXPECT_EQ(frame->size.width, kSize.width);
      EXPECT_LE(frame->size.height, kSize.height);
      for (size_t i = 0; i < placed.size(); ++i) {
        const Placed& place = placed[i];
        EXPECT_TRUE(place.x % 2 == 0 && place.y % 2 == 0);
        EXPECT_LE(static_cast<float>(place.y) + place.from.height(), static_cast<float>(frame->size.height));
        for (size_t j = 0; j < i; ++j) EXPECT_FALSE(Meet(place, placed[j]));
        const Frame& source = *pictures[static_cast<size_t>(place.source)];
        for (int plane = 0; plane < PlaneCount(format); ++plane) {
          const Size pair = PlaneSize(format, {2, 2}, plane);
          const Size part = PlaneSize(
              format, {static_cast<int>(place.from.width()), static_cast<int>(place.from.height())}, plane);
          int wrong = 0;
          for (int y = 0; y < part.height; ++y) {
            for (int x = 0; x < part.width; ++x) {
              wrong += Sample(*frame, plane, place.x * pair.width / 2 + x, place.y * pair.height / 2 + y) !=
                       Sample(source, plane, static_cast<int>(place.from.x1) * pair.width / 2 + x,
                              static_cast<int>(place.from.y1) * pair.height / 2 + y);
            }
          }
          EXPECT_EQ(wrong, 0) << "plane " << plane;
        }
      }
    }
  }
}

TEST(Canvas, boxes_come_back_to_their_sources) {
  const auto a = Picture(PixelFormat::kYuv420, {640, 360}, 1),
             b = Picture(PixelFormat::kYuv420, {640, 360}, 2);
  auto canvas = Canvas::Create();
  canvas->Begin(*a);
  const Box left{100, 50, 200, 150}, right{400, 200, 520, 290};
  ASSERT_TRUE(canvas->Add(0, *a, {&left, 1}));
  ASSERT_TRUE(canvas->Add(1, *b, {&right, 1}));
  for (const Placed& place : canvas->placed()) {
    const auto x = static_cast<float>(place.x), y = static_cast<float>(place.y);
    int source = -1;
    Box box;
    ASSERT_TRUE(canvas->ToSource({x + 10, y + 20, x + 40, y + 60}, &source, &box));
    EXPECT_EQ(source, place.source);
    EXPECT_EQ(box, (Box{place.from.x1 + 10, place.from.y1 + 20, place.from.x1 + 40, place.from.y1 + 60}));
    // Cut by an edge, or in no region.
    EXPECT_FALSE(canvas->ToSource({x + 0.5f, y + 20, x + 40, y + 60}, &source, &box));
    EXPECT_FALSE(canvas->ToSource({x + 10, y + 20, x + 40, y + place.from.height() - 1}, &source, &box));
    EXPECT_FALSE(canvas->ToSource({630, 350, 640, 360}, &source, &box));
  }
}

TEST(Canvas, edges_of_the_picture_cut_nothing) {
  const auto picture = Picture(PixelFormat::kYuv420, {640, 360}, 1);
  auto canvas = Canvas::Create();
  canvas->Begin(*picture);
  const Box corner{0, 0, 100, 80};
  ASSERT_TRUE(canvas->Add(0, *picture, {&corner, 1}));
  int source = -1;
  Box box;
  EXPECT_TRUE(canvas->ToSource({0, 0, 50, 60}, &source, &box));
  EXPECT_FALSE(canvas->ToSource({50, 20, 100, 60}, &source, &box));
}

TEST(Canvas, what_has_no_room_or_is_of_another_kind_is_refused_whole) {
  const auto picture = Picture(PixelFormat::kYuv420, {320, 180}, 1),
             other = Picture(PixelFormat::kNv12, {320, 180}, 1),
             larger = Picture(PixelFormat::kYuv420, {640, 360}, 1);
  auto canvas = Canvas::Create();
  EXPECT_FALSE(canvas->Add(0, *picture, {}));
  EXPECT_EQ(canvas->Finish(), nullptr);
  canvas->Begin(*picture);
  const Box whole{0, 0, 320, 180}, small{0, 0, 20, 20}, nothing{5, 5, 5, 5};
  EXPECT_FALSE(canvas->Add(0, *other, {&small, 1}));
  EXPECT_FALSE(canvas->Add(0, *larger, {&small, 1}));
  EXPECT_FALSE(canvas->Add(0, *picture, {&nothing, 1}));
  ASSERT_TRUE(canvas->Add(0, *picture, {&small, 1}));
  const std::vector<Box> too_much = {small, whole};
  EXPECT_FALSE(canvas->Add(1, *picture, too_much));
  EXPECT_EQ(canvas->placed().size(), 1u);
  EXPECT_TRUE(canvas->Add(1, *picture, {&small, 1}));
}

}  // namespace
}  // namespace sightline::attention
