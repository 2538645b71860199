// Videos and playlists from a real HTTP server: what is followed, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/net/test_server.h"
#include "base/status.h"
#include "tests/video_files.h"

namespace sightline {
namespace {

using absl::StatusCode;

class VideoUrl : public testing::Test {
 protected:
  VideoUrl() : server_({"--folder", folder_.path().string()}) {}

  void Ffmpeg(const std::string& arguments) {
    Shell(fmt::format("cd '{}' && ffmpeg -v error -y -f lavfi -i testsrc2=s=176x144:r=25 -frames:v 50 {}",
                      folder_.path().string(), arguments));
  }
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(folder_.path() / name, text).ok());
  }
  static ingest::DemuxOptions Quick() {
    ingest::DemuxOptions options;
    options.timeouts = {std::chrono::milliseconds(3000), std::chrono::milliseconds(1000)};
    return options;
  }
  DecodedVideo Decode(const std::string& path) {
    return DecodeAll(ingest::VideoDemuxer::Open(UrlInput(server_.Url(path)), {}, Quick()));
  }
  // The playlist's head with one segment (or other line) in it.
  static std::string Playlist(const std::string& lines) {
    return "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n" + lines +
           "\n#EXT-X-ENDLIST\n";
  }

  TemporaryFolder folder_ = TemporaryFolder::Create().value();
  TestServer server_;
};

TEST_F(VideoUrl, files_are_read_with_and_without_ranges) {
  Ffmpeg(
      "-c:v libx264 -pix_fmt yuv420p end.mp4 -c:v libx264 -pix_fmt yuv420p -movflags +faststart -frames:v 50 "
      "start.mp4");
  for (const char* path : {"/file/end.mp4", "/file/start.mp4", "/plainfile/start.mp4"}) {
    const DecodedVideo video = Decode(path);
    ASSERT_TRUE(video.opened.ok()) << path << video.opened;
    EXPECT_TRUE(video.end.ok()) << path << video.end;
    EXPECT_EQ(video.times.size(), 50u) << path;
  }
  EXPECT_EQ(Decode("/file/missing.mp4").opened.code(), StatusCode::kNotFound);
  EXPECT_EQ(Decode("/silent").opened.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Decode("/stall/400").opened.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Decode("/bytes/5000").opened.code(), StatusCode::kDataLoss);
}

TEST_F(VideoUrl, a_download_over_the_limit_is_refused) {
  Ffmpeg("-c:v libx264 -pix_fmt yuv420p a.mp4");
  MediaLimits limits;
  limits.download_bytes_max = 1000;
  const auto demuxer = ingest::VideoDemuxer::Open(UrlInput(server_.Url("/file/a.mp4")), limits);
  EXPECT_EQ(demuxer.status().code(), StatusCode::kResourceExhausted);
}

TEST_F(VideoUrl, a_playlist_of_its_own_host_is_followed) {
  Ffmpeg("-c:v libx264 -g 25 -pix_fmt yuv420p -f hls -hls_time 1 -hls_list_size 0 list.m3u8");
  const DecodedVideo video = Decode("/file/list.m3u8");
  ASSERT_TRUE(video.opened.ok()) << video.opened;
  EXPECT_TRUE(video.end.ok()) << video.end;
  EXPECT_EQ(video.times.size(), 50u);
  // As a file the same list is refused: it points elsewhere.
  EXPECT_EQ(DecodeFile(folder_.path() / "list.m3u8").opened.code(), StatusCode::kPermissionDenied);
}

