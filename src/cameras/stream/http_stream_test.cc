// Streams of HTTP cameras and HLS, good and bad.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/net/test_server.h"
#include "base/status.h"
#include "cameras/stream/test_observer.h"

namespace sightline::cameras {
namespace {

using testing::HasSubstr;
using testing::Not;

class HttpCamera : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_.emplace(TemporaryFolder::Create().value());
    const std::string folder = folder_->path();
    Shell(fmt::format(
        "cd '{}' && ffmpeg -v error -y -f lavfi -i testsrc2=s=160x120:r=1 -frames:v 1 small.jpg "
        "-frames:v 1 -vf scale=320x240 large.jpg "
        "-frames:v 50 -vf loop=49:1,setpts=N/25/TB -r 25 -c:v libx264 -g 25 -output_ts_offset 5000 one.ts "
        "-frames:v 50 -vf loop=49:1,setpts=N/25/TB -r 25 -c:v libx264 -g 25 -output_ts_offset 100 two.ts",
        folder));
    server_.emplace(std::vector<std::string>{folder + "/small.jpg", folder + "/large.jpg", folder + "/one.ts",
                                             folder + "/two.ts"},
                    "src/cameras/stream/test_http_camera.py");
  }
  static void TearDownTestSuite() {
    server_.reset();
    folder_.reset();
  }
  static SourceOptions Source(const std::string& path) {
    SourceOptions options;
    options.address = server_->Url(path);
    options.back_off_max_s = 0.05;
    return options;
  }
  std::unique_ptr<CameraStream> Stream(SourceOptions options) {
    return CameraStream::Create(std::move(options), {}, &observer_).value();
  }
  // Ends within half a second, whatever the stream is at.
  static void ExpectQuickEnd(std::unique_ptr<CameraStream> stream) {
    const MonotonicTime begin = MonotonicClock::now();
    stream.reset();
    EXPECT_LT(SecondsSince(begin), 0.5);
  }

  static std::optional<TemporaryFolder> folder_;
  static std::optional<TestServer> server_;
  TestObserver observer_;
};

std::optional<TemporaryFolder> HttpCamera::folder_;
std::optional<TestServer> HttpCamera::server_;

TEST_F(HttpCamera, pictures_come_as_they_are_sent) {
  const MonotonicTime begin = MonotonicClock::now();
  auto stream = Stream(Source("/mjpeg"));
  ASSERT_TRUE(observer_.WaitForFrames(1));
  EXPECT_LT(SecondsSince(begin), 1.5);  // little is read ahead
  ASSERT_TRUE(observer_.WaitForFrames(40));
  const StreamStatus status = stream->status();
  EXPECT_EQ(status.codec, "mjpeg");
  EXPECT_EQ(status.state, StreamState::kLive);
  EXPECT_EQ(status.size, (Size{160, 120}));
  EXPECT_EQ(status.damaged, 0u);
  const auto seen = observer_.seen();
  const double took = std::chrono::duration<double>(seen.frames[39].arrived - seen.frames[9].arrived).count();
  EXPECT_NEAR(seen.frames[39].stream_s - seen.frames[9].stream_s, took, 0.05);
  EXPECT_GT(took, 0.9);
  ExpectQuickEnd(std::move(stream));
}

TEST_F(HttpCamera, a_change_of_size_raises_the_epoch) {
  auto stream = Stream(Source("/sizes"));
  ASSERT_TRUE(observer_.WaitForFrames(60));
  const auto seen = observer_.seen();
  const auto sizes = observer_.sizes();
  for (size_t i = 1; i < 60; ++i) {
    EXPECT_EQ(seen.frames[i].epoch != seen.frames[i - 1].epoch, sizes[i] != sizes[i - 1]) << i;
    EXPECT_GE(seen.frames[i].epoch, seen.frames[i - 1].epoch);
  }
  EXPECT_EQ(seen.frames.back().epoch, 3u);
  EXPECT_EQ(stream->status().connects, 1u);
}

TEST_F(HttpCamera, a_stall_is_noticed_in_time_and_counted) {
  auto stream = Stream(Source("/stall"));
  ASSERT_TRUE(observer_.WaitForFrames(10));
  const MonotonicTime last = observer_.seen().frames.back().arrived;
  ASSERT_TRUE(observer_.WaitForState(StreamState::kBackOff, 5));
  EXPECT_LE(SecondsSince(last), 2.2);
  EXPECT_GE(SecondsSince(last), 1.5);
  EXPECT_EQ(stream->status().stalls, 1u);
  EXPECT_TRUE(absl::IsDeadlineExceeded(stream->status().last_error)) << stream->status().last_error;
  ASSERT_TRUE(observer_.WaitForFrames(15));  // and is connected again
  const auto seen = observer_.seen();
  EXPECT_EQ(seen.frames.back().epoch, 2u);
  // Stream time went on by what went by.
  EXPECT_NEAR(seen.frames[10].stream_s - seen.frames[9].stream_s,
              std::chrono::duration<double>(seen.frames[10].arrived - seen.frames[9].arrived).count(), 0.3);
}

