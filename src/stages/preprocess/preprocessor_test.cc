#include "stages/preprocess/preprocessor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "hwy/targets.h"
#include "stages/preprocess/placement.h"
#include "stages/preprocess/plan.h"
#include "stages/preprocess/reference.h"

namespace sightline::preprocess {
namespace {

// Largest difference from the reference, in sample levels (0..255, before normalisation), that float32 output
// may have: single against double precision in positions, weights and colour.
constexpr double kLevelErrorMax = 1e-3;

constexpr PixelFormat kFormats[] = {PixelFormat::kGray8,  PixelFormat::kRgb24,  PixelFormat::kYuv420,
                                    PixelFormat::kYuv422, PixelFormat::kYuv444, PixelFormat::kNv12};

Preprocessor Make(const InputCard& card) {
  auto made = Preprocessor::Create(card);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

// Planes that end where their last sample ends, in memory of their own: sanitizers see any read beyond.
struct TightFrame {
  Frame frame;
  std::array<std::vector<uint8_t>, 3> memory;

  TightFrame(PixelFormat format, Size size, int extra_stride) {
    frame.format = format;
    frame.size = frame.source_size = size;
    for (int i = 0; i < PlaneCount(format); ++i) {
      const Size plane = PlaneSize(format, size, i);
      const int stride = plane.width + extra_stride;
      memory[i].resize(static_cast<size_t>(stride) * (plane.height - 1) + plane.width);
      frame.planes[i] = {memory[i].data(), stride};
    }
  }
  TightFrame(const TightFrame&) = delete;
  TightFrame& operator=(const TightFrame&) = delete;

  // Smooth waves with noise: neither flat nor only noise.
  void Paint(std::mt19937* random) {
    std::uniform_real_distribution<double> noise(-40, 40), step(0.01, 0.4);
    for (auto& plane : memory) {
      const double frequency = step(*random);
      for (size_t i = 0; i < plane.size(); ++i) {
        const double value = 128 + 110 * std::sin(frequency * static_cast<double>(i)) + noise(*random);
        plane[i] = static_cast<uint8_t>(std::clamp(value, 0.0, 255.0));
      }
    }
  }
};

double FromHalf(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

// Runs on every instruction set and returns the largest difference from the reference, in sample levels;
// float16 and uint8 may differ by their own rounding on top, which is taken off.
double CompareWithReference(const InputCard& card, const Frame& frame, const Box& region) {
  const Preprocessor preprocessor = Make(card);
  const InputTransform transform = preprocessor.Transform(region, frame.source_size);
  const std::vector<double> expected = ReferenceRun(card, frame, transform, region);
  double worst = 0;
  for (const int64_t target : KernelTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    Tensor tensor;
    tensor.Reset(card.type, preprocessor.TensorShape(transform.input));
    EXPECT_EQ(static_cast<size_t>(tensor.view().elements()), expected.size());
    const size_t bytes = expected.size() * BytesOf(card.type);
    std::vector<uint8_t> guarded(bytes + 64, 0xA5);
    static Preprocessor::Scratch scratch;  // with what earlier runs of other shapes left in it
    preprocessor.Run(frame, transform, region, guarded.data(), &scratch);
    for (size_t i = bytes; i < guarded.size(); ++i) EXPECT_EQ(guarded[i], 0xA5) << "wrote beyond the slot";
    const int channels = card.color == ColorOrder::kGray ? 1 : 3;
    const size_t area = expected.size() / channels;
    for (size_t i = 0; i < expected.size(); ++i) {
      const size_t channel = card.layout == TensorLayout::kNchw ? i / area : i % channels;
      double wanted = expected[i], got = 0, rounding = 0;
      if (card.type == ElementType::kFloat32) {
        float value;
        std::memcpy(&value, guarded.data() + i * 4, 4);
        got = value;
      } else if (card.type == ElementType::kFloat16) {
        uint16_t bits;
        std::memcpy(&bits, guarded.data() + i * 2, 2);
        got = FromHalf(bits);
        wanted = std::clamp(wanted, -65504.0, 65504.0);
        rounding =
            std::max(std::ldexp(1.0, -24), std::abs(wanted) / 2048);  // half a unit; a whole one if denormal
      } else {
        got = guarded[i];
        wanted = std::clamp(wanted, 0.0, 255.0);
        rounding = 0.5;
      }
      const double levels_per_unit = std::abs(card.std[channel] / card.scale);
      worst = std::max(worst, std::max(0.0, std::abs(got - wanted) - rounding) * levels_per_unit);
    }
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return worst;
}

template <typename T>
T Pick(std::mt19937* random, std::initializer_list<T> choices) {
  return choices.begin()[(*random)() % choices.size()];
}

InputCard RandomCard(std::mt19937* random) {
  InputCard card;
  card.width = 1 + static_cast<int>((*random)() % 90);
  card.height = 1 + static_cast<int>((*random)() % 70);
  card.layout = Pick(random, {TensorLayout::kNchw, TensorLayout::kNhwc});
  card.type = Pick(
      random, {ElementType::kFloat32, ElementType::kFloat32, ElementType::kFloat16, ElementType::kUint8});
  card.color = Pick(random, {ColorOrder::kRgb, ColorOrder::kBgr, ColorOrder::kGray});
  card.resize = Pick(random, {ResizeMode::kLetterbox, ResizeMode::kStretch, ResizeMode::kCenterCrop});
  card.anchor = Pick(random, {LetterboxAnchor::kTopLeft, LetterboxAnchor::kCenter});
  card.pad = {114, 20, 220};
  if (card.type != ElementType::kUint8) {
    card.scale = Pick(random, {1.f, 1 / 255.f, 2.f});
    card.mean = {0.485f, 12.f, 0.406f};
    card.std = {0.229f, 57.f, 0.225f};
  }
  return card;
}

TEST(Preprocessor, agrees_with_the_reference_over_formats_sizes_strides_crops_and_cards) {
  std::mt19937 random(20240611);
  std::array<double, 6> worst{};
  for (int trial = 0; trial < 900; ++trial) {
    const PixelFormat format = kFormats[trial % 6];
    // Every fifth picture is much larger than its place, so that all reductions occur.
    const int side = trial % 5 == 0 ? 900 : 150;
    const Size size{1 + static_cast<int>(random() % side), 1 + static_cast<int>(random() % side)};
    TightFrame tight(format, size, Pick(&random, {0, 1, 7, 64}));
    tight.Paint(&random);
    Frame& frame = tight.frame;
    frame.matrix = Pick(&random, {ColorMatrix::kBt601, ColorMatrix::kBt709, ColorMatrix::kBt2020});
    frame.range = format == PixelFormat::kRgb24 ? ColorRange::kFull
                                                : Pick(&random, {ColorRange::kFull, ColorRange::kLimited});
    if (trial % 3 == 1)
      frame.source_size = {size.width * 4 - static_cast<int>(random() % 4), size.height * 4};
    if (trial % 7 == 1) frame.source_size = {size.width * 3 + 1, size.height * 2 + 1};
    const auto coordinate = [&](int extent) {
      return std::uniform_real_distribution<float>(-0.4f, 1.4f)(random) * static_cast<float>(extent);
    };
    Box region = WholeBox(frame.source_size);
    if (trial % 2 == 1) {
      const float x1 = coordinate(frame.source_size.width), x2 = coordinate(frame.source_size.width);
      const float y1 = coordinate(frame.source_size.height), y2 = coordinate(frame.source_size.height);
      region = {std::min(x1, x2), std::min(y1, y2), std::max(x1, x2), std::max(y1, y2)};
    }
    const InputCard card = RandomCard(&random);
    const double error = CompareWithReference(card, frame, region);
    EXPECT_LE(error, kLevelErrorMax) << "trial " << trial << " " << Name(format) << " " << size.width << "x"
                                     << size.height << " to " << card.width << "x" << card.height;
    worst[trial % 6] = std::max(worst[trial % 6], error);
  }
  for (int i = 0; i < 6; ++i) RecordProperty(std::string(Name(kFormats[i])), fmt::format("{:.2e}", worst[i]));
  for (int i = 0; i < 6; ++i) fmt::print("max abs error {}: {:.2e} levels\n", Name(kFormats[i]), worst[i]);
}

TEST(Preprocessor, agrees_with_the_reference_at_every_reduction) {
  std::mt19937 random(7);
  for (const PixelFormat format : kFormats) {
    for (const int factor : {1, 2, 3, 4, 6, 8, 13, 16, 19, 40}) {
      TightFrame tight(format, {21 * factor + 1, 17 * factor + 3}, 5);
      tight.Paint(&random);
      InputCard card;
      card.width = 20;
      card.height = 16;
      EXPECT_LE(CompareWithReference(card, tight.frame, WholeBox(tight.frame.size)), kLevelErrorMax)
          << Name(format) << " / " << factor;
    }
  }
}

TEST(Preprocessor, any_region_is_made_safe) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInf = std::numeric_limits<float>::infinity();
  std::mt19937 random(3);
  TightFrame tight(PixelFormat::kYuv420, {37, 23}, 0);
  tight.Paint(&random);
  for (const ResizeMode resize : {ResizeMode::kLetterbox, ResizeMode::kStretch, ResizeMode::kCenterCrop}) {
    InputCard card;
    card.width = 19;
    card.height = 33;
    card.resize = resize;
    for (const Box& region :
         {Box{5, 5, 5, 5}, Box{9, 9, 2, 2}, Box{kNan, 0, 10, 10}, Box{0, kNan, 10, kNan},
          Box{-kInf, -kInf, kInf, kInf}, Box{-1e30f, 3, 1e30f, 4}, Box{100, 100, 200, 200},
          Box{-50, -50, -49, -49}, Box{36.9f, 0, 37, 23}, Box{0, 0, 1e-20f, 23}}) {
      EXPECT_LE(CompareWithReference(card, tight.frame, region), kLevelErrorMax);
      const InputTransform transform = Make(card).Transform(region, tight.frame.size);
      EXPECT_TRUE(std::isfinite(transform.scale_x) && transform.scale_x > 0);
      EXPECT_TRUE(std::isfinite(transform.scale_y) && transform.scale_y > 0);
      EXPECT_TRUE(std::isfinite(transform.offset_x) && std::isfinite(transform.offset_y));
    }
  }
}

TEST(Preprocessor, flat_picture_gives_flat_tensor) {
  for (const PixelFormat format : kFormats) {
    TightFrame tight(format, {123, 77}, 3);
    for (auto& plane : tight.memory) std::fill(plane.begin(), plane.end(), uint8_t{128});
    InputCard card;
    card.width = 40;
    card.height = 50;
    card.resize = ResizeMode::kStretch;
    const Preprocessor preprocessor = Make(card);
    const Box region{-10, -10, 90, 100};
    const InputTransform transform = preprocessor.Transform(region, tight.frame.size);
    std::vector<float> tensor(3 * 40 * 50);
    Preprocessor::Scratch scratch;
    preprocessor.Run(tight.frame, transform, region, tensor.data(), &scratch);
    for (const float value : tensor) ASSERT_NEAR(value, 128, 1e-4) << Name(format);
  }
}

TEST(Preprocessor, identity_size_gives_the_pixels) {
  std::mt19937 random(11);
  TightFrame tight(PixelFormat::kRgb24, {67, 41}, 2);
  tight.Paint(&random);
  InputCard card;
  card.width = 67;
  card.height = 41;
  card.type = ElementType::kUint8;
  card.layout = TensorLayout::kNhwc;
  const Preprocessor preprocessor = Make(card);
  const Box region = WholeBox(tight.frame.size);
  std::vector<uint8_t> tensor(3 * 67 * 41);
  Preprocessor::Scratch scratch;
  preprocessor.Run(tight.frame, preprocessor.Transform(region, tight.frame.size), region, tensor.data(),
                   &scratch);
  for (int y = 0; y < 41; ++y) {
    ASSERT_EQ(0, std::memcmp(tensor.data() + y * 67 * 3,
                             tight.memory[0].data() + y * tight.frame.planes[0].stride, 67 * 3));
  }
}

TEST(Preprocessor, decoding_at_a_smaller_scale_gives_the_same_tensor) {
  std::mt19937 random(5);
  for (const int shift : {1, 2, 3}) {
    TightFrame full(PixelFormat::kGray8, {803, 517}, 0);
    full.Paint(&random);
    const int block = 1 << shift;
    TightFrame small(PixelFormat::kGray8, {(803 + block - 1) / block, (517 + block - 1) / block}, 0);
    small.frame.source_size = full.frame.size;
    for (int y = 0; y < small.frame.size.height; ++y) {
      for (int x = 0; x < small.frame.size.width; ++x) {
        double sum = 0;
        for (int i = 0; i < block * block; ++i) {
          const int row = std::min(y * block + i / block, 516), column = std::min(x * block + i % block, 802);
          sum += full.memory[0][row * 803 + column];
        }
        small.memory[0][y * small.frame.size.width + x] =
            static_cast<uint8_t>(std::lround(sum / (block * block)));
      }
    }
    InputCard card;
    card.width = 96;
    card.height = 96;
    const Preprocessor preprocessor = Make(card);
    const Box region = WholeBox(full.frame.size);
    const InputTransform transform = preprocessor.Transform(region, full.frame.size);
    std::vector<float> a(3 * 96 * 96), b(a.size());
    Preprocessor::Scratch scratch;
    preprocessor.Run(full.frame, transform, region, a.data(), &scratch);
    preprocessor.Run(small.frame, transform, region, b.data(), &scratch);
    // Bytes round by half a level. Left out: the last block of a row and column, which is partial, and
    // repeats its edge once per reduction.
    const Placement place = Place(card, region, full.frame.size, {96, 96});
    for (int y = place.y; y < place.y + place.height - 2; ++y) {
      for (int x = place.x; x < place.x + place.width - 2; ++x) {
        ASSERT_NEAR(a[y * 96 + x], b[y * 96 + x], 0.501) << shift << " at " << x << ", " << y;
      }
    }
  }
}

TEST(Placement, letterbox_follows_the_families) {
  InputCard card;
  card.width = card.height = 416;
  card.anchor = LetterboxAnchor::kTopLeft;
  const InputTransform top_left = Make(card).Transform(WholeBox({640, 427}), {640, 427});
  EXPECT_EQ(top_left.offset_x, 0);
  EXPECT_EQ(top_left.offset_y, 0);
  EXPECT_FLOAT_EQ(top_left.scale_x, 416.f / 640);
  EXPECT_FLOAT_EQ(top_left.scale_y, 277.f / 427);  // int(427 * 0.65) = int(277.55)
  card.anchor = LetterboxAnchor::kCenter;
  const InputTransform center = Make(card).Transform(WholeBox({640, 427}), {640, 427});
  EXPECT_FLOAT_EQ(center.scale_y, 278.f / 427);  // round(277.55)
  EXPECT_EQ(center.offset_y, 69);
  // 500 * (416 / 500) must not become 415; an odd rest goes to the right and below: (416 - 311) / 2 = 52.
  card.anchor = LetterboxAnchor::kTopLeft;
  EXPECT_FLOAT_EQ(Make(card).Transform(WholeBox({500, 333}), {500, 333}).scale_x, 416.f / 500);
  card.anchor = LetterboxAnchor::kCenter;
  EXPECT_EQ(Make(card).Transform(WholeBox({500, 374}), {500, 374}).offset_y, 52);
}

TEST(Placement, box_error_stays_below_half_a_source_pixel) {
  std::mt19937 random(9);
  for (int i = 0; i < 2000; ++i) {
    InputCard card;
    card.width = 32 + static_cast<int>(random() % 700);
    card.height = 32 + static_cast<int>(random() % 700);
    card.resize = Pick(&random, {ResizeMode::kLetterbox, ResizeMode::kStretch, ResizeMode::kCenterCrop});
    const Size source{16 + static_cast<int>(random() % 6000), 16 + static_cast<int>(random() % 4000)};
    const Box region{std::floor(static_cast<float>(source.width) / 7), 3, static_cast<float>(source.width),
                     static_cast<float>(source.height) - 1};
    const Placement place = Place(card, region, source, {card.width, card.height});
    const InputTransform transform = Make(card).Transform(region, source);
    const Box back = transform.ToSource({static_cast<float>(place.x), static_cast<float>(place.y),
                                         static_cast<float>(place.x + place.width),
                                         static_cast<float>(place.y + place.height)});
    EXPECT_NEAR(back.x1, region.x1, 0.02);
    EXPECT_NEAR(back.y1, region.y1, 0.02);
    EXPECT_NEAR(back.x2, region.x2, 0.02);
    EXPECT_NEAR(back.y2, region.y2, 0.02);
  }
}

TEST(Preprocessor, open_sizes_follow_the_region) {
  InputCard card;
  const Preprocessor preprocessor = Make(card);
  EXPECT_EQ(preprocessor.InputSize({100, 60}), (Size{128, 64}));
  EXPECT_EQ(preprocessor.InputSize({4000, 3000}), (Size{1280, 960}));
  EXPECT_EQ(preprocessor.InputSize({0, -5}), (Size{32, 32}));
  card.height = 320;
  EXPECT_EQ(Make(card).InputSize({100, 60}), (Size{128, 320}));
}

TEST(Preprocessor, need_is_a_size_that_decoders_have_and_loses_nothing) {
  InputCard card;
  card.width = card.height = 416;
  const Preprocessor preprocessor = Make(card);
  const auto need = [&](Size source) {
    return preprocessor.Need(preprocessor.Transform(WholeBox(source), source));
  };
  EXPECT_EQ(need({4000, 3000}), (Size{500, 375}));
  EXPECT_EQ(need({640, 480}), (Size{640, 480}));
  EXPECT_EQ(need({832, 624}), (Size{416, 312}));
  EXPECT_EQ(need({831, 624}), (Size{831, 624}));
  EXPECT_EQ(need({20001, 15001}), (Size{2501, 1876}));
  const Box part{1000, 1000, 1416,
                 1416};  // a crop at full resolution needs the whole picture at full resolution
  EXPECT_EQ(preprocessor.Need(preprocessor.Transform(part, {4000, 3000})), (Size{4000, 3000}));
}

TEST(Preprocessor, cards_that_no_tensor_can_hold_are_refused) {
  InputCard card;
  card.type = ElementType::kInt64;
  EXPECT_EQ(Preprocessor::Create(card).status().code(), absl::StatusCode::kInvalidArgument);
  card = {};
  card.width = -1;
  EXPECT_EQ(Preprocessor::Create(card).status().code(), absl::StatusCode::kInvalidArgument);
  card = {};
  card.std[2] = 0;
  EXPECT_EQ(Preprocessor::Create(card).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Preprocessor, shape_is_what_run_writes) {
  InputCard card;
  EXPECT_EQ(Make(card).TensorShape({7, 5}), (Shape{1, 3, 5, 7}));
  card.layout = TensorLayout::kNhwc;
  card.color = ColorOrder::kGray;
  EXPECT_EQ(Make(card).TensorShape({7, 5}), (Shape{1, 5, 7, 1}));
}

TEST(Preprocessor, cuts_padding_but_one_step_and_leaves_the_picture_in_its_place) {
  InputCard card;
  card.width = card.height = 416;
  for (const auto anchor : {LetterboxAnchor::kTopLeft, LetterboxAnchor::kCenter}) {
    card.anchor = anchor;
    const auto whole = Preprocessor::Create(card), cut = Preprocessor::Create(card, Padding::kCut);
    ASSERT_TRUE(whole.ok() && cut.ok());
    EXPECT_EQ(whole->InputSize({640, 480}), (Size{416, 416}));
    EXPECT_EQ(cut->InputSize({640, 480}), (Size{416, 352}));    // 312 + 32, rounded up to 32
    EXPECT_EQ(cut->InputSize({1080, 1920}), (Size{288, 416}));  // 234 + 32
    EXPECT_EQ(cut->InputSize({500, 500}), (Size{416, 416}));
    const Box picture = WholeBox({640, 480});
    const InputTransform a = whole->Transform(picture, {640, 480}), b = cut->Transform(picture, {640, 480});
    EXPECT_EQ(a.scale_x, b.scale_x);
    EXPECT_EQ(a.scale_y, b.scale_y);
    EXPECT_EQ(b.offset_y, anchor == LetterboxAnchor::kTopLeft ? 0 : 20);
  }
  card.cut_padding = false;
  EXPECT_EQ(Preprocessor::Create(card, Padding::kCut)->InputSize({640, 480}), (Size{416, 416}));
}

TEST(Preprocessor, part_of_a_picture_has_the_scale_of_the_whole_and_an_input_of_its_size) {
  InputCard card;
  card.width = 576, card.height = 320;
  const auto whole = Preprocessor::Create(card), cut = Preprocessor::Create(card, Padding::kCut);
  ASSERT_TRUE(whole.ok() && cut.ok());
  EXPECT_FALSE(whole->CanTakeParts());
  ASSERT_TRUE(cut->CanTakeParts());
  std::mt19937 random(5);
  for (int i = 0; i < 2000; ++i) {
    const Size source{static_cast<int>(300 + random() % 3000), static_cast<int>(300 + random() % 2000)};
    const InputTransform reference = cut->Transform(WholeBox(source), source);
    const auto place = [&](int extent) {
      return static_cast<float>(random() % static_cast<uint32_t>(extent));
    };
    const float x = place(source.width), y = place(source.height);
    const Box asked = Clip({x, y, x + 1 + place(source.width), y + 1 + place(source.height)}, source);
    Box part = asked;
    const InputTransform transform = cut->TransformPart(source, &part);
    SCOPED_TRACE(i);
    EXPECT_EQ(transform.input.width % 32, 0);
    EXPECT_EQ(transform.input.height % 32, 0);
    EXPECT_LE(transform.input.width, reference.input.width);
    EXPECT_LE(transform.input.height, reference.input.height);
    const float scale = std::min(reference.scale_x, reference.scale_y);
    EXPECT_NEAR(transform.scale_x / scale, 1, 0.05);
    EXPECT_NEAR(transform.scale_y / scale, 1, 0.05);
    EXPECT_LE(part.x1, asked.x1 + 0.01f);
    EXPECT_LE(part.y1, asked.y1 + 0.01f);
    EXPECT_GE(part.x2, asked.x2 - 0.01f);
    EXPECT_GE(part.y2, asked.y2 - 0.01f);
    // It fills the input but for rounding.
    EXPECT_NEAR(part.width() * transform.scale_x, static_cast<float>(transform.input.width), 4.f);
    EXPECT_NEAR(part.height() * transform.scale_y, static_cast<float>(transform.input.height), 4.f);
  }
}

}  // namespace
}  // namespace sightline::preprocess
