// Kernels and reference against OpenCV and numpy: tests/golden/preprocess_reference.py writes the expected
// values.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "stages/preprocess/preprocessor.h"
#include "stages/preprocess/reference.h"

namespace sightline::preprocess {
namespace {

struct GoldenCase {
  std::string name;
  Frame frame;
  Box region;
  InputCard card;
  double tolerance = 0;
  std::vector<double> expected;
};

// The script's pattern(); plane or channel is the seed.
uint8_t Pattern(int x, int y, int seed) {
  return static_cast<uint8_t>((x * x * 7 + y * y * 5 + x * y * 3 + x * 11 + y * 29 + seed * 53) % 256);
}

void Paint(Frame* frame) {
  for (int i = 0; i < PlaneCount(frame->format); ++i) {
    const Size plane = PlaneSize(frame->format, frame->size, i);
    const int channels = frame->format == PixelFormat::kRgb24           ? 3
                         : frame->format == PixelFormat::kNv12 && i > 0 ? 2
                                                                        : 1;
    for (int y = 0; y < plane.height; ++y) {
      for (int x = 0; x < plane.width; ++x) {
        frame->mutable_plane(i)[y * frame->planes[i].stride + x] = Pattern(x / channels, y, i + x % channels);
      }
    }
  }
}

std::vector<GoldenCase> ReadCases() {
  std::vector<GoldenCase> cases;
  std::ifstream file("tests/golden/preprocess_expected.txt");
  for (std::string settings, values; std::getline(file, settings) && std::getline(file, values);) {
    GoldenCase& golden = cases.emplace_back();
    std::istringstream words(settings), numbers(values);
    std::string format, matrix, range, resize, anchor;
    Size size;
    words >> golden.name >> format >> matrix >> range >> size.width >> size.height >> golden.region.x1 >>
        golden.region.y1 >> golden.region.x2 >> golden.region.y2 >> golden.card.width >> golden.card.height >>
        resize >> anchor >> golden.tolerance;
    EXPECT_FALSE(words.fail()) << settings;
    for (const PixelFormat known : {PixelFormat::kGray8, PixelFormat::kRgb24, PixelFormat::kYuv420,
                                    PixelFormat::kYuv422, PixelFormat::kYuv444, PixelFormat::kNv12}) {
      if (Name(known) == format) golden.frame.Allocate(known, size);
    }
    Paint(&golden.frame);
    golden.frame.matrix = matrix == "bt709"    ? ColorMatrix::kBt709
                          : matrix == "bt2020" ? ColorMatrix::kBt2020
                                               : ColorMatrix::kBt601;
    golden.frame.range = range == "limited" ? ColorRange::kLimited : ColorRange::kFull;
    golden.card.resize = resize == "letterbox"     ? ResizeMode::kLetterbox
                         : resize == "center_crop" ? ResizeMode::kCenterCrop
                                                   : ResizeMode::kStretch;
    golden.card.anchor = anchor == "top_left" ? LetterboxAnchor::kTopLeft : LetterboxAnchor::kCenter;
    for (double value; numbers >> value;) golden.expected.push_back(value);
  }
  return cases;
}

TEST(Golden, opencv_and_numpy_give_the_same) {
  const std::vector<GoldenCase> cases = ReadCases();
  ASSERT_GE(cases.size(), 20u);
  for (const GoldenCase& golden : cases) {
    SCOPED_TRACE(golden.name);
    const auto preprocessor = Preprocessor::Create(golden.card);
    ASSERT_TRUE(preprocessor.ok());
    const InputTransform transform = preprocessor->Transform(golden.region, golden.frame.source_size);
    const std::vector<double> reference = ReferenceRun(golden.card, golden.frame, transform, golden.region);
    std::vector<float> tensor(reference.size());
    Preprocessor::Scratch scratch;
    preprocessor->Run(golden.frame, transform, golden.region, tensor.data(), &scratch);
    ASSERT_EQ(golden.expected.size(), reference.size());
    for (size_t i = 0; i < reference.size(); ++i) {
      ASSERT_NEAR(reference[i], golden.expected[i], golden.tolerance) << "reference, element " << i;
      ASSERT_NEAR(tensor[i], golden.expected[i], golden.tolerance) << "kernel, element " << i;
    }
  }
}

}  // namespace
}  // namespace sightline::preprocess
