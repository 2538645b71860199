#include "cameras/evidence/remux.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/cleanup/cleanup.h"
#include "base/file.h"
#include "cameras/evidence/packet_ring.h"
#include "cameras/evidence/test_media.h"

namespace sightline::cameras {
namespace {

std::string Count(const std::filesystem::path& path) {
  return Output("ffprobe -v error -count_frames -show_entries stream=codec_name,nb_read_frames -of csv=p=0 " +
                path.string());
}

class Remuxed : public testing::Test {
 protected:
  std::filesystem::path Path(const std::string& name) const { return folder_.path() / name; }
  TemporaryFolder folder_ = *TemporaryFolder::Create();
};

TEST_F(Remuxed, packets_stay_byte_for_byte_and_keep_their_times) {
  const std::pair<const char*, const char*> kinds[] = {
      {"a.mp4", "-c:v libx264 -preset ultrafast -bf 3 -g 25"},
      {"b.mp4", "-c:v libx265 -x265-params log-level=none:keyint=25 -preset ultrafast"},
      {"c.mkv", "-c:v mjpeg -q:v 5"},
      {"d.avi", "-c:v mpeg4 -g 25"},
      {"e.mp4", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25"}};
  for (const auto& [name, arguments] : kinds) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(MakeVideo(Path(name), arguments, 2));
    const auto packets = PacketsOf(Path(name));
    ASSERT_EQ(packets.size(), 50u);
    ASSERT_TRUE(CanRemux(*packets[0].track));
    const std::filesystem::path clip = Path(std::string(name) + ".clip.mp4");
    ASSERT_TRUE(Remux(packets, clip).ok());
    const auto copies = PacketsOf(clip);
    ASSERT_EQ(copies.size(), packets.size());
    for (size_t i = 0; i < packets.size(); ++i) {
      const AVPacket &a = *packets[i].packet, &b = *copies[i].packet;
      ASSERT_EQ(std::string_view(reinterpret_cast<const char*>(a.data), static_cast<size_t>(a.size)),
                std::string_view(reinterpret_cast<const char*>(b.data), static_cast<size_t>(b.size)));
      EXPECT_NEAR(copies[i].stream_s - copies[0].stream_s, packets[i].stream_s - packets[0].stream_s, 1e-3);
    }
    EXPECT_THAT(Count(clip), testing::HasSubstr(",50"));
    EXPECT_EQ(FramesOf(clip).size(), 50u);
    EXPECT_FALSE(std::filesystem::exists(clip.string() + ".partial"));
  }
}

// As RTSP and transport streams carry it, and a camera that does not describe its parameter sets beforehand.
TEST_F(Remuxed, streams_with_start_codes_become_files) {
  const std::pair<const char*, const char*> kinds[] = {
      {"a.ts", "-c:v libx264 -preset ultrafast -bf 2 -g 25"},
      {"b.ts", "-c:v libx265 -x265-params log-level=none:keyint=25 -preset ultrafast"}};
  for (const auto& [name, arguments] : kinds) {
    for (const bool described : {true, false}) {
      SCOPED_TRACE(fmt::format("{} {}", name, described));
      ASSERT_TRUE(MakeVideo(Path(name), arguments, 2));
      auto packets = PacketsOf(Path(name));
      ASSERT_FALSE(packets.empty());
      auto track = std::make_shared<VideoTrack>(*packets[0].track);
      auto* parameters = avcodec_parameters_alloc();
      ASSERT_GE(avcodec_parameters_copy(parameters, track->parameters.get()), 0);
      if (!described) {
        av_freep(&parameters->extradata);
        parameters->extradata_size = 0;
      }
      track->parameters = std::shared_ptr<AVCodecParameters>(
          parameters, [](AVCodecParameters* p) { avcodec_parameters_free(&p); });
      for (LivePacket& packet : packets) packet.track = track;
      ASSERT_TRUE(Remux(packets, Path("clip.mp4")).ok());
      EXPECT_EQ(Output("ffmpeg -v error -i " + Path("clip.mp4").string() + " -f null - 2>&1 || echo failed"),
                "");
      EXPECT_THAT(Count(Path("clip.mp4")), testing::HasSubstr(",50"));
    }
  }
}

TEST_F(Remuxed, without_decoding_times_the_order_of_presentation_gives_them) {
  ASSERT_TRUE(MakeVideo(Path("a.mp4"), "-c:v libx264 -preset ultrafast -bf 3 -g 25", 2));
  auto packets = PacketsOf(Path("a.mp4"));
  for (LivePacket& packet : packets) {
    auto* copy = av_packet_clone(packet.packet.get());
    copy->dts = AV_NOPTS_VALUE;
    packet.packet = std::shared_ptr<AVPacket>(copy, [](AVPacket* p) { av_packet_free(&p); });
  }
  ASSERT_TRUE(Remux(packets, Path("clip.mp4")).ok());
  const auto frames = FramesOf(Path("clip.mp4"));
  ASSERT_EQ(frames.size(), 50u);
  for (size_t i = 1; i < frames.size(); ++i)
    EXPECT_NEAR(*frames[i]->time_s - *frames[i - 1]->time_s, 0.04, 1e-3);
}

TEST_F(Remuxed, times_that_repeat_or_go_back_still_make_a_file) {
  ASSERT_TRUE(MakeVideo(Path("a.mp4"), "-c:v libx264 -preset ultrafast -bf 0 -g 25", 2));
  auto packets = PacketsOf(Path("a.mp4"));
  for (size_t i = 0; i < packets.size(); ++i)
    packets[i].stream_s = i % 7 == 3 ? 0.1 : packets[i / 3].stream_s;
  ASSERT_TRUE(Remux(packets, Path("clip.mp4")).ok());
  EXPECT_EQ(FramesOf(Path("clip.mp4")).size(), 50u);
}

TEST_F(Remuxed, a_file_that_cannot_be_written_leaves_nothing) {
  ASSERT_TRUE(MakeVideo(Path("a.mp4"), "-c:v libx264 -preset ultrafast", 1));
  const auto packets = PacketsOf(Path("a.mp4"));
  EXPECT_FALSE(Remux(packets, Path("no/such/folder.mp4")).ok());
  std::filesystem::create_directories(Path("clip.mp4/in_the_way"));
  EXPECT_FALSE(Remux(packets, Path("clip.mp4")).ok());
  EXPECT_FALSE(std::filesystem::exists(Path("clip.mp4.partial")));
  EXPECT_FALSE(Remux({}, Path("empty.mp4")).ok());
}

TEST_F(Remuxed, killed_at_any_time_what_has_its_name_is_complete) {
  ASSERT_TRUE(MakeVideo(Path("a.mp4"), "-c:v libx264 -preset ultrafast -g 25", 4));
  const auto packets = PacketsOf(Path("a.mp4"));
  for (int round = 0; round < 3; ++round) {
    const auto folder = Path(fmt::format("round{}", round));
    std::filesystem::create_directory(folder);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (int i = 0;; ++i)
        if (!Remux(packets, folder / fmt::format("{}.mp4", i)).ok()) _exit(1);
    }
    while (!std::filesystem::exists(folder / fmt::format("{}.mp4", 1 + round))) usleep(137);
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    int complete = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() != ".mp4") continue;
      EXPECT_EQ(PacketsOf(entry.path()).size(), packets.size()) << entry.path();
      ++complete;
    }
    EXPECT_GE(complete, 2 + round);
  }
}

}  // namespace
}  // namespace sightline::cameras
