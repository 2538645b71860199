// For tests only: the committed pictures of testdata/ (made by testdata/make.py) and what they must decode
// to.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/file.h"
#include "stages/decode/picture_decoder.h"

namespace sightline::decode {

inline Bytes TestPicture(const std::string& name) {
  Bytes bytes;
  const auto status = ReadFile("src/stages/decode/testdata/" + name, 1 << 20, &bytes);
  EXPECT_TRUE(status.ok()) << name << ": " << status;
  return bytes;
}

struct RgbPicture {
  Size size;
  std::vector<uint8_t> samples;
};

// "P6\nWIDTH HEIGHT\n255\n" and samples, as make.py writes it.
inline RgbPicture ExpectedPicture(const std::string& name) {
  const Bytes bytes = TestPicture(name + ".ppm");
  RgbPicture picture;
  int head = 0;
  const std::string text(bytes.begin(), bytes.begin() + std::min<size_t>(bytes.size(), 32));
  EXPECT_EQ(std::sscanf(text.c_str(), "P6\n%d %d\n255\n%n", &picture.size.width, &picture.size.height, &head),
            2)
      << name;
  picture.samples.assign(bytes.end() - 3 * picture.size.width * picture.size.height, bytes.end());
  return picture;
}

inline RgbPicture ToRgb(const Frame& frame) {
  RgbPicture picture{frame.size, {}};
  EXPECT_TRUE(frame.format == PixelFormat::kGray8 || frame.format == PixelFormat::kRgb24);
  const int bytes = frame.format == PixelFormat::kRgb24 ? 3 : 1;
  for (int y = 0; y < frame.size.height; ++y) {
    const uint8_t* row = frame.planes[0].data + static_cast<ptrdiff_t>(frame.planes[0].stride) * y;
    for (int i = 0; i < 3 * frame.size.width; ++i) picture.samples.push_back(row[bytes == 3 ? i : i / 3]);
  }
  return picture;
}

// The largest difference of any sample.
inline int MaxDifference(const RgbPicture& a, const RgbPicture& b) {
  if (!(a.size == b.size)) return 256;
  int difference = 0;
  for (size_t i = 0; i < a.samples.size(); ++i)
    difference = std::max(difference, std::abs(a.samples[i] - b.samples[i]));
  return difference;
}

}  // namespace sightline::decode
