#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <limits>

#include "base/test_assets.h"
#include "base/text.h"
#include "simulate/faults/fault.h"
#include "simulate/faults/test_pictures.h"
#include "turbojpeg.h"

namespace sightline::simulate {
namespace {

constexpr FaultKind kOfPictures[] = {FaultKind::kSmudge,
                                     FaultKind::kDroplets,
                                     FaultKind::kCover,
                                     FaultKind::kDefocus,
                                     FaultKind::kShift,
                                     FaultKind::kRotation,
                                     FaultKind::kBlack,
                                     FaultKind::kOverexposure,
                                     FaultKind::kUnderexposure,
                                     FaultKind::kGlare,
                                     FaultKind::kNoise,
                                     FaultKind::kBanding,
                                     FaultKind::kCompression,
                                     FaultKind::kLowResolution,
                                     FaultKind::kInfrared,
                                     FaultKind::kRain,
                                     FaultKind::kFog};
constexpr PixelFormat kFormats[] = {PixelFormat::kGray8,  PixelFormat::kRgb24,  PixelFormat::kYuv420,
                                    PixelFormat::kYuv422, PixelFormat::kYuv444, PixelFormat::kNv12};

Fault Make(FaultKind kind, int severity) {
  Fault fault;
  fault.kind = kind;
  fault.severity = severity;
  return fault;
}

bool MovesTheView(FaultKind kind) { return kind == FaultKind::kShift || kind == FaultKind::kRotation; }

void ExpectMonotone(const FramePtr& picture) {
  for (const FaultKind kind : kOfPictures) {
    double before = 0;
    for (int severity = 1; severity <= 5; ++severity) {
      const FramePtr out = ApplyToPicture(picture, {Make(kind, severity)}, std::nullopt);
      const double damage = MeanSquaredError(*picture, *out);
      if (severity == 1) {
        EXPECT_GT(damage, 0) << Name(kind);
      }
      // Where a view has moved by more than its things are wide, their pixels tell no more how far.
      if (!MovesTheView(kind) || severity == 1) {
        EXPECT_GT(damage, before) << Name(kind) << " " << severity;
      }
      before = damage;
    }
  }
}

TEST(Severity, does_more_damage_the_higher_it_is) {
  ExpectMonotone(TestPicture(PixelFormat::kYuv420, {640, 360}));
}

TEST(Severity, does_more_damage_on_a_real_street_too) {
  SKIP_WITHOUT_ASSETS();
  std::ifstream file(AssetsFolder() / "images/street/dlstreamer_pedestrians.jpg", std::ios::binary);
  const std::vector<unsigned char> bytes{std::istreambuf_iterator<char>(file), {}};
  ASSERT_FALSE(bytes.empty());
  tjhandle decoder = tjInitDecompress();
  int width = 0, height = 0, sampling = 0, space = 0;
  ASSERT_EQ(tjDecompressHeader3(decoder, bytes.data(), bytes.size(), &width, &height, &sampling, &space), 0);
  auto frame = std::make_shared<Frame>();
  frame->Allocate(PixelFormat::kRgb24, {width, height});
  ASSERT_EQ(tjDecompress2(decoder, bytes.data(), bytes.size(), frame->mutable_plane(0), width,
                          frame->planes[0].stride, height, TJPF_RGB, 0),
            0);
  tjDestroy(decoder);
  ExpectMonotone(frame);
}

TEST(Region, nothing_changes_outside) {
  for (const PixelFormat format : kFormats) {
    const FramePtr picture = TestPicture(format, {161, 91}, ColorRange::kLimited);
    for (const FaultKind kind : kOfPictures) {
      Fault fault = Make(kind, 5);
      fault.region = {0.5f, 0.5f, 1, 1};
      const FramePtr out = ApplyToPicture(picture, {fault}, std::nullopt);
      double inside = 0;
      for (int i = 0; i < PlaneCount(format); ++i) {
        const Size plane = PlaneSize(format, picture->size, i);
        for (int y = 0; y < plane.height; ++y) {
          for (int x = 0; x < plane.width; ++x) {
            const bool is_out = 2 * x < plane.width - 3 || 2 * y < plane.height - 1;
            const int difference = At(*picture, i, x, y) - At(*out, i, x, y);
            if (is_out) {
              ASSERT_EQ(difference, 0)
                  << Name(kind) << " " << Name(format) << " " << i << " " << x << " " << y;
            }
            inside += std::abs(difference);
          }
        }
      }
      EXPECT_GT(inside, 0) << Name(kind) << " " << Name(format);
    }
  }
}

TEST(Formats, every_one_of_any_size_keeps_what_it_is) {
  for (const PixelFormat format : kFormats) {
    for (const Size size : {Size{16, 16}, Size{17, 33}, Size{65, 16}, Size{1, 1}, Size{2, 3}}) {
      const FramePtr picture = TestPicture(format, size, ColorRange::kLimited);
      for (const FaultKind kind : kOfPictures) {
        for (const int severity : {1, 5}) {
          const FramePtr out = ApplyToPicture(picture, {Make(kind, severity)}, std::nullopt);
          ASSERT_NE(out, picture);
          EXPECT_EQ(out->size, size);
          EXPECT_EQ(out->source_size, picture->source_size);
          EXPECT_EQ(out->format, format);
          EXPECT_EQ(out->range, ColorRange::kLimited);
        }
      }
    }
  }
}

TEST(Range, limited_black_and_white_are_sixteen_and_two_hundred_and_thirty_five) {
  const FramePtr picture = TestPicture(PixelFormat::kYuv420, {64, 64}, ColorRange::kLimited);
  const FramePtr black = ApplyToPicture(picture, {Make(FaultKind::kBlack, 5)}, std::nullopt);
  const FramePtr white = ApplyToPicture(picture, {Make(FaultKind::kOverexposure, 5)}, std::nullopt);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      EXPECT_EQ(At(*black, 0, x, y), 16);
      EXPECT_LE(At(*white, 0, x, y), 235);
    }
  }
}

