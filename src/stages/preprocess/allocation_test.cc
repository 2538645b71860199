#include <gtest/gtest.h>

#include "base/count_allocations.h"
#include "stages/preprocess/preprocessor.h"

namespace sightline::preprocess {
namespace {

TEST(Preprocessor, allocates_nothing_once_warm) {
  for (const PixelFormat format :
       {PixelFormat::kGray8, PixelFormat::kRgb24, PixelFormat::kYuv420, PixelFormat::kNv12}) {
    for (const ElementType type : {ElementType::kFloat32, ElementType::kUint8}) {
      InputCard card;
      card.width = card.height = 96;
      card.type = type;
      const auto preprocessor = Preprocessor::Create(card);
      Frame frame;
      frame.Allocate(format, {640, 360});
      std::fill(frame.storage.begin(), frame.storage.end(), uint8_t{90});
      std::vector<float> slot(3 * 96 * 96);
      Preprocessor::Scratch scratch;
      const Box whole = WholeBox(frame.size), part{10, 20, 100, 200};
      const auto run = [&] {
        for (const Box& region : {whole, part}) {
          preprocessor->Run(frame, preprocessor->Transform(region, frame.size), region, slot.data(),
                            &scratch);
        }
      };
      run();
      const int64_t before = allocations_of_this_thread;
      for (int i = 0; i < 10; ++i) run();
      EXPECT_EQ(allocations_of_this_thread - before, 0) << Name(format);
    }
  }
  EXPECT_GT(allocations_of_this_thread, 0);  // the counter counts
}

}  // namespace
}  // namespace sightline::preprocess
