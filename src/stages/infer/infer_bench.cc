// Milliseconds per Run of a model (SIGHTLINE_BENCH_MODEL, default yolox_nano_416 of the assets), threads
// calling Run on one shared session.
#include <benchmark/benchmark.h>

#include <cstdio>

#include "base/status.h"
#include "base/test_assets.h"
#include "stages/infer/session.h"

namespace sightline::infer {
namespace {

std::shared_ptr<const Session> SharedSession() {
  static const std::shared_ptr<const Session> session = [] {
    const char* named = std::getenv("SIGHTLINE_BENCH_MODEL");
    const auto file =
        named != nullptr ? std::filesystem::path(named) : AssetsFolder() / "models/yolox_nano_416.onnx";
    auto loaded = Session::Load(file, SessionOptions{});
    if (!loaded.ok()) std::fprintf(stderr, "%s\n", std::string(MessageOf(loaded.status())).c_str());
    return loaded.ok() ? *loaded : nullptr;
  }();
  return session;
}

void BM_Run(benchmark::State& state) {
  const auto session = SharedSession();
  if (session == nullptr) {
    state.SkipWithError("no model");
    return;
  }
  std::vector<Tensor> inputs(session->inputs().size());
  std::vector<TensorView> views;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Shape shape = session->inputs()[i].shape;
    for (size_t d = 0; d < shape.size(); ++d) {
      if (shape[d] < 0) shape[d] = d == 0 ? 1 : 320;
    }
    inputs[i].Reset(session->inputs()[i].type, shape);
    std::memset(inputs[i].view().data, 0,
                static_cast<size_t>(ElementCount(shape)) * BytesOf(inputs[i].view().type));
    if (inputs[i].view().type == ElementType::kFloat32) {
      for (int64_t e = 0; e < ElementCount(shape); ++e)
        inputs[i].view().floats()[e] = static_cast<float>(e * 7919 % 256);
    }
    views.push_back(inputs[i].view());
  }
  const auto runner = session->NewRunner();
  for (auto _ : state) {
    const auto outputs = runner->Run(views);
    if (!outputs.ok()) state.SkipWithError(std::string(MessageOf(outputs.status())).c_str());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Run)->Unit(benchmark::kMillisecond)->UseRealTime()->Threads(1)->Threads(2)->MinTime(2.0);

}  // namespace
}  // namespace sightline::infer

BENCHMARK_MAIN();
