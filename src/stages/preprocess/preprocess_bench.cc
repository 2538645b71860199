// Speed of Preprocessor::Run per format and size; each case is first checked against the reference.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "stages/preprocess/preprocessor.h"
#include "stages/preprocess/reference.h"

namespace sightline::preprocess {
namespace {

constexpr double kErrorMax = 1e-3;

void Run(benchmark::State& state, PixelFormat format, ElementType type, TensorLayout layout) {
  Frame frame;
  frame.Allocate(format, {static_cast<int>(state.range(0)), static_cast<int>(state.range(1))});
  std::mt19937 random(1);
  for (uint8_t& sample : frame.storage) sample = static_cast<uint8_t>(random() >> 24);
  InputCard card;
  card.width = card.height = static_cast<int>(state.range(2));
  card.type = type;
  card.layout = layout;
  const auto preprocessor = Preprocessor::Create(card);
  const Box region = WholeBox(frame.size);
  const InputTransform transform = preprocessor->Transform(region, frame.size);
  Tensor tensor;
  tensor.Reset(type, preprocessor->TensorShape(transform.input));
  Preprocessor::Scratch scratch;
  preprocessor->Run(frame, transform, region, tensor.view().data, &scratch);
  const std::vector<double> expected = ReferenceRun(card, frame, transform, region);
  double worst = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double got = type == ElementType::kUint8 ? static_cast<const uint8_t*>(tensor.view().data)[i]
                                                   : tensor.view().floats()[i];
    worst = std::max(worst, std::abs(got - expected[i]) - (type == ElementType::kUint8 ? 0.5 : 0));
  }
  if (worst > kErrorMax) {
    state.SkipWithError("differs from the reference");
    return;
  }
  for (auto _ : state) {
    preprocessor->Run(frame, transform, region, tensor.view().data, &scratch);
    benchmark::ClobberMemory();
  }
  state.counters["Mpixel_out/s"] = benchmark::Counter(1e-6 * state.range(2) * state.range(2),
                                                      benchmark::Counter::kIsIterationInvariantRate);
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Args({640, 480, 416})->Args({500, 375, 416})->Args({1280, 720, 640})->Args({1920, 1080, 640});
  benchmark->Args({4000, 3000, 416})->Unit(benchmark::kMicrosecond);
}

BENCHMARK_CAPTURE(Run, yuv420, PixelFormat::kYuv420, ElementType::kFloat32, TensorLayout::kNchw)
    ->Apply(Sizes);
BENCHMARK_CAPTURE(Run, yuv444, PixelFormat::kYuv444, ElementType::kFloat32, TensorLayout::kNchw)
    ->Apply(Sizes);
BENCHMARK_CAPTURE(Run, nv12, PixelFormat::kNv12, ElementType::kFloat32, TensorLayout::kNchw)->Apply(Sizes);
BENCHMARK_CAPTURE(Run, rgb24, PixelFormat::kRgb24, ElementType::kFloat32, TensorLayout::kNchw)->Apply(Sizes);
BENCHMARK_CAPTURE(Run, gray8, PixelFormat::kGray8, ElementType::kFloat32, TensorLayout::kNchw)->Apply(Sizes);
BENCHMARK_CAPTURE(Run, yuv420_uint8_nhwc, PixelFormat::kYuv420, ElementType::kUint8, TensorLayout::kNhwc)
    ->Apply(Sizes);

}  // namespace
}  // namespace sightline::preprocess

BENCHMARK_MAIN();
