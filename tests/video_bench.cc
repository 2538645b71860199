// Frames a second of demuxing and decoding, one thread. Beside it: ffmpeg -threads 1 -i FILE -f null -
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "base/test_assets.h"
#include "tests/video_files.h"

namespace sightline {
namespace {

void DecodeVideo(benchmark::State& state, const char* name, int64_t frames) {
  if (AssetsFolder().empty()) return state.SkipWithError("no test assets: set SIGHTLINE_ASSETS");
  const auto input = FileInput(AssetsFolder() / "videos" / name);
  for (auto _ : state) {
    const DecodedVideo video = DecodeAll(ingest::VideoDemuxer::Open(input, {}), {}, false);
    CHECK(static_cast<int64_t>(video.times.size()) == frames) << video.times.size();
  }
  state.SetItemsProcessed(state.iterations() * frames);
}
BENCHMARK_CAPTURE(DecodeVideo, h264_768x432, "intel_car_detection.mp4", 377)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(DecodeVideo, h264_640x360_b_frames, "saoyan_traffic.mp4", 984)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sightline

BENCHMARK_MAIN();
