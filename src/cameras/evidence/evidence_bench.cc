// CPU of a second of clip: as it came, and redacted. SIGHTLINE_ASSETS names the folder of real footage.
#include <benchmark/benchmark.h>

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <filesystem>
#include <vector>

#include "base/file.h"
#include "base/test_assets.h"
#include "cameras/evidence/encode_clip.h"
#include "cameras/evidence/remux.h"
#include "cameras/evidence/snapshot.h"
#include "stages/decode/video_decoder.h"
#include "stages/ingest/video_demuxer.h"

namespace sightline::cameras {
namespace {

constexpr const char* kVideos[] = {"saoyan_traffic.mp4",
                                   "tamper_Defocusing.mp4"};  // 640x360 and 1280x720, 30 a second

std::vector<LivePacket> Packets(const std::filesystem::path& path) {
  std::vector<LivePacket> packets;
  auto demuxer =
      ingest::VideoDemuxer::Open({path, path, ingest::InputKind::kFile, absl::OkStatus()}, MediaLimits());
  if (!demuxer.ok()) return packets;
  const auto track = std::make_shared<const VideoTrack>((*demuxer)->track());
  const double unit = static_cast<double>(track->time_base_num) / static_cast<double>(track->time_base_den);
  for (auto packet = (*demuxer)->Read(); packet.ok() && packets.size() < 300; packet = (*demuxer)->Read()) {
    LivePacket live;
    live.packet =
        std::shared_ptr<AVPacket>(av_packet_clone(*packet), [](AVPacket* p) { av_packet_free(&p); });
    live.track = track;
    live.key = ((*packet)->flags & AV_PKT_FLAG_KEY) != 0;
    live.stream_s = static_cast<double>((*packet)->pts) * unit;
    packets.push_back(std::move(live));
  }
  return packets;
}

double Seconds(const std::vector<LivePacket>& packets) {
  return packets.back().stream_s - packets.front().stream_s;
}

void ClipAsItCame(benchmark::State& state) {
  const auto packets = Packets(AssetsFolder() / "videos" / kVideos[state.range(0)]);
  if (packets.empty()) return state.SkipWithError("no footage: set SIGHTLINE_ASSETS");
  const auto folder = *TemporaryFolder::Create();
  double seconds = 0;
  for (auto _ : state) {
    if (!Remux(packets, folder.path() / "clip.mp4").ok()) return state.SkipWithError("not written");
    seconds += Seconds(packets);
  }
  state.counters["clip_s"] = benchmark::Counter(seconds, benchmark::Counter::kIsRate);
}
BENCHMARK(ClipAsItCame)->DenseRange(0, 1)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();

void ClipRedacted(benchmark::State& state) {
  const auto packets = Packets(AssetsFolder() / "videos" / kVideos[state.range(0)]);
  if (packets.empty()) return state.SkipWithError("no footage: set SIGHTLINE_ASSETS");
  const auto folder = *TemporaryFolder::Create();
  SeenHistory seen(100, 100'000);
  for (int i = 0; i < 500; ++i) {
    std::vector<SeenBox> boxes;
    for (int who = 0; who < 8; ++who) {
      const float x = static_cast<float>(40 + 60 * who);
      boxes.push_back({SeenBox::Kind::kPerson, who + 1, {x, 120, x + 40, 240}});
    }
    seen.Add(i * 0.2, boxes);
  }
  Redaction redaction;
  redaction.people = true;
  double seconds = 0;
  for (auto _ : state) {
    const auto status =
        EncodeClip(packets, {0, 1e6}, redaction, seen, folder.path() / "clip.mp4", [] { return true; });
    if (!status.ok()) return state.SkipWithError("not written");
    seconds += Seconds(packets);
  }
  state.counters["clip_s"] = benchmark::Counter(seconds, benchmark::Counter::kIsRate);
}
BENCHMARK(ClipRedacted)->DenseRange(0, 1)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();

}  // namespace
}  // namespace sightline::cameras

BENCHMARK_MAIN();
