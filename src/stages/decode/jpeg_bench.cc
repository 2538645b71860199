// JPEG files to frames: the decoder against libjpeg-turbo's own raw decoding, at each scale.
//   jpeg_bench FILE... [--benchmark_...]     without files: noise-like pictures of 640x480 and 12 MP, made
//   here
#include <benchmark/benchmark.h>

#include <fstream>
#include <iterator>
#include <map>

#include "base/check.h"
#include "base/text.h"
#include "stages/decode/jpeg/test_encoder.h"
#include "stages/decode/jpeg/turbo.h"
#include "stages/decode/jpeg_decoder.h"

namespace sightline::decode {
namespace {

using Bytes = std::vector<uint8_t>;

void Count(benchmark::State& state, const Bytes& bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(bytes.size()));
}

void Ours(benchmark::State& state, const Bytes& bytes, int scale) {
  const auto decoder = CreateJpegDecoder(MediaLimits());
  for (auto _ : state) {
    const auto header = decoder->ReadHeader(bytes);
    CHECK(header.ok()) << header.status();
    const Size need{header->size.width / scale, header->size.height / scale};
    const auto frame = decoder->Decode(bytes, *header, {.page = 0, .need = need});
    CHECK(frame.ok() && (*frame)->size.width == (header->size.width + scale - 1) / scale) << frame.status();
  }
  Count(state, bytes);
}

void Turbo(benchmark::State& state, const Bytes& bytes, int scale_log2) {
  jpeg::TurboDecoder decoder{MediaLimits()};
  Frame frame;
  for (auto _ : state) {
    const absl::Status status = decoder.Decode(bytes, scale_log2, &frame);
    CHECK(status.ok()) << status;
  }
  Count(state, bytes);
}

}  // namespace
}  // namespace sightline::decode

int main(int argc, char** argv) {
  using namespace sightline::decode;  // NOLINT: the one function of this program
  benchmark::Initialize(&argc, argv);
  static std::map<std::string, std::vector<uint8_t>> files;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    files[argv[i]].assign(std::istreambuf_iterator<char>(file), {});
  }
  if (files.empty()) {
    files["640x480"] =
        jpeg::EncodeTestPicture({.width = 640, .height = 480, .luma_h = 2, .luma_v = 2, .quality = 70});
    files["12mp"] =
        jpeg::EncodeTestPicture({.width = 4000, .height = 3000, .luma_h = 2, .luma_v = 2, .quality = 35});
  }
  for (const auto& [name, bytes] : files) {
    for (int k = 0; k <= 3; ++k) {
      const std::string label = fmt::format("{} 1/{}", name, 1 << k);
      benchmark::RegisterBenchmark((label + " turbo").c_str(), Turbo, bytes, k)
          ->Unit(benchmark::kMicrosecond);
      benchmark::RegisterBenchmark((label + " ours").c_str(), Ours, bytes, 1 << k)
          ->Unit(benchmark::kMicrosecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
