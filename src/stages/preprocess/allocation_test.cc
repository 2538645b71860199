// Counts every allocation of this program.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "stages/preprocess/preprocessor.h"

namespace {
std::atomic<int64_t> allocations{0};
}  // namespace

void* operator new(size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

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
      const int64_t before = allocations.load();
      for (int i = 0; i < 10; ++i) run();
      EXPECT_EQ(allocations.load() - before, 0) << Name(format);
    }
  }
  EXPECT_GT(allocations.load(), 0);  // the counter counts
}

}  // namespace
}  // namespace sightline::preprocess