TEST_F(HttpCamera, a_jump_of_the_clock_raises_the_epoch_and_time_goes_on) {
  auto stream = Stream(Source("/ts"));
  ASSERT_TRUE(observer_.WaitForFrames(80));
  EXPECT_EQ(stream->status().clock_jumps, 1u);
  const auto seen = observer_.seen();
  for (size_t i = 1; i < seen.frames.size(); ++i) {
    EXPECT_GT(seen.frames[i].stream_s, seen.frames[i - 1].stream_s) << i;
    EXPECT_LT(seen.frames[i].stream_s, seen.frames[i - 1].stream_s + 3) << i;
    EXPECT_EQ(seen.frames[i].index, static_cast<int64_t>(i));
  }
  EXPECT_EQ(seen.frames[75].epoch, 2u);
}

TEST_F(HttpCamera, damage_is_counted_and_passed_over) {
  auto stream = Stream(Source("/truncated"));
  ASSERT_TRUE(observer_.WaitForFrames(8));
  // One picture of five is whole; the others are not shown half grey.
  EXPECT_GE(stream->status().damaged, 7u * 4);
  EXPECT_EQ(stream->status().state, StreamState::kLive);
  EXPECT_EQ(stream->status().connects, 1u);
}

TEST_F(HttpCamera, what_is_no_camera_is_an_error_and_never_more) {
  for (const char* path : {"/noise", "/flood", "/junk", "/missing", "/cut"}) {
    SCOPED_TRACE(path);
    observer_.Forget();
    auto stream = Stream(Source(path));
    // These are not given up at once, but come to nothing.
    const bool goes_on = path == std::string("/noise") || path == std::string("/flood");
    const bool decided = observer_.WaitForState(StreamState::kBackOff, goes_on ? 1 : 15);
    EXPECT_TRUE(decided || goes_on) << Name(stream->status().state);
    if (decided) {
      EXPECT_FALSE(stream->status().last_error.ok());
    }
    EXPECT_EQ(stream->status().frames, path == std::string("/cut") ? stream->status().frames : 0);
    ExpectQuickEnd(std::move(stream));
  }
}

TEST_F(HttpCamera, removal_is_quick_while_nobody_answers) {
  // A server that accepts and says nothing.
  auto silent = Stream(Source("/silence"));
  // A port whose queue of connections is full: the connection is never made.
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(listener, 0), 0);
  socklen_t length = sizeof(address);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  std::vector<int> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    (void)connect(fillers.back(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
  }
  std::vector<std::unique_ptr<CameraStream>> streams;
  std::vector<std::unique_ptr<TestObserver>> observers;
  for (const char* scheme : {"http", "rtsp"}) {
    SourceOptions options;
    options.address = fmt::format("{}://127.0.0.1:{}/live", scheme, ntohs(address.sin_port));
    observers.push_back(std::make_unique<TestObserver>());
    streams.push_back(CameraStream::Create(options, {}, observers.back().get()).value());
    // And one that accepts (RTSP to an HTTP server that waits for the end of the request).
    options.address = fmt::format("{}://127.0.0.1:{}/silence", scheme, server_->port());
    observers.push_back(std::make_unique<TestObserver>());
    streams.push_back(CameraStream::Create(options, {}, observers.back().get()).value());
  }
  for (auto& observer : observers) ASSERT_TRUE(observer->WaitForState(StreamState::kConnecting));
  // Long enough for each to be in the middle of it.
  EXPECT_FALSE(observers[0]->WaitForFrames(1, 0.4));
  EXPECT_EQ(streams[0]->status().state, StreamState::kConnecting);
  for (auto& stream : streams) ExpectQuickEnd(std::move(stream));
  ExpectQuickEnd(std::move(silent));
  for (const int filler : fillers) close(filler);
  close(listener);
}

// The C library looks names up on threads of its own, which the thread sanitizer does not know and falls
// over.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NO_LOOKUPS 1
#endif
#endif

