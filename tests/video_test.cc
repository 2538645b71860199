// From video files to frames: ingest and decode together, against what the ffmpeg program makes of the same
// files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/status.h"
#include "base/test_assets.h"
#include "tests/video_files.h"

namespace sightline {
namespace {

using absl::StatusCode;
using std::filesystem::path;

class Video : public testing::Test {
 protected:
  // A clip of `frames` frames of a moving test picture; `arguments` choose size, codec and so on.
  path Make(const std::string& name, const std::string& arguments, int frames = 30,
            const std::string& size = "176x144") {
    const path clip = folder_.path() / name;
    Shell(fmt::format("ffmpeg -v error -y -f lavfi -i testsrc2=s={}:r=25 -frames:v {} {} '{}' 2>&1", size,
                      frames, arguments, clip.string()));
    return clip;
  }
  void ExpectSameTimes(const DecodedVideo& video, const path& clip) {
    const std::vector<double> expected = ReferenceTimes(clip);
    ASSERT_EQ(video.times.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i)
      ASSERT_NEAR(video.times[i], expected[i], 2e-6) << "frame " << i;
  }
  TemporaryFolder folder_ = TemporaryFolder::Create().value();
};

struct Asset {
  const char* name;
  size_t frames;
};
TEST_F(Video, real_files_have_the_frames_times_and_samples_that_ffmpeg_finds) {
  SKIP_WITHOUT_ASSETS();
  for (const Asset& asset : {Asset{"intel_car_detection.mp4", 377}, Asset{"saoyan_traffic.mp4", 984},
                             Asset{"roxa_crosswalk.mp4", 143}, Asset{"nandini_pedestrians.mp4", 188},
                             Asset{"tamper_Defocusing.mp4", 137}, Asset{"girlshy.h265", 75}}) {
    SCOPED_TRACE(asset.name);
    const path clip = folder_.path() / asset.name;
    std::filesystem::create_symlink(std::filesystem::absolute(AssetsFolder() / "videos" / asset.name), clip);
    const DecodedVideo video = DecodeFile(clip);
    ASSERT_TRUE(video.opened.ok()) << video.opened;
    EXPECT_TRUE(video.end.ok()) << video.end;
    EXPECT_EQ(video.damaged, 0);
    EXPECT_EQ(video.times.size(), asset.frames);
    if (clip.extension() == ".mp4") ExpectSameTimes(video, clip);
    EXPECT_TRUE(video.samples == ReferenceFrames(clip, "yuv420p"));
    std::filesystem::remove(clip.string() + ".raw");
  }
}

TEST_F(Video, real_clips_of_several_codecs_match_ffmpeg) {
  SKIP_WITHOUT_ASSETS();
  for (const auto& entry : std::filesystem::directory_iterator(AssetsFolder() / "videos" / "codec")) {
    SCOPED_TRACE(entry.path().filename());
    const path clip = folder_.path() / entry.path().filename();
    std::filesystem::create_symlink(std::filesystem::absolute(entry.path()), clip);
    const DecodedVideo video = DecodeFile(clip);
    ASSERT_TRUE(video.opened.ok()) << video.opened;
    EXPECT_EQ(video.damaged, 0);
    ExpectSameTimes(video, clip);
  }
}

struct Codec {
  const char* file;
  const char* arguments;
  const char* reference_format;
  PixelFormat format;
};
TEST_F(Video, every_codec_and_container_gives_exactly_ffmpegs_samples) {
  const Codec codecs[] = {
      {"a.mp4", "-c:v libx264 -bf 3 -pix_fmt yuv420p", "yuv420p", PixelFormat::kYuv420},
      {"a.mkv", "-c:v libx264 -bf 2 -pix_fmt yuv420p", "yuv420p", PixelFormat::kYuv420},
      {"a.mov", "-c:v libx264 -pix_fmt yuv422p", "yuv422p", PixelFormat::kYuv422},
      {"b.mov", "-c:v libx264 -pix_fmt yuv444p", "yuv444p", PixelFormat::kYuv444},
      {"a.ts", "-c:v libx264 -pix_fmt yuv420p", "yuv420p", PixelFormat::kYuv420},
      {"b.mp4", "-c:v libx265 -pix_fmt yuv420p -x265-params log-level=error", "yuv420p",
       PixelFormat::kYuv420},
      {"a.webm", "-c:v libvpx -pix_fmt yuv420p -deadline realtime", "yuv420p", PixelFormat::kYuv420},
      {"b.webm", "-c:v libvpx-vp9 -pix_fmt yuv420p -deadline realtime -cpu-used 8", "yuv420p",
       PixelFormat::kYuv420},
      {"c.webm", "-c:v libaom-av1 -pix_fmt yuv420p -cpu-used 8 -usage realtime", "yuv420p",
       PixelFormat::kYuv420},
      {"c.mp4", "-c:v mpeg4 -q:v 3 -bf 2", "yuv420p", PixelFormat::kYuv420},
      {"a.avi", "-c:v mpeg4 -q:v 3", "yuv420p", PixelFormat::kYuv420},
      {"b.avi", "-c:v mjpeg -q:v 3 -pix_fmt yuvj422p", "yuvj422p", PixelFormat::kYuv422},
      {"c.avi", "-c:v mjpeg -q:v 3 -pix_fmt yuvj420p", "yuvj420p", PixelFormat::kYuv420},
      {"b.ts", "-c:v mpeg2video -q:v 3", "yuv420p", PixelFormat::kYuv420},
      {"d.mkv", "-c:v ffv1 -pix_fmt gray", "gray", PixelFormat::kGray8},
      {"d.avi", "-c:v rawvideo -pix_fmt yuv420p", "yuv420p", PixelFormat::kYuv420},
  };
  for (const Codec& codec : codecs) {
    SCOPED_TRACE(fmt::format("{} {}", codec.file, codec.arguments));
    const path clip = Make(codec.file, codec.arguments);
    const DecodedVideo video = DecodeFile(clip);
    ASSERT_TRUE(video.opened.ok()) << video.opened;
    EXPECT_TRUE(video.end.ok()) << video.end;
    EXPECT_EQ(video.damaged, 0);
    EXPECT_EQ(video.times.size(), 30u);
    EXPECT_THAT(video.formats, testing::Each(codec.format));
    EXPECT_TRUE(video.samples == ReferenceFrames(clip, codec.reference_format));
    ExpectSameTimes(video, clip);
    EXPECT_EQ(video.range, std::string_view(codec.reference_format).starts_with("yuvj") ||
                                   codec.format == PixelFormat::kGray8
                               ? ColorRange::kFull
                               : ColorRange::kLimited);
  }
}

TEST_F(Video, odd_sizes_keep_their_last_row_and_column) {
  const path clip = Make(
      "odd.webm", "-vf scale=175:143 -c:v libvpx-vp9 -pix_fmt yuv420p -deadline realtime -cpu-used 8", 5);
  const DecodedVideo video = DecodeFile(clip);
  EXPECT_THAT(video.sizes, testing::Each(Size{175, 143}));
  EXPECT_TRUE(video.samples == ReferenceFrames(clip, "yuv420p"));
}

TEST_F(Video, ten_bits_become_eight_within_one_step) {
  const std::pair<const char*, const char*> codecs[] = {
      {"a.mp4", "-c:v libx265 -pix_fmt yuv420p10le -x265-params log-level=error"},
      {"b.mkv", "-c:v libx264 -pix_fmt yuv420p10le"},
      {"c.webm", "-c:v libvpx-vp9 -profile:v 2 -pix_fmt yuv420p10le -deadline realtime -cpu-used 8"}};
  for (const auto& [name, arguments] : codecs) {
    SCOPED_TRACE(arguments);
    const path clip = Make(name, arguments, 5);
    const DecodedVideo video = DecodeFile(clip);
    EXPECT_THAT(video.formats, testing::Each(PixelFormat::kYuv420));
    const Bytes reference = ReferenceFrames(clip, "yuv420p10le");
    ASSERT_EQ(reference.size(), video.samples.size() * 2);
    for (size_t i = 0; i < video.samples.size(); ++i) {
      const int ten = reference[2 * i] | reference[2 * i + 1] << 8;
      ASSERT_NEAR(video.samples[i], std::min(ten / 4.0, 255.0), 1.0) << i;
    }
  }
}

TEST_F(Video, rgb_and_palette_videos_become_rgb) {
  for (const char* arguments :
       {"-c:v ffv1 -pix_fmt bgr0", "-c:v png -pix_fmt rgb24", "-c:v libx264rgb -crf 0 -pix_fmt rgb24"}) {
    SCOPED_TRACE(arguments);
    const path clip = Make("rgb.mkv", arguments, 3);
    const DecodedVideo video = DecodeFile(clip);
    ASSERT_TRUE(video.opened.ok()) << video.opened;
    EXPECT_THAT(video.formats, testing::Each(PixelFormat::kRgb24));
    EXPECT_TRUE(video.samples == ReferenceFrames(clip, "rgb24"));
  }
}

TEST_F(Video, colour_matrix_is_as_said_or_by_height) {
  const std::string x264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p ";
  EXPECT_EQ(DecodeFile(Make("a.mp4", x264, 2)).matrix, ColorMatrix::kBt601);
  EXPECT_EQ(DecodeFile(Make("b.mp4", x264, 2, "1280x720")).matrix, ColorMatrix::kBt709);
  EXPECT_EQ(DecodeFile(Make("c.mp4", x264 + "-colorspace bt709", 2)).matrix, ColorMatrix::kBt709);
  EXPECT_EQ(DecodeFile(Make("d.mp4", x264 + "-colorspace bt2020nc", 2)).matrix, ColorMatrix::kBt2020);
  EXPECT_EQ(DecodeFile(Make("e.mp4", x264 + "-colorspace smpte170m", 2, "1280x720")).matrix,
            ColorMatrix::kBt601);
  EXPECT_EQ(DecodeFile(Make("f.mp4", x264 + "-color_range pc", 2)).range, ColorRange::kFull);
}

TEST_F(Video, a_matrix_that_no_standard_knows_counts_as_601) {
  const path clip = Make("a.mkv", "-c:v ffv1 -pix_fmt yuv420p -colorspace bt709", 2);
  Bytes bytes = FileBytes(clip);
  const uint8_t matrix[] = {0x55, 0xB1, 0x81, 0x01};  // Matroska's MatrixCoefficients, one byte: bt709
  const auto found = std::search(bytes.begin(), bytes.end(), std::begin(matrix), std::end(matrix));
  ASSERT_NE(found, bytes.end());
  EXPECT_EQ(DecodeFile(clip).matrix, ColorMatrix::kBt709);
  found[3] = 0xF3;
  const DecodedVideo video = DecodeAll(ingest::VideoDemuxer::OpenBytes(bytes, {}));
  EXPECT_EQ(video.times.size(), 2u);
  EXPECT_EQ(video.matrix, ColorMatrix::kBt601);
}

TEST_F(Video, rotation_is_applied_as_ffmpeg_does) {
  const path clip = Make("a.mp4", "-c:v libx264 -pix_fmt yuv420p", 5, "176x142");
  const path planar = Make("b.mov", "-c:v libx264 -pix_fmt yuv444p", 5, "176x142");
  for (const int degrees : {90, 180, 270}) {
    for (const path& from : {clip, planar}) {
      SCOPED_TRACE(fmt::format("{} {}", degrees, from.string()));
      const path turned = folder_.path() / fmt::format("turned{}{}", degrees, from.extension().string());
      Shell(fmt::format("ffmpeg -v error -y -i '{}' -c copy -metadata:s:v:0 rotate={} '{}'", from.string(),
                        degrees, turned.string()));
      const DecodedVideo video = DecodeFile(turned);
      EXPECT_NE(video.track.rotation, 0);
      EXPECT_THAT(video.sizes, testing::Each(degrees == 180 ? Size{176, 142} : Size{142, 176}));
      EXPECT_TRUE(video.samples == ReferenceFrames(turned, from == clip ? "yuv420p" : "yuv444p"));
    }
  }
}

TEST_F(Video, frame_size_may_change_on_the_way) {
  const path small = Make("a.ts", "-c:v libx264 -pix_fmt yuv420p", 5);
  const path large = Make("b.ts", "-c:v libx264 -pix_fmt yuv420p", 5, "320x240");
  Bytes both = FileBytes(small);
  const Bytes second = FileBytes(large);
  both.insert(both.end(), second.begin(), second.end());
  WriteBytes(folder_.path() / "c.ts", both);
  const DecodedVideo video = DecodeFile(folder_.path() / "c.ts");
  ASSERT_EQ(video.sizes.size(), 10u);
  EXPECT_EQ(video.sizes.front(), (Size{176, 144}));
  EXPECT_EQ(video.sizes.back(), (Size{320, 240}));
}

TEST_F(Video, the_real_track_is_chosen_over_a_cover_picture) {
  const path cover = Make("cover.png", "-update 1", 1, "640x480");
  const path sound = folder_.path() / "sound.mp4";
  Shell(fmt::format(
      "ffmpeg -v error -y -f lavfi -i sine=d=1 -i '{}' -f lavfi -i testsrc2=s=176x144:r=25:d=1 -map 0 -map "
      "1 -map 2 -c:a aac -c:v:0 png -c:v:1 libx264 -pix_fmt:v:1 yuv420p -disposition:v:0 attached_pic '{}'",
      cover.string(), sound.string()));
  const DecodedVideo video = DecodeFile(sound);
  ASSERT_TRUE(video.opened.ok()) << video.opened;
  EXPECT_EQ(video.times.size(), 25u);
  EXPECT_EQ(video.sizes.front(), (Size{176, 144}));
}

TEST_F(Video, frames_outlive_the_decoder) {
  const path clip = Make("a.mp4", "-c:v libx264 -pix_fmt yuv420p", 5);
  std::vector<FramePtr> frames;
  {
    auto demuxer = ingest::VideoDemuxer::Open(FileInput(clip), {});
    ASSERT_TRUE(demuxer.ok());
    auto decoder = decode::VideoDecoder::Create((*demuxer)->track(), {});
    ASSERT_TRUE(decoder.ok());
    for (auto packet = (*demuxer)->Read(); packet.ok(); packet = (*demuxer)->Read()) {
      ASSERT_TRUE((*decoder)->Send(*packet).ok());
    }
    ASSERT_TRUE((*decoder)->Send(nullptr).ok());  // what waits inside comes all the same
    for (auto frame = (*decoder)->Receive(); frame.ok(); frame = (*decoder)->Receive())
      frames.push_back(*frame);
  }
  DecodedVideo video;
  for (const FramePtr& frame : frames) AppendFrame(*frame, &video);
  EXPECT_TRUE(video.samples == ReferenceFrames(clip, "yuv420p"));
}

TEST_F(Video, limits_hold) {
  const path clip = Make("a.mp4", "-c:v libx264 -pix_fmt yuv420p", 10);
  MediaLimits limits;
  limits.pixels_max = 100 * 100;
  EXPECT_EQ(DecodeFile(clip, limits).opened.code(), StatusCode::kResourceExhausted);
  limits = {};
  limits.video_frames_max = 4;
  const DecodedVideo video = DecodeFile(clip, limits);
  EXPECT_EQ(video.times.size(), 4u);
  EXPECT_EQ(video.end.code(), StatusCode::kResourceExhausted);
}

TEST_F(Video, what_is_no_video_is_said_in_words) {
  const auto error = [&](const std::string& name, const std::string& content) {
    EXPECT_TRUE(WriteFileAtomically(folder_.path() / name, content).ok());
    return DecodeFile(folder_.path() / name).opened;
  };
  EXPECT_EQ(error("empty.mp4", "").code(), StatusCode::kDataLoss);
  EXPECT_EQ(error("text.mp4", "Dear Sir or Madam,\n").code(), StatusCode::kDataLoss);
  EXPECT_EQ(DecodeFile(folder_.path() / "missing.mp4").opened.code(), StatusCode::kNotFound);
  EXPECT_EQ(DecodeFile(folder_.path()).opened.code(), StatusCode::kInvalidArgument);
  Shell(fmt::format("ffmpeg -v error -f lavfi -i sine=d=1 -c:a aac {0}/sound.m4a", folder_.path().string()));
  EXPECT_THAT(DecodeFile(folder_.path() / "sound.m4a").opened.ToString(),
              testing::HasSubstr("no video track"));
  const Bytes whole = FileBytes(Make("a.mp4", "-c:v libx264 -pix_fmt yuv420p"));  // its index comes last
  WriteBytes(folder_.path() / "cut.mp4", absl::MakeSpan(whole).subspan(0, whole.size() / 2));
  EXPECT_THAT(DecodeFile(folder_.path() / "cut.mp4").opened.ToString(),
              testing::HasSubstr("cut.mp4: moov atom not found (truncated MP4?)"));
}

TEST_F(Video, truncated_files_give_their_first_frames_and_an_error) {
  for (const auto& [name, arguments] :
       {std::pair{"a.mp4", "-c:v libx264 -pix_fmt yuv420p -movflags +faststart"},
        std::pair{"a.mkv", "-c:v libx264 -pix_fmt yuv420p"},
        std::pair{"a.webm", "-c:v libvpx -pix_fmt yuv420p -deadline realtime"},
        std::pair{"a.avi", "-c:v mpeg4"}}) {
    const path clip = Make(name, arguments);
    const Bytes whole = FileBytes(clip);
    const DecodedVideo all = DecodeFile(clip);
    int with_frames = 0;
    for (int part = 0; part < 40; ++part) {
      const size_t size = whole.size() * static_cast<size_t>(part) / 40;
      SCOPED_TRACE(fmt::format("{} cut at {} of {}", name, size, whole.size()));
      // The index and the end of containers may be lost without harm to the video.
      const DecodedVideo cut =
          DecodeAll(ingest::VideoDemuxer::OpenBytes(absl::MakeSpan(whole).subspan(0, size), {}));
      ASSERT_LE(cut.times.size(), all.times.size());
      if (cut.times.size() < all.times.size()) {
        EXPECT_TRUE(!cut.opened.ok() || !cut.end.ok() || cut.damaged > 0);
      }
      if (cut.times.empty()) continue;
      ++with_frames;
      // What is given is whole: each frame is the one of its time. (Of those that are shown early, some may
      // be stored late.)
      for (size_t i = 0; i < cut.times.size(); ++i) {
        const auto same = std::find(all.times.begin(), all.times.end(), cut.times[i]);
        ASSERT_NE(same, all.times.end()) << cut.times[i];
        const size_t bytes = all.offsets[1];
        const auto expected =
            all.samples.begin() + (same - all.times.begin()) * static_cast<ptrdiff_t>(bytes);
        EXPECT_TRUE(std::equal(expected, expected + static_cast<ptrdiff_t>(bytes),
                               cut.samples.begin() + static_cast<ptrdiff_t>(cut.offsets[i])))
            << "frame at " << cut.times[i];
      }
    }
    EXPECT_GT(with_frames, 15) << name;
  }
}

TEST_F(Video, damaged_files_never_crash_and_never_grow) {
  for (const auto& [name, arguments] :
       {std::pair{"a.mp4", "-c:v libx264 -pix_fmt yuv420p -movflags +faststart"},
        std::pair{"b.mp4", "-c:v libx265 -pix_fmt yuv420p -x265-params log-level=error"},
        std::pair{"a.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"},
        std::pair{"a.avi", "-c:v mjpeg"}, std::pair{"a.ts", "-c:v mpeg2video"}}) {
    const Bytes whole = FileBytes(Make(name, arguments, 10));
    for (unsigned seed = 0; seed < 40; ++seed) {
      SCOPED_TRACE(fmt::format("{} seed {}", name, seed));
      std::mt19937 random(seed);
      Bytes damaged = whole;
      const size_t from = seed % 2 == 0 ? 0 : whole.size() / 3;  // also where headers are left alone
      for (int i = 0; i < 20; ++i)
        damaged[from + random() % (damaged.size() - from)] = static_cast<uint8_t>(random());
      const DecodedVideo video = DecodeAll(ingest::VideoDemuxer::OpenBytes(damaged, {}), {}, false);
      EXPECT_LE(video.times.size(), 200u);
    }
  }
}

}  // namespace
}  // namespace sightline
