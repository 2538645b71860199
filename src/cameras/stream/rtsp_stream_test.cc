// Streams of a real RTSP server.
extern "C" {
#include <libavcodec/packet.h>
}

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "base/net/test_server.h"
#include "cameras/stream/test_observer.h"

namespace sightline::cameras {
namespace {

using testing::HasSubstr;
using testing::Not;

class RtspServer : public TestServer {
 public:
  explicit RtspServer(std::vector<std::string> arguments = {})
      : TestServer(std::move(arguments), "src/cameras/stream/test_rtsp_server.py", "/usr/bin/python3") {}
  std::string Address(const std::string& credentials = "") const {
    return fmt::format("rtsp://{}127.0.0.1:{}/live", credentials, port());
  }
};

SourceOptions Source(const std::string& address) {
  SourceOptions options;
  options.address = address;
  options.back_off_max_s = 0.2;
  return options;
}

class RtspCamera : public testing::Test {
 protected:
  std::unique_ptr<CameraStream> Stream(SourceOptions options) {
    return CameraStream::Create(std::move(options), {}, &observer_).value();
  }
  TestObserver observer_;
};

TEST_F(RtspCamera, pictures_come_over_tcp_and_udp_in_time) {
  RtspServer server;
  for (const RtspTransport transport : {RtspTransport::kTcp, RtspTransport::kUdp}) {
    SCOPED_TRACE(transport == RtspTransport::kTcp ? "TCP" : "UDP");
    observer_.Forget();
    SourceOptions options = Source(server.Address());
    options.transport = transport;
    auto stream = Stream(options);
    ASSERT_TRUE(observer_.WaitForFrames(45)) << stream->status().last_error;
    const StreamStatus status = stream->status();
    EXPECT_EQ(status.codec, "h264");
    EXPECT_EQ(status.size, (Size{160, 120}));
    EXPECT_EQ(status.damaged, 0u);
    EXPECT_EQ(status.clock_jumps, 0u);
    EXPECT_NEAR(status.frames_per_second, 25, 6);
    const auto seen = observer_.seen();
    const double took =
        std::chrono::duration<double>(seen.frames[44].arrived - seen.frames[25].arrived).count();
    EXPECT_NEAR(took, seen.frames[44].stream_s - seen.frames[25].stream_s, 0.3);
    const double age =
        std::chrono::duration<double>(std::chrono::system_clock::now() - seen.frames[44].captured).count();
    EXPECT_LT(std::fabs(age), 1.5);
    EXPECT_EQ(seen.packets[10].track, seen.packets[40].track);
    const MonotonicTime begin = MonotonicClock::now();
    stream.reset();
    EXPECT_LT(SecondsSince(begin), 0.5);
  }
}

TEST_F(RtspCamera, a_server_that_dies_is_connected_to_again_when_it_is_back) {
  std::optional<RtspServer> server(std::in_place);
  const std::string port = std::to_string(server->port());
  auto stream = Stream(Source(server->Address()));
  ASSERT_TRUE(observer_.WaitForFrames(20)) << stream->status().last_error;
  const size_t before = observer_.seen().frames.size();
  server.reset();
  ASSERT_TRUE(observer_.WaitForState(StreamState::kBackOff, 3));
  // Gone for good: refused.
  ASSERT_TRUE(
      observer_.WaitFor([](const auto& seen) { return absl::IsUnavailable(seen.states.back().last_error); }));
  server.emplace(std::vector<std::string>{"--port", port, "--codec", "h265", "--size", "320x240"});
  ASSERT_TRUE(observer_.WaitForFrames(before + 20)) << stream->status().last_error;
  // It is another camera now: other codec, other size.
  EXPECT_EQ(stream->status().codec, "hevc");
  EXPECT_EQ(stream->status().size, (Size{320, 240}));
  EXPECT_EQ(stream->status().connects, 2u);
  const auto seen = observer_.seen();
  for (size_t i = 1; i < seen.frames.size(); ++i) {
    EXPECT_GT(seen.frames[i].stream_s, seen.frames[i - 1].stream_s);
    EXPECT_GE(seen.frames[i].epoch, seen.frames[i - 1].epoch);
  }
  EXPECT_GT(seen.frames.back().epoch, seen.frames.front().epoch);
  EXPECT_NE(seen.packets.front().track, seen.packets.back().track);
}

TEST_F(RtspCamera, a_stall_is_noticed_though_the_connection_stays) {
  RtspServer server;
  auto stream = Stream(Source(server.Address()));
  ASSERT_TRUE(observer_.WaitForFrames(20)) << stream->status().last_error;
  server.Say("stall");
  ASSERT_TRUE(observer_.WaitForState(StreamState::kBackOff, 5));
  const MonotonicTime last = observer_.seen().frames.back().arrived;
  EXPECT_LT(SecondsSince(last), 2.3);
  EXPECT_EQ(stream->status().stalls, 1u);
  server.Say("resume");
  const size_t before = observer_.seen().frames.size();
  EXPECT_TRUE(observer_.WaitForFrames(before + 10)) << stream->status().last_error;
}

TEST_F(RtspCamera, a_change_of_size_in_the_stream_raises_the_epoch_and_changes_the_track) {
  RtspServer server;
  auto stream = Stream(Source(server.Address()));
  ASSERT_TRUE(observer_.WaitForFrames(20)) << stream->status().last_error;
  const auto before = observer_.seen();
  server.Say("size 320x240");
  ASSERT_TRUE(observer_.WaitFor(
      [&](const auto& seen) { return seen.frames.back().epoch > before.frames.back().epoch; }));
  ASSERT_TRUE(observer_.WaitForFrames(observer_.seen().frames.size() + 20));
  EXPECT_EQ(stream->status().size, (Size{320, 240}));
  EXPECT_EQ(stream->status().connects, 1u) << stream->status().last_error;
  const auto seen = observer_.seen();
  EXPECT_EQ(seen.frames.back().epoch, before.frames.back().epoch + 1);
  EXPECT_NE(seen.packets.back().track, before.packets.back().track);
}

TEST_F(RtspCamera, codecs_that_cameras_use_are_decoded) {
  for (const char* codec : {"mjpeg", "vp8"}) {
    RtspServer server({"--codec", codec});
    const auto probe = ProbeStream(Source(server.Address()), {}, 0.3);
    ASSERT_TRUE(probe.ok()) << codec << probe.status();
    EXPECT_EQ(probe->status.codec, codec);
    EXPECT_EQ(probe->status.size, (Size{160, 120}));
  }
}

TEST_F(RtspCamera, timestamps_that_wrap_are_no_jump) {
  RtspServer server({"--timestamp", std::to_string((int64_t{1} << 32) - 90'000)});  // in a second
  auto stream = Stream(Source(server.Address()));
  ASSERT_TRUE(observer_.WaitForFrames(60)) << stream->status().last_error;
  EXPECT_EQ(stream->status().clock_jumps, 0u);
  const auto seen = observer_.seen();
  EXPECT_EQ(seen.frames.front().epoch, seen.frames.back().epoch);
}

TEST_F(RtspCamera, passwords_are_sent_and_never_shown) {
  testing::internal::CaptureStderr();
  ASSERT_TRUE(SetUpLog("debug").ok());  // what libav says is logged
  for (const bool digest : {false, true}) {
    std::vector<std::string> arguments = {"--user", "bob:hunter2"};
    if (digest) arguments.push_back("--digest");
    RtspServer server(arguments);
    const auto probe = ProbeStream(Source(server.Address("bob:hunter2@")), {}, 0.2);
    EXPECT_TRUE(probe.ok()) << probe.status();
    for (const char* credentials : {"", "bob:hunter3@"}) {
      const absl::Status refused = ProbeStream(Source(server.Address(credentials)), {}, 0.2).status();
      EXPECT_TRUE(absl::IsPermissionDenied(refused)) << refused;
      EXPECT_THAT(refused.ToString(), Not(HasSubstr("hunter")));
    }
  }
  ASSERT_TRUE(SetUpLog("info").ok());
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("401"));
  EXPECT_THAT(log, Not(HasSubstr("hunter")));
}

TEST_F(RtspCamera, probing_has_an_error_for_each_kind_of_failure) {
  RtspServer server;
  const absl::Status missing =
      ProbeStream(Source(fmt::format("rtsp://127.0.0.1:{}/other", server.port())), {}, 0.2).status();
  EXPECT_TRUE(absl::IsNotFound(missing)) << missing;
  const absl::Status refused = ProbeStream(Source("rtsp://bob:hunter2@127.0.0.1:1/live"), {}, 0.2).status();
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  EXPECT_THAT(refused.ToString(), HasSubstr("refused"));
  EXPECT_THAT(refused.ToString(), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace sightline::cameras