TEST(Strength, before_the_onset_the_frame_itself_is_given) {
  const FramePtr picture = TestPicture(PixelFormat::kRgb24, {64, 48});
  for (const FaultKind kind : kOfPictures) {
    Fault fault = Make(kind, 5);
    fault.at_s = 10;
    EXPECT_EQ(ApplyToPicture(picture, {fault}, 9.9), picture);
    EXPECT_EQ(ApplyToPicture(picture, {fault}, std::numeric_limits<double>::quiet_NaN()), picture);
    EXPECT_NE(ApplyToPicture(picture, {fault}, 10.1), picture);
    EXPECT_NE(ApplyToPicture(picture, {fault}, 1e300), picture);
  }
}

TEST(Strength, half_way_up_the_ramp_does_less_damage) {
  const FramePtr picture = TestPicture(PixelFormat::kYuv420, {320, 180});
  for (const FaultKind kind : kOfPictures) {
    if (MovesTheView(kind)) continue;
    Fault fault = Make(kind, 4);
    fault.ramp_s = 10;
    const double early = MeanSquaredError(*picture, *ApplyToPicture(picture, {fault}, 2.5));
    const double full = MeanSquaredError(*picture, *ApplyToPicture(picture, {fault}, 10.0));
    EXPECT_LT(early, full) << Name(kind);
  }
}

TEST(Determinism, a_seed_gives_the_same_pixels) {
  const FramePtr picture = TestPicture(PixelFormat::kYuv420, {160, 90});
  for (const FaultKind kind : kOfPictures) {
    const Fault fault = Make(kind, 4);
    EXPECT_TRUE(SameSamples(*ApplyToPicture(picture, {fault}, 3.0), *ApplyToPicture(picture, {fault}, 3.0)))
        << Name(kind);
  }
  Fault other = Make(FaultKind::kNoise, 4);
  other.seed = 2;
  EXPECT_FALSE(SameSamples(*ApplyToPicture(picture, {Make(FaultKind::kNoise, 4)}, 3.0),
                           *ApplyToPicture(picture, {other}, 3.0)));
}

TEST(Geometry, a_shift_moves_the_view_by_a_quarter_of_its_width) {
  auto frame = std::make_shared<Frame>();
  frame->Allocate(PixelFormat::kGray8, {400, 200});
  for (int y = 0; y < 200; ++y) {
    for (int x = 0; x < 400; ++x)
      frame->mutable_plane(0)[y * frame->planes[0].stride + x] = static_cast<uint8_t>(x * 255 / 399);
  }
  const FramePtr out = ApplyToPicture(frame, {Make(FaultKind::kShift, 5)}, std::nullopt);
  const int moved = std::abs(At(*out, 0, 200, 100) - At(*frame, 0, 200, 100));
  EXPECT_GT(moved, 255 * 0.25 * 0.85);
  EXPECT_LT(moved, 255 * 0.25 * 1.05);
}

TEST(Geometry, views_move_farther_the_higher_the_severity) {
  auto frame = std::make_shared<Frame>();  // luma tells the column, U the row
  frame->Allocate(PixelFormat::kYuv444, {256, 144});
  for (int y = 0; y < 144; ++y) {
    for (int x = 0; x < 256; ++x) {
      const ptrdiff_t at = static_cast<ptrdiff_t>(y) * frame->planes[0].stride + x;
      frame->mutable_plane(0)[at] = static_cast<uint8_t>(x);
      frame->mutable_plane(1)[at] = static_cast<uint8_t>(y);
      frame->mutable_plane(2)[at] = 128;
    }
  }
  for (const FaultKind kind : {FaultKind::kShift, FaultKind::kRotation}) {
    double before = 0;
    for (int severity = 1; severity <= 5; ++severity) {
      const double damage =
          MeanSquaredError(*frame, *ApplyToPicture(frame, {Make(kind, severity)}, std::nullopt));
      EXPECT_GT(damage, before) << Name(kind) << " " << severity;
      before = damage;
    }
  }
}

TEST(Several, are_done_in_the_order_given) {
  const FramePtr picture = TestPicture(PixelFormat::kYuv420, {160, 90});
  const Fault black = Make(FaultKind::kBlack, 5), noise = Make(FaultKind::kNoise, 5);
  const FramePtr dark_last = ApplyToPicture(picture, {noise, black}, std::nullopt);
  const FramePtr noise_last = ApplyToPicture(picture, {black, noise}, std::nullopt);
  EXPECT_TRUE(SameSamples(*dark_last, *ApplyToPicture(picture, {black}, std::nullopt)));
  EXPECT_FALSE(SameSamples(*dark_last, *noise_last));
}

TEST(Pictures, are_left_alone_by_faults_of_time) {
  const FramePtr picture = TestPicture(PixelFormat::kYuv420, {64, 48});
  for (const FaultKind kind :
       {FaultKind::kFreeze, FaultKind::kLoop, FaultKind::kFrameDrop, FaultKind::kClockJump}) {
    EXPECT_EQ(ApplyToPicture(picture, {Make(kind, 5)}, std::nullopt), picture);
  }
}

}  // namespace
}  // namespace sightline::simulate
