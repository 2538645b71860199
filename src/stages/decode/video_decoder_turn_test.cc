#include "stages/decode/video_decoder_turn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::decode {
namespace {

std::vector<uint8_t> Turned(const std::vector<uint8_t>& samples, Size size, int bytes, int degrees) {
  std::vector<uint8_t> turned(samples.size());
  const int width = degrees == 180 ? size.width : size.height;
  TurnPlane({samples.data(), size.width * bytes}, size, bytes, degrees, turned.data(), width * bytes);
  return turned;
}

// Expected values: numpy.rot90(a, k=-1, -2, -3) of a.reshape(2, 3, bytes).
TEST(TurnPlane, turns_clockwise_like_numpy_rot90) {
  using testing::ElementsAre;
  const std::vector<uint8_t> one = {1, 2, 3, 4, 5, 6};
  EXPECT_THAT(Turned(one, {3, 2}, 1, 90), ElementsAre(4, 1, 5, 2, 6, 3));
  EXPECT_THAT(Turned(one, {3, 2}, 1, 180), ElementsAre(6, 5, 4, 3, 2, 1));
  EXPECT_THAT(Turned(one, {3, 2}, 1, 270), ElementsAre(3, 6, 2, 5, 1, 4));
  const std::vector<uint8_t> two = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  EXPECT_THAT(Turned(two, {3, 2}, 2, 90), ElementsAre(7, 8, 1, 2, 9, 10, 3, 4, 11, 12, 5, 6));
  const std::vector<uint8_t> three = {1, 2, 3, 4, 5, 6};
  EXPECT_THAT(Turned(three, {2, 1}, 3, 180), ElementsAre(4, 5, 6, 1, 2, 3));
  EXPECT_THAT(Turned(three, {2, 1}, 3, 270), ElementsAre(4, 5, 6, 1, 2, 3));
}

TEST(TurnPlane, four_quarters_are_none_at_every_size) {
  for (const Size size : {Size{1, 1}, Size{31, 33}, Size{32, 64}, Size{100, 7}, Size{65, 65}}) {
    for (const int bytes : {1, 2, 3}) {
      std::vector<uint8_t> samples(static_cast<size_t>(size.width) * size.height * bytes);
      for (size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<uint8_t>(i * 31 + i / 256);
      const Size sideways{size.height, size.width};
      const auto half = Turned(Turned(samples, size, bytes, 90), sideways, bytes, 90);
      EXPECT_EQ(half, Turned(samples, size, bytes, 180));
      EXPECT_EQ(Turned(Turned(half, size, bytes, 90), sideways, bytes, 90), samples);
      EXPECT_EQ(Turned(Turned(samples, size, bytes, 90), sideways, bytes, 270), samples);
    }
  }
}

}  // namespace
}  // namespace sightline::decode
