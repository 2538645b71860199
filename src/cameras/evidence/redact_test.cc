#include "cameras/evidence/redact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "cameras/evidence/test_media.h"

namespace sightline::cameras {
namespace {

constexpr PixelFormat kFormats[] = {PixelFormat::kGray8,  PixelFormat::kRgb24,  PixelFormat::kYuv420,
                                    PixelFormat::kYuv422, PixelFormat::kYuv444, PixelFormat::kNv12};
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::shared_ptr<Frame> Noise(PixelFormat format, Size size, uint32_t seed = 7) {
  auto frame = std::make_shared<Frame>();
  frame->Allocate(format, size);
  std::minstd_rand random(seed);
  for (int i = 0; i < PlaneCount(format); ++i) {
    const Size plane = PlaneSize(format, size, i);
    for (int y = 0; y < plane.height; ++y)
      for (int x = 0; x < plane.width; ++x)
        frame->mutable_plane(i)[y * frame->planes[static_cast<size_t>(i)].stride + x] =
            static_cast<uint8_t>(random() >> 8);
  }
  return frame;
}

int Sample(const Frame& frame, int plane, int x, int y) {
  const Plane& p = frame.planes[static_cast<size_t>(plane)];
  return p.data[static_cast<ptrdiff_t>(y) * p.stride + x];
}

// The largest step between neighbours of one channel inside a rectangle of a plane.
int LargestStep(const Frame& frame, int plane, int channels, int x0, int y0, int x1, int y1) {
  int largest = 0;
  for (int y = y0; y < y1; ++y)
    for (int x = x0 * channels; x < (x1 - 1) * channels; ++x)
      largest =
          std::max(largest, std::abs(Sample(frame, plane, x + channels, y) - Sample(frame, plane, x, y)));
  for (int y = y0; y + 1 < y1; ++y)
    for (int x = x0 * channels; x < x1 * channels; ++x)
      largest = std::max(largest, std::abs(Sample(frame, plane, x, y + 1) - Sample(frame, plane, x, y)));
  return largest;
}

TEST(Hide, no_plane_of_any_format_keeps_detail) {
  for (const PixelFormat format : kFormats) {
    SCOPED_TRACE(Name(format));
    const auto frame = Noise(format, {161, 121});
    const auto before = CopyOf(*frame);
    Hide({{33, 21, 97, 99}, {}}, frame.get());
    for (int i = 0; i < PlaneCount(format); ++i) {
      const int channels = format == PixelFormat::kRgb24 ? 3 : format == PixelFormat::kNv12 && i == 1 ? 2 : 1;
      const int sx = PlaneSize(format, {64, 64}, i).width == 64 * channels ? 1 : 2;
      const int sy = PlaneSize(format, {64, 64}, i).height == 64 ? 1 : 2;
      EXPECT_GT(LargestStep(*before, i, channels, 34 / sx, 22 / sy, 97 / sx, 99 / sy), 150);
      EXPECT_LT(LargestStep(*frame, i, channels, 34 / sx, 22 / sy, 97 / sx, 99 / sy), 12);
      // What is two pixels off is as it was.
      EXPECT_EQ(Sample(*frame, i, 30 / sx * channels, 50 / sy),
                Sample(*before, i, 30 / sx * channels, 50 / sy));
      EXPECT_EQ(Sample(*frame, i, 101 / sx * channels, 50 / sy),
                Sample(*before, i, 101 / sx * channels, 50 / sy));
    }
  }
}

TEST(Hide, flat_colour_stays_what_it_is) {
  auto frame = std::make_shared<Frame>();
  frame->Allocate(PixelFormat::kGray8, {64, 64});
  std::fill_n(frame->mutable_plane(0), frame->planes[0].stride * 64, uint8_t{77});
  Hide({{3, 3, 40, 60}, {}}, frame.get());
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 64; ++x) ASSERT_EQ(Sample(*frame, 0, x, y), 77);
}

// All that is left of a region is at most 8 x 8 numbers: a picture within the same blocks' means cannot be
// told from another.
TEST(Hide, pictures_with_the_same_means_become_the_same) {
  auto a = Noise(PixelFormat::kGray8, {128, 128}), b = CopyOf(*a);
  // Samples change places within blocks of 16.
  uint8_t* pixels = b->mutable_plane(0);
  for (int y = 0; y < 128; ++y)
    for (int x = 0; x < 128; x += 16)
      std::reverse(pixels + y * b->planes[0].stride + x, pixels + y * b->planes[0].stride + x + 16);
  ASSERT_NE(Sample(*a, 0, 0, 0), Sample(*b, 0, 0, 0));
  HideWhole(a.get());
  HideWhole(b.get());
  for (int y = 0; y < 128; ++y)
    for (int x = 0; x < 128; ++x) ASSERT_EQ(Sample(*a, 0, x, y), Sample(*b, 0, x, y));
}

TEST(Hide, an_outline_is_hidden_and_what_is_beside_it_stays) {
  const auto frame = Noise(PixelFormat::kYuv420, {200, 200});
  const auto before = CopyOf(*frame);
  const std::vector<Keypoint> triangle = {{20, 20}, {180, 20}, {20, 180}};
  Hide({{20, 20, 180, 180}, triangle}, frame.get());
  EXPECT_LT(LargestStep(*frame, 0, 1, 22, 22, 90, 90), 12);
  EXPECT_LT(LargestStep(*frame, 1, 1, 12, 12, 45, 45), 12);
  EXPECT_EQ(Sample(*frame, 0, 150, 150), Sample(*before, 0, 150, 150));
  EXPECT_EQ(Sample(*frame, 2, 75, 75), Sample(*before, 2, 75, 75));
}

TEST(Hide, coordinates_may_be_anything) {
  const float odd[] = {0,     -1,    5,     1e9f, -1e9f, kNaN, std::numeric_limits<float>::infinity(),
                       99.5f, 1e38f, -3e38f};
  std::minstd_rand random(11);
  const auto any = [&] { return odd[random() % std::size(odd)]; };
  for (int i = 0; i < 2000; ++i) {
    const auto frame =
        Noise(kFormats[i % 6], {1 + static_cast<int>(random() % 40), 1 + static_cast<int>(random() % 40)});
    std::vector<Keypoint> outline;
    for (uint32_t n = random() % 5; n > 0; --n) outline.push_back({any(), any()});
    Hide({{any(), any(), any(), any()}, outline}, frame.get());
    Redaction redaction;
    redaction.people = redaction.plates = true;
    redaction.faces = i % 2 == 0;
    redaction.zones = {outline};
    Redact(redaction,
           {{SeenBox::Kind::kPerson, 1, {any(), any(), any(), any()}},
            {SeenBox::Kind::kVehicle, 2, {any(), any(), any(), any()}}},
           frame.get());
  }
}

TEST(Regions, what_is_no_number_hides_everything) {
  const auto frame = Noise(PixelFormat::kGray8, {80, 60});
  Redaction redaction;
  redaction.people = true;
  Redact(redaction, {{SeenBox::Kind::kPerson, 1, {kNaN, 2, 3, 4}}}, frame.get());
  EXPECT_LT(LargestStep(*frame, 0, 1, 0, 0, 80, 60), 16);
}

TEST(Regions, kinds_hide_what_they_say) {
  const std::vector<SeenBox> boxes = {{SeenBox::Kind::kPerson, 1, {100, 100, 140, 200}},
                                      {SeenBox::Kind::kFace, 2, {300, 100, 320, 120}},
                                      {SeenBox::Kind::kVehicle, 3, {400, 200, 600, 300}}};
  const Size size{1000, 1000};
  Redaction faces, people, plates;
  faces.faces = people.people = plates.plates = true;
  const auto of_faces = RegionsOf(faces, boxes, size);
  ASSERT_EQ(of_faces.size(), 2u);
  EXPECT_EQ(of_faces[0].box.y1, 85);  // above the hair
  EXPECT_GT(of_faces[0].box.y2, 135);
  EXPECT_LT(of_faces[0].box.y2, 150);  // not the body
  EXPECT_EQ(of_faces[0].box.x1, 94);
  const auto of_people = RegionsOf(people, boxes, size);
  ASSERT_EQ(of_people.size(), 2u);  // a face is somebody's too
  EXPECT_EQ(of_people[0].box, (Box{94, 85, 146, 215}));
  const auto of_plates = RegionsOf(plates, boxes, size);
  ASSERT_EQ(of_plates.size(), 1u);
  EXPECT_LT(of_plates[0].box.y1, 235);
  EXPECT_GT(of_plates[0].box.y1, 220);  // windows and roof stay
  EXPECT_GT(of_plates[0].box.y2, 310);
}

TEST(Regions, of_who_sits_or_lies_more_is_hidden_and_of_a_cut_vehicle_all) {
  Redaction faces, plates;
  faces.faces = plates.plates = true;
  const Size size{1000, 1000};
  const auto sitting = RegionsOf(faces, {{SeenBox::Kind::kPerson, 1, {100, 100, 200, 200}}}, size);
  EXPECT_GT(sitting[0].box.y2, 175);
  const auto lying = RegionsOf(faces, {{SeenBox::Kind::kPerson, 1, {100, 100, 300, 180}}}, size);
  EXPECT_GT(lying[0].box.y2, 180);
  const auto cut = RegionsOf(plates, {{SeenBox::Kind::kVehicle, 1, {100, -3, 300, 80}}}, size);
  EXPECT_LT(cut[0].box.y1, 0);
}

TEST(Redacted, hides_in_a_smaller_decode_and_leaves_the_frame_alone) {
  const auto frame = Noise(PixelFormat::kYuv420, {160, 120});
  frame->source_size = {640, 480};
  frame->time_s = 3;
  const auto before = CopyOf(*frame);
  Redaction people;
  people.people = true;
  const FramePtr shared = frame;
  const FramePtr redacted = Redacted(shared, people, {{SeenBox::Kind::kPerson, 1, {200, 80, 400, 400}}});
  ASSERT_NE(redacted, shared);
  EXPECT_EQ(redacted->source_size, frame->source_size);
  EXPECT_EQ(redacted->time_s, 3);
  EXPECT_LT(LargestStep(*redacted, 0, 1, 46, 14, 104, 106), 12);
  EXPECT_EQ(Sample(*redacted, 0, 20, 50), Sample(*before, 0, 20, 50));
  EXPECT_EQ(Sample(*frame, 0, 75, 60), Sample(*before, 0, 75, 60));
  EXPECT_EQ(Redacted(shared, Redaction(), {{SeenBox::Kind::kPerson, 1, {200, 80, 400, 400}}}), shared);
  EXPECT_EQ(Redacted(nullptr, people, {}), nullptr);
}

TEST(Join, hides_what_either_hides) {
  Redaction a, b;
  a.faces = true;
  a.zones = {{{0, 0}, {9, 0}, {9, 9}}};
  b.plates = true;
  b.zones = {{{0, 0}, {9, 0}, {9, 9}}, {{1, 1}, {2, 1}, {2, 2}}};
  Join(b, &a);
  EXPECT_TRUE(a.faces && a.plates && !a.people);
  EXPECT_EQ(a.zones.size(), 2u);
}

}  // namespace
}  // namespace sightline::cameras
