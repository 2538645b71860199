#include "stages/decode/pixel_row.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "stages/decode/upright_writer.h"

namespace sightline::decode {
namespace {

TEST(PixelRow, sixteen_bits_are_scaled_and_rounded) {
  const RowLayout layout = {.type = SampleType::kUint16, .color = RowColor::kGray, .bands = 1, .range = {}};
  for (int value = 0; value <= 65535; ++value) {
    const auto sample = static_cast<uint16_t>(value);
    uint8_t out = 0;
    ConvertRow(&sample, 1, layout, &out);
    ASSERT_EQ(out, (value + 128) / 257) << value;  // the nearest: value / 257 is never halfway
  }
}

TEST(PixelRow, alpha_is_composed_over_black) {
  const uint8_t samples[] = {200, 100, 50, 255, 200, 100, 50, 128, 200, 100, 50, 0};
  uint8_t out[9];
  ConvertRow(samples, 3,
             {.type = SampleType::kUint8, .color = RowColor::kRgb, .bands = 4, .alpha = 3, .range = {}}, out);
  const uint8_t expected[] = {200, 100, 50, 100, 50, 25, 0, 0, 0};
  for (int i = 0; i < 9; ++i) EXPECT_EQ(out[i], expected[i]) << i;
}

TEST(PixelRow, unusual_ranges_are_found) {
  const float samples[] = {-1, 0.5f, 3, std::numeric_limits<float>::quiet_NaN(),
                           std::numeric_limits<float>::infinity()};
  double low = 1e9, high = -1e9;
  WidenRange(samples, 5, SampleType::kFloat, &low, &high);
  EXPECT_EQ(low, -1);
  EXPECT_EQ(high, 3);
  const RowLayout layout = {
      .type = SampleType::kFloat, .color = RowColor::kGray, .bands = 1, .range = DisplayRange(low, high)};
  uint8_t out[5];
  ConvertRow(samples, 5, layout, out);
  const uint8_t expected[] = {0, 96, 255, 0, 255};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(out[i], expected[i]) << i;
  EXPECT_DOUBLE_EQ(DisplayRange(0, 0.3).scale, 255);
  EXPECT_DOUBLE_EQ(DisplayRange(0, 200).scale, 1);
  EXPECT_DOUBLE_EQ(DisplayRange(0, 60000).scale, 255.0 / 65535);
  EXPECT_DOUBLE_EQ(DisplayRange(7, 7).scale, 255.0 / 255);
  EXPECT_DOUBLE_EQ(DisplayRange(-7, -7).scale, 0);
}

// The eight ways of EXIF: where the stored first row and first column go.
TEST(UprightWriter, turns_as_exif_says) {
  const std::string stored[] = {"abc", "def"};
  const std::string upright[] = {"abcdef", "cbafed", "fedcba", "defabc",
                                 "adbecf", "daebfc", "fcebda", "cfbead"};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const PixelFormat format : {PixelFormat::kGray8, PixelFormat::kRgb24}) {
      Frame frame;
      const int bytes = format == PixelFormat::kGray8 ? 1 : 3;
      UprightWriter writer(&frame, format, {3, 2}, orientation);
      for (int y = 0; y < 2; ++y) {
        for (int i = 0; i < 3 * bytes; ++i)
          writer.Row(y)[i] = static_cast<uint8_t>(stored[y][i / bytes] + i % bytes);
        writer.Finish(y);
      }
      EXPECT_EQ(frame.size, orientation <= 4 ? (Size{3, 2}) : (Size{2, 3}));
      std::string found;
      for (int y = 0; y < frame.size.height; ++y) {
        const uint8_t* row = frame.planes[0].data + static_cast<ptrdiff_t>(frame.planes[0].stride) * y;
        for (int x = 0; x < frame.size.width; ++x) {
          found += static_cast<char>(row[x * bytes]);
          for (int c = 1; c < bytes; ++c) EXPECT_EQ(row[x * bytes + c], row[x * bytes] + c);
        }
      }
      EXPECT_EQ(found, upright[orientation - 1]) << orientation;
    }
  }
}

}  // namespace
}  // namespace sightline::decode
