// Frames per second of each fault at severity 3 and 5, on one core: 640x360 (and 3840x2160 with
// --benchmark_filter=2160).
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "base/text.h"
#include "simulate/faults/fault.h"

namespace sightline::simulate {
namespace {

FramePtr Picture(Size size) {
  auto frame = std::make_shared<Frame>();
  frame->Allocate(PixelFormat::kYuv420, size);
  for (int i = 0; i < 3; ++i) {
    const Size plane = PlaneSize(frame->format, size, i);
    for (int y = 0; y < plane.height; ++y) {
      for (int x = 0; x < plane.width; ++x) {
        frame->mutable_plane(i)[y * frame->planes[i].stride + x] =
            static_cast<uint8_t>(60 + (x * 7 + y * 3) % 140);
      }
    }
  }
  return frame;
}

class Same final : public FrameSource {
 public:
  explicit Same(FramePtr frame) : frame_(std::move(frame)) {
    format_.size = frame_->size;
    format_.frames_per_second = 25;
  }
  const SourceFormat& format() const override { return format_; }
  absl::StatusOr<SourceFrame> Next() override { return SourceFrame{frame_, index_++}; }

 private:
  SourceFormat format_;
  FramePtr frame_;
  int64_t index_ = 0;
};

void Run(benchmark::State& state, const Fault& fault, Size size) {
  const auto source = WithFaults(std::make_unique<Same>(Picture(size)), {fault});
  CHECK(source->Next().ok());  // draws the masks
  for (auto _ : state) {
    auto next = source->Next();
    CHECK(next.ok() && next->frame->size == size);
  }
  state.counters["frames/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

}  // namespace
}  // namespace sightline::simulate

int main(int argc, char** argv) {
  using namespace sightline;            // NOLINT: the one function of this program
  using namespace sightline::simulate;  // NOLINT
  benchmark::Initialize(&argc, argv);
  for (const Size size : {Size{640, 360}, Size{3840, 2160}}) {
    for (int i = 0; i < kFaultKinds; ++i) {
      for (const int severity : {3, 5}) {
        Fault fault;
        fault.kind = static_cast<FaultKind>(i);
        fault.severity = severity;
        const std::string name = fmt::format("{}/{}/{}p", Name(fault.kind), severity, size.height);
        benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { Run(state, fault, size); });
      }
    }
  }
  benchmark::RunSpecifiedBenchmarks();
}
