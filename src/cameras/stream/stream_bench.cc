// What a stream costs: frames a second of one core by economy, beside `ffmpeg -threads 1 -f null` in the same
// run; and memory and threads of many streams.
//
// usage: stream_bench [VIDEO...]        default: the test assets' videos
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/check.h"
#include "base/test_assets.h"
#include "base/text.h"
#include "cameras/stream/test_observer.h"

namespace sightline::cameras {
namespace {

constexpr int kTimesPlayed = 6;
constexpr int kManyStreams = 100;

double CpuSeconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Counter final : public StreamObserver {
 public:
  void OnFrame(const LiveFrame&) override { ++given; }
  void OnPacket(const LivePacket&) override { ++packets; }
  std::atomic<int64_t> given = 0, packets = 0;
};

struct Cost {
  double frames_per_core_s = 0;  // of the video, decoded or not
  double given_share = 0;
};

Cost Play(const std::string& video, decode::Economy economy, double interval_s, int64_t packets) {
  SourceOptions options;
  options.address = video;
  options.real_time = false;
  options.loop = true;
  Counter counter;
  const double before = CpuSeconds(RUSAGE_SELF);
  auto stream = CameraStream::Create(options, {}, &counter).value();
  stream->SetDemand(economy, interval_s);
  while (counter.packets < packets) absl::SleepFor(absl::Milliseconds(1));
  stream.reset();
  const double used = CpuSeconds(RUSAGE_SELF) - before;
  const auto came = static_cast<double>(counter.packets.load());
  return {came / used, static_cast<double>(counter.given.load()) / came};
}

int64_t PacketsOf(const std::string& video) {
  SourceOptions options;
  options.address = video;
  options.real_time = false;
  TestObserver observer;
  auto stream = CameraStream::Create(options, {}, &observer).value();
  stream->SetDemand(decode::Economy::kKeyframes, 0);
  CHECK(observer.WaitForState(StreamState::kEnded, 60)) << video;
  return static_cast<int64_t>(stream->status().packets);
}

double Ffmpeg(const std::string& video, int64_t packets) {
  const double before = CpuSeconds(RUSAGE_CHILDREN);
  Shell(fmt::format("ffmpeg -v quiet -nostdin -threads 1 -stream_loop {} -i '{}' -map 0:v:0 -f null -",
                    kTimesPlayed - 1, video));
  return static_cast<double>(packets) / (CpuSeconds(RUSAGE_CHILDREN) - before);
}

void ShowSpeed(const std::string& video) {
  const int64_t packets = PacketsOf(video) * kTimesPlayed;
  std::printf("%-28s", std::filesystem::path(video).filename().c_str());
  const auto show = [](const Cost& cost) {
    std::printf(" %7.0f (%4.1f %%)", cost.frames_per_core_s, 100 * cost.given_share);
  };
  show(Play(video, decode::Economy::kNone, 0, packets));
  show(Play(video, decode::Economy::kReferences, 0, packets));
  show(Play(video, decode::Economy::kReferences, 0.2, packets));
  show(Play(video, decode::Economy::kKeyframes, 0, packets));
  std::printf(" %8.0f\n", Ffmpeg(video, packets));
  std::fflush(stdout);
}

double StatusOf(const char* key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) return std::atof(line.c_str() + std::string_view(key).size() + 1);
  }
  return 0;
}

void ShowMany(const std::string& video) {
  const double memory = StatusOf("VmRSS"), threads = StatusOf("Threads");
  StreamContext context;
  context.gate = DecodeGate::Create(2);
  std::vector<std::unique_ptr<Counter>> counters;
  std::vector<std::unique_ptr<CameraStream>> streams;
  for (int i = 0; i < kManyStreams; ++i) {
    SourceOptions options;
    options.address = video;
    options.loop = true;
    counters.push_back(std::make_unique<Counter>());
    streams.push_back(CameraStream::Create(options, context, counters.back().get()).value());
    streams.back()->SetDemand(decode::Economy::kKeyframes, 1);
  }
  for (auto& counter : counters) {
    while (counter->given == 0) absl::SleepFor(absl::Milliseconds(10));
  }
  absl::SleepFor(absl::Seconds(10));
  std::printf("%d streams of %s: %.1f MB and %.2f threads each\n", kManyStreams,
              std::filesystem::path(video).filename().c_str(),
              (StatusOf("VmRSS") - memory) / 1024 / kManyStreams,
              (StatusOf("Threads") - threads) / kManyStreams);
}

}  // namespace
}  // namespace sightline::cameras

int main(int argc, char** argv) {
  std::vector<std::string> videos(argv + 1, argv + argc);
  if (videos.empty()) {
    for (const char* name : {"saoyan_traffic.mp4", "intel_car_detection.mp4", "nandini_pedestrians.mp4",
                             "tamper_Defocusing.mp4"})
      videos.push_back((sightline::AssetsFolder() / "videos" / name).string());
  }
  std::printf(
      "frames of the video per second of one core (share of them given to the observer)\n%-28s %16s %16s "
      "%16s %16s %8s\n",
      "", "all", "references", "references, 5/s", "keyframes", "ffmpeg");
  for (const std::string& video : videos) sightline::cameras::ShowSpeed(video);
  sightline::cameras::ShowMany(videos.front());
  return 0;
}