TEST_F(VideoUrl, a_playlist_that_points_elsewhere_is_refused) {
  Ffmpeg("-c:v libx264 -pix_fmt yuv420p -t 1 a.ts");
  const std::string other = fmt::format("http://localhost:{}/file/a.ts", server_.port());
  for (const std::string& target :
       {std::string("file:///etc/passwd"), std::string("http://169.254.169.254/latest/meta-data/a.ts"), other,
        std::string("concat:/etc/passwd|/etc/hosts"), std::string("data:video/mp2t;base64,AAAA"),
        std::string("ftp://127.0.0.1/a.ts"), std::string("rtsp://127.0.0.1/a.ts"),
        std::string("tcp://127.0.0.1:22"), server_.Url("/redirect?to=http://169.254.169.254/a.ts"),
        server_.Url("/redirect?to=file:///etc/passwd")}) {
    SCOPED_TRACE(target);
    Write("list.m3u8", Playlist("#EXTINF:1,\n" + target));
    const DecodedVideo video = Decode("/file/list.m3u8");
    EXPECT_TRUE(video.times.empty());
    const absl::Status status = video.opened.ok() ? video.end : video.opened;
    EXPECT_EQ(status.code(), StatusCode::kPermissionDenied) << status;
  }
}

TEST_F(VideoUrl, keys_maps_and_variants_that_point_elsewhere_are_refused) {
  Ffmpeg("-c:v libx264 -pix_fmt yuv420p -t 1 a.ts");
  const std::string segment = "#EXTINF:1,\n" + server_.Url("/file/a.ts");
  for (const std::string& lines :
       {"#EXT-X-KEY:METHOD=AES-128,URI=\"file:///etc/passwd\"\n" + segment,
        "#EXT-X-MAP:URI=\"file:///etc/passwd\"\n" + segment,
        std::string("#EXT-X-STREAM-INF:BANDWIDTH=1000\nfile:///etc/passwd"),
        std::string("#EXT-X-STREAM-INF:BANDWIDTH=1000\nhttp://169.254.169.254/x.m3u8")}) {
    SCOPED_TRACE(lines);
    Write("list.m3u8", Playlist(lines));
    const DecodedVideo video = Decode("/file/list.m3u8");
    EXPECT_TRUE(video.times.empty());
    EXPECT_FALSE(video.opened.ok() && video.end.ok());
  }
}

TEST_F(VideoUrl, lists_in_files_are_refused_whatever_their_name) {
  const std::pair<const char*, std::string> lists[] = {
      {"a.m3u8", Playlist("#EXTINF:1,\nfile:///etc/passwd")},
      {"a.mp4", Playlist("#EXTINF:1,\nfile:///etc/passwd")},
      {"b.m3u8", Playlist("#EXTINF:1,\nhttp://169.254.169.254/a.ts")},
      {"a.ffconcat", "ffconcat version 1.0\nfile /etc/passwd\n"},
      {"b.mp4", "ffconcat version 1.0\nfile /etc/passwd\n"},
      {"a.sdp",
       "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
       "a=rtpmap:96 H264/90000\n"},
      {"a.mpd",
       "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
       "profiles=\"urn:mpeg:dash:profile:"
       "isoff-on-demand:2011\"><Period></Period></MPD>\n"}};
  for (const auto& [name, text] : lists) {
    Write(name, text);
    const absl::Status status = DecodeFile(folder_.path() / name).opened;
    EXPECT_EQ(status.code(), StatusCode::kPermissionDenied) << name << ": " << status;
  }
}

TEST_F(VideoUrl, scripts_and_descriptions_from_a_url_are_refused_too) {
  Write("a.ffconcat", "ffconcat version 1.0\nfile /etc/passwd\n");
  EXPECT_EQ(Decode("/file/a.ffconcat").opened.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Decode("/redirect?to=http://169.254.169.254/a.mp4").opened.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Decode("/redirect?to=file:///etc/passwd").opened.code(), StatusCode::kPermissionDenied);
}

TEST_F(VideoUrl, a_live_playlist_that_no_longer_grows_ends_at_the_limit) {
  Ffmpeg(
      "-c:v libx264 -g 25 -pix_fmt yuv420p -f hls -hls_time 1 -hls_list_size 0 -hls_flags omit_endlist "
      "list.m3u8");
  const DecodedVideo video = Decode("/file/list.m3u8");
  EXPECT_EQ(video.times.size(), 50u) << video.opened;
  EXPECT_EQ(video.end.code(), StatusCode::kDeadlineExceeded) << video.end;
}