TEST_F(HttpCamera, a_name_that_takes_long_to_look_up_does_not_hold_a_removal) {
#ifdef NO_LOOKUPS
  GTEST_SKIP() << "names can't be looked up under the thread sanitizer";
#endif
  SourceOptions options;
  options.address = "http://camera.invalid/live";
  auto stream = Stream(options);
  ASSERT_TRUE(observer_.WaitForState(StreamState::kConnecting));
  ExpectQuickEnd(std::move(stream));
}

TEST_F(HttpCamera, probing_says_what_came) {
  const auto probe = ProbeStream(Source("/mjpeg"), {}, 0.5);
  ASSERT_TRUE(probe.ok()) << probe.status();
  EXPECT_EQ(probe->status.codec, "mjpeg");
  EXPECT_EQ(probe->status.size, (Size{160, 120}));
  EXPECT_GT(probe->status.frames, 5u);
  EXPECT_NEAR(probe->status.frames_per_second, 25, 8);
  EXPECT_GT(probe->connect_s, 0);
  ASSERT_NE(probe->picture, nullptr);
  EXPECT_EQ(probe->picture->size, (Size{160, 120}));
}

TEST_F(HttpCamera, probing_has_an_error_for_each_kind_of_failure) {
  const absl::Status missing = ProbeStream(Source("/missing"), {}, 1).status();
  EXPECT_TRUE(absl::IsNotFound(missing)) << missing;
  EXPECT_EQ(missing.message(), server_->Url("/missing") + ": the server answered 404 Not Found");
  EXPECT_TRUE(absl::IsDataLoss(ProbeStream(Source("/junk"), {}, 1).status()));
  EXPECT_TRUE(absl::IsDataLoss(ProbeStream(Source("/counted"), {}, 1).status()));
  SourceOptions refused = Source("/mjpeg");
  refused.address = "http://bob:hunter2@127.0.0.1:1/live?key=sesame";
  const absl::Status status = ProbeStream(refused, {}, 1).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(status.ToString(), HasSubstr("refused"));
  for (const char* secret : {"hunter2", "sesame"}) EXPECT_THAT(status.ToString(), Not(HasSubstr(secret)));
#ifndef NO_LOOKUPS
  refused.address = "http://camera.invalid/live";
  const absl::Status unknown = ProbeStream(refused, {}, 1).status();
  EXPECT_TRUE(absl::IsUnavailable(unknown)) << unknown;
#endif
}

TEST_F(HttpCamera, passwords_are_sent_and_never_shown) {
  SourceOptions options = Source("/login");
  const absl::Status without = ProbeStream(options, {}, 1).status();
  EXPECT_TRUE(absl::IsPermissionDenied(without)) << without;
  options.address = fmt::format("http://bob:hunter2@127.0.0.1:{}/login?key=sesame", server_->port());
  auto stream = Stream(options);
  ASSERT_TRUE(observer_.WaitForFrames(5));
  for (const StreamStatus& state : observer_.seen().states)
    EXPECT_THAT(state.last_error.ToString(), Not(HasSubstr("hunter2")));
}

// Segments over HTTP from a plain server.
TEST_F(HttpCamera, playlists_lead_to_allowed_hosts_only) {
#ifdef NO_LOOKUPS
  GTEST_SKIP() << "names can't be looked up under the thread sanitizer";
#endif
  Shell(fmt::format(
      "cd '{}' && ffmpeg -v error -y -f lavfi -i testsrc2=s=160x120:r=25 -frames:v 50 -c:v libx264 -g 25 "
      "-pix_fmt yuv420p -f hls -hls_time 1 -hls_list_size 0 own.m3u8",
      folder_->path().string()));
  TestServer files({"--folder", folder_->path().string()});
  std::string text = ReadTextFile(folder_->path() / "own.m3u8", 1 << 20).value();
  for (size_t at = text.find("own"); at != std::string::npos; at = text.find("own", at + 60)) {
    text.insert(at, fmt::format("http://localhost:{}/file/", files.port()));
  }
  ASSERT_TRUE(WriteFileAtomically(folder_->path() / "other.m3u8", text).ok());
  SourceOptions options;
  options.address = files.Url("/file/own.m3u8");
  const auto own = ProbeStream(options, {}, 0.3);
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ(own->status.codec, "h264");
  options.address = files.Url("/file/other.m3u8");
  const auto refused = ProbeStream(options, {}, 0.3);
  EXPECT_TRUE(absl::IsPermissionDenied(refused.status())) << refused.status();
  options.allowed_hosts = {"localhost"};
  const auto allowed = ProbeStream(options, {}, 0.3);
  EXPECT_TRUE(allowed.ok()) << allowed.status();
}

}  // namespace
}  // namespace sightline::cameras