TEST_F(VideoUrl, a_missing_segment_is_an_error_at_the_end) {
  Ffmpeg("-c:v libx264 -g 25 -pix_fmt yuv420p -f hls -hls_time 1 -hls_list_size 0 list.m3u8");
  std::filesystem::remove(folder_.path() / "list1.ts");
  const DecodedVideo video = Decode("/file/list.m3u8");
  ASSERT_TRUE(video.opened.ok()) << video.opened;
  EXPECT_EQ(video.times.size(), 25u);
  EXPECT_EQ(video.end.code(), StatusCode::kNotFound) << video.end;
}

TEST_F(VideoUrl, cameras_that_do_not_answer_are_unavailable_and_show_no_password) {
  const auto demuxer = ingest::VideoDemuxer::Open(
      {"camera", "rtsp://bob:secret@127.0.0.1:1/live", ingest::InputKind::kUrl, absl::OkStatus()}, {},
      Quick());
  EXPECT_EQ(demuxer.status().code(), StatusCode::kUnavailable) << demuxer.status();
  EXPECT_THAT(demuxer.status().ToString(), testing::Not(testing::HasSubstr("secret")));
  // A metadata address is refused before anything is sent.
  const auto refused = ingest::VideoDemuxer::Open(UrlInput("rtsp://2852039166/live"), {}, Quick());
  EXPECT_EQ(refused.status().code(), StatusCode::kPermissionDenied) << refused.status();
}

class Camera : public testing::Test {
 protected:
  Camera() {
    Shell(fmt::format(
        "ffmpeg -v error -y -f lavfi -i testsrc2=s=176x144:r=25 -frames:v 50 -c:v libx264 -bf 0 -g 10 "
        "-pix_fmt yuv420p -flags +global_header '{}'",
        clip_));
  }
  static DecodedVideo Decode(const std::string& url) {
    ingest::DemuxOptions options;
    options.timeouts = {std::chrono::milliseconds(5000), std::chrono::milliseconds(1000)};
    return DecodeAll(ingest::VideoDemuxer::Open(UrlInput(url), {}, options));
  }
  TemporaryFolder folder_ = TemporaryFolder::Create().value();
  const std::string clip_ = folder_.path() / "a.mp4";
};

TEST_F(Camera, frames_come_over_rtsp_until_the_camera_hangs_up) {
  TestServer server({clip_}, "tests/rtsp_server.py");
  const DecodedVideo video = Decode(server.Url("/live", "rtsp"));
  ASSERT_TRUE(video.opened.ok()) << video.opened;
  ASSERT_EQ(video.times.size(), 50u) << video.end;
  EXPECT_NEAR(video.times.back() - video.times.front(), 49 / 25.0, 1e-3);
  EXPECT_TRUE(video.samples == ReferenceFrames(clip_, "yuv420p"));
}

TEST_F(Camera, a_camera_that_falls_silent_ends_at_the_limit) {
  TestServer server({clip_, "--silent-after", "40"}, "tests/rtsp_server.py");
  const DecodedVideo video = Decode(server.Url("/live", "rtsp"));
  ASSERT_TRUE(video.opened.ok()) << video.opened;
  EXPECT_GT(video.times.size(), 10u);
  EXPECT_EQ(video.end.code(), StatusCode::kDeadlineExceeded) << video.end;
}

TEST_F(Camera, passwords_are_sent_and_never_shown) {
  TestServer server({clip_, "--password", "bob:secret"}, "tests/rtsp_server.py");
  const DecodedVideo video = Decode(fmt::format("rtsp://bob:secret@127.0.0.1:{}/live", server.port()));
  EXPECT_EQ(video.times.size(), 50u) << video.opened << video.end;
  const DecodedVideo refused = Decode(fmt::format("rtsp://bob:guess@127.0.0.1:{}/live", server.port()));
  EXPECT_EQ(refused.opened.code(), StatusCode::kPermissionDenied) << refused.opened;
}

}  // namespace
}  // namespace sightline
