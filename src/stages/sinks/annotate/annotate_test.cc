#include "stages/sinks/annotate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csetjmp>
#include <cstdio>
#include <set>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/log.h>
}
#include <jpeglib.h>

#include "absl/cleanup/cleanup.h"
#include "base/file.h"
#include "stages/sinks/annotate/canvas.h"
#include "stages/sinks/annotate/label_layout.h"
#include "stages/sinks/annotate/output_names.h"
#include "stages/sinks/annotate/palette.h"

// Fontconfig keeps what it has read until the process ends.
extern "C" const char* __lsan_default_suppressions();  // NOLINT: the leak checker's name
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig"; }  // NOLINT

namespace sightline::sinks {
namespace {

constexpr Color kBlack, kWhite{1, 1, 1};

struct Decoded {
  Size size;
  std::vector<uint8_t> rgb;
  std::array<int, 3> at(int x, int y) const {
    const size_t i = 3 * (static_cast<size_t>(y) * static_cast<size_t>(size.width) + static_cast<size_t>(x));
    return {rgb[i], rgb[i + 1], rgb[i + 2]};
  }
};

Decoded DecodeJpeg(const std::filesystem::path& path) {
  Bytes bytes;
  EXPECT_TRUE(ReadFile(path, 1 << 30, &bytes).ok());
  jpeg_decompress_struct decoder{};
  jpeg_error_mgr errors{};
  decoder.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&decoder);
  jpeg_mem_src(&decoder, bytes.data(), bytes.size());
  jpeg_read_header(&decoder, TRUE);
  decoder.out_color_space = JCS_RGB;
  jpeg_start_decompress(&decoder);
  Decoded decoded{{static_cast<int>(decoder.output_width), static_cast<int>(decoder.output_height)}, {}};
  decoded.rgb.resize(size_t{3} * decoder.output_width * decoder.output_height);
  while (decoder.output_scanline < decoder.output_height) {
    JSAMPROW row = decoded.rgb.data() + size_t{3} * decoder.output_width * decoder.output_scanline;
    jpeg_read_scanlines(&decoder, &row, 1);
  }
  jpeg_finish_decompress(&decoder);
  jpeg_destroy_decompress(&decoder);
  return decoded;
}

// A picture of one colour. The YCbCr values of red are those of BT.601 full range (76, 85, 255).
Frame RedFrame(PixelFormat format, Size size) {
  Frame frame;
  frame.Allocate(format, size);
  const uint8_t yuv[3] = {76, 85, 255};
  for (int i = 0; i < PlaneCount(format); ++i) {
    const Size plane = PlaneSize(format, size, i);
    for (int y = 0; y < plane.height; ++y) {
      uint8_t* row =
          frame.mutable_plane(i) + static_cast<ptrdiff_t>(y) * frame.planes[static_cast<size_t>(i)].stride;
      for (int x = 0; x < plane.width; ++x) {
        row[x] = yuv[i];
        if (format == PixelFormat::kNv12 && i == 1) row[x] = yuv[1 + x % 2];
        if (format == PixelFormat::kRgb24) row[x] = x % 3 == 0 ? 255 : 0;
      }
    }
  }
  return frame;
}

Frame GrayFrame(Size size, uint8_t value) {
  Frame frame;
  frame.Allocate(PixelFormat::kGray8, size);
  for (int y = 0; y < size.height; ++y) {
    std::memset(frame.mutable_plane(0) + static_cast<ptrdiff_t>(y) * frame.planes[0].stride, value,
                static_cast<size_t>(size.width));
  }
  return frame;
}

class AnnotateTest : public ::testing::Test {
 protected:
  AnnotateTest() { av_log_set_level(AV_LOG_QUIET); }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(out_))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  const TemporaryFolder folder_ = *TemporaryFolder::Create();
  const std::filesystem::path out_ = folder_.path() / "out";
  std::unique_ptr<Annotator> annotator_ = *Annotator::Create(out_);
};

TEST_F(AnnotateTest, every_pixel_format_keeps_its_colour) {
  for (const auto format : {PixelFormat::kRgb24, PixelFormat::kYuv420, PixelFormat::kYuv422,
                            PixelFormat::kYuv444, PixelFormat::kNv12}) {
    for (const Size size : {Size{640, 480}, Size{641, 361}}) {
      Canvas canvas;
      ASSERT_TRUE(canvas.Load(RedFrame(format, size)).ok());
      ASSERT_EQ(canvas.size(), size);
      for (const auto& [x, y] : {std::pair{0, 0}, {size.width - 1, size.height - 1}, {size.width / 2, 3}}) {
        const uint8_t* pixel = canvas.pixels() + static_cast<ptrdiff_t>(y) * canvas.stride() + 4 * x;
        EXPECT_NEAR(pixel[0], 0, 3) << Name(format);
        EXPECT_NEAR(pixel[1], 0, 3) << Name(format);
        EXPECT_NEAR(pixel[2], 254, 3) << Name(format);
      }
    }
  }
}

TEST_F(AnnotateTest, limited_range_is_stretched) {
  Frame frame = GrayFrame({400, 400}, 235);
  frame.range = ColorRange::kLimited;
  Canvas canvas;
  ASSERT_TRUE(canvas.Load(frame).ok());
  EXPECT_GE(canvas.pixels()[0], 253);
}

TEST_F(AnnotateTest, box_is_drawn_in_its_colour_with_a_dark_edge_and_the_rest_is_untouched) {
  Detection detection;
  detection.box = {200, 200, 500, 400};
  ASSERT_TRUE(
      annotator_->WritePicture("a.png", 0, GrayFrame({800, 600}, 200), {{&detection, "thing 0.9", 3}}).ok());
  const Decoded picture = DecodeJpeg(out_ / "a.jpg");
  ASSERT_EQ(picture.size, (Size{800, 600}));
  const Color color = ColorOf(3);
  const auto edge = picture.at(200, 300);
  EXPECT_NEAR(edge[0], color.red * 255, 30);
  EXPECT_NEAR(edge[2], color.blue * 255, 30);
  int darkest = 255;
  for (int x = 195; x < 206; ++x) darkest = std::min(darkest, picture.at(x, 300)[1]);
  EXPECT_LT(darkest, 160);
  for (const auto& [x, y] : {std::pair{350, 300}, {100, 300}, {600, 450}, {350, 500}}) {
    for (const int sample : picture.at(x, y)) EXPECT_NEAR(sample, 200, 4) << x << "," << y;
  }
}

TEST_F(AnnotateTest, mask_fills_its_pixels_only) {
  Detection detection;
  detection.box = {100, 100, 300, 300};
  // Left half of the box.
  auto mask = std::make_shared<Mask>();
  mask->area = detection.box;
  for (int y = 0; y < 200; ++y) {
    mask->runs.push_back(y == 0 ? 0 : 100);
    mask->runs.push_back(100);
  }
  mask->runs.push_back(100);
  detection.mask = mask;
  ASSERT_TRUE(annotator_->WritePicture("m", 0, GrayFrame({600, 600}, 100), {{&detection, "", 0}}).ok());
  const Decoded picture = DecodeJpeg(out_ / "m.jpg");
  const Color color = ColorOf(0);
  EXPECT_NEAR(picture.at(150, 200)[0], 100 + (color.red * 255 - 100) * 0.38, 12);
  EXPECT_NEAR(picture.at(250, 200)[0], 100, 5);
}

TEST_F(AnnotateTest, nothing_that_marks_hold_can_break_it) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kHuge = std::numeric_limits<float>::max();
  std::vector<Detection> detections(6);
  detections[0].box = {kNan, 0, 10, kNan};
  detections[1].box = {-kHuge, -kHuge, kHuge, kHuge};
  detections[2].box = {50, 50, 50, 50};
  detections[3].box = {90, 90, 10, 10};
  detections[3].keypoints = {{kNan, 1, 1}, {kHuge, -kHuge, kNan}, {5, 5, kHuge}};
  detections[4].mask = std::make_shared<Mask>(Mask{{0, 0, 1e9f, 1e9f}, {1, 2, 3}});
  detections[5].mask = std::make_shared<Mask>(Mask{{-5, -5, 5, 5}, {50, 50}});
  std::vector<Mark> marks;
  for (size_t i = 0; i < detections.size(); ++i) {
    detections[i].track_id = static_cast<int64_t>(i);
    marks.push_back({&detections[i], "a\n\xFF\xE6\xBC\xA2" + std::string(500, 'w'), -7});
  }
  for (int i = 0; i < 50; ++i) marks.push_back({nullptr, "caption", 0});
  for (const Size size : {Size{1, 1}, Size{1, 700}, Size{100, 80}, Size{640, 480}}) {
    EXPECT_TRUE(annotator_->WritePicture("x", 0, GrayFrame(size, 0), marks).ok());
    const std::string video = std::to_string(size.width) + ".mp4";
    for (int i = 0; i < 3; ++i) {
      const absl::Status status = annotator_->WriteVideoFrame(video, GrayFrame(size, 0), marks);
      EXPECT_TRUE(status.ok()) << status;
    }
    EXPECT_TRUE(annotator_->FinishVideo(video).ok());
  }
}

TEST_F(AnnotateTest, small_pictures_are_enlarged_and_huge_ones_reduced) {
  const Frame small = GrayFrame({100, 80}, 0), huge = GrayFrame({40'000, 16}, 0);
  Canvas canvas;
  ASSERT_TRUE(canvas.Load(small).ok());
  EXPECT_EQ(canvas.size(), (Size{400, 320}));
  ASSERT_TRUE(canvas.Load(huge).ok());
  EXPECT_LE(canvas.size().width, 32'000);
}

TEST_F(AnnotateTest, names_are_safe_and_given_once) {
  const Frame frame = GrayFrame({8, 8}, 0);
  for (const char* source :
       {"a/cat.png", "b/cat.jpg", "c/CAT.webp", "../../etc/passwd", "..", "", "/", "x/..\\..\\y.png",
        "http://host/dir/p.jpg?size=1#top", ".hidden", "a:b*c.png", "\xFF.png"}) {
    ASSERT_TRUE(annotator_->WritePicture(source, 0, frame, {}).ok()) << source;
  }
  ASSERT_TRUE(annotator_->WritePicture("scan.tif", 0, frame, {}).ok());
  ASSERT_TRUE(annotator_->WritePicture("scan.tif", 1, frame, {}).ok());
  EXPECT_THAT(Files(), ::testing::UnorderedElementsAre("cat.jpg", "cat-2.jpg", "CAT-3.jpg", "passwd.jpg",
                                                       "picture.jpg", "picture-2.jpg", "picture-3.jpg",
                                                       "_.._y.jpg", "p.jpg", "hidden.jpg", "a_b_c.jpg",
                                                       "\xEF\xBF\xBD.jpg", "scan.jpg", "scan-p2.jpg"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1) << "written outside";
}

TEST_F(AnnotateTest, files_of_an_earlier_run_are_replaced_and_others_never) {
  const Frame frame = GrayFrame({8, 8}, 0);
  ASSERT_TRUE(annotator_->WritePicture("ours.png", 0, frame, {}).ok());
  ASSERT_TRUE(annotator_->WriteVideoFrame("film.avi", frame, {}).ok());
  ASSERT_TRUE(annotator_->FinishVideo("film.avi").ok());
  ASSERT_TRUE(WriteFileAtomically(out_ / "theirs.jpg", "a picture of the user's").ok());
  ASSERT_TRUE(WriteFileAtomically(out_ / "clip.mp4", "a video of the user's").ok());
  std::filesystem::create_symlink(out_ / "theirs.jpg", out_ / "link.jpg");
  auto again = *Annotator::Create(out_);
  for (const char* source : {"ours.png", "theirs.png", "link.png"}) {
    ASSERT_TRUE(again->WritePicture(source, 0, frame, {}).ok());
  }
  for (const char* source : {"film.avi", "clip.mkv"}) {
    ASSERT_TRUE(again->WriteVideoFrame(source, frame, {}).ok());
    ASSERT_TRUE(again->FinishVideo(source).ok());
  }
  EXPECT_EQ(*ReadTextFile(out_ / "theirs.jpg", 100), "a picture of the user's");
  EXPECT_EQ(*ReadTextFile(out_ / "clip.mp4", 100), "a video of the user's");
  EXPECT_THAT(Files(), ::testing::UnorderedElementsAre("ours.jpg", "film.mp4", "theirs.jpg", "theirs-2.jpg",
                                                       "link.jpg", "link-2.jpg", "clip.mp4", "clip-2.mp4"));
}

TEST_F(AnnotateTest, video_keeps_the_frames_times_and_appears_when_finished) {
  const std::vector<double> times = {0.5, 0.567, 0.667, 0.734, 2.0, 2.0, 1.0};
  for (const double time : times) {
    Frame frame = GrayFrame({641, 361}, 50);
    frame.time_s = time;
    ASSERT_TRUE(annotator_->WriteVideoFrame("street/walk.mov", frame, {}).ok());
  }
  EXPECT_FALSE(std::filesystem::exists(out_ / "walk.mp4"));
  ASSERT_TRUE(annotator_->FinishVideo("street/walk.mov").ok());
  EXPECT_THAT(Files(), ::testing::ElementsAre("walk.mp4"));

  AVFormatContext* file = nullptr;
  ASSERT_EQ(avformat_open_input(&file, (out_ / "walk.mp4").c_str(), nullptr, nullptr), 0);
  const auto close_file = absl::MakeCleanup([&] { avformat_close_input(&file); });
  ASSERT_EQ(file->nb_streams, 1u);
  EXPECT_EQ(file->streams[0]->codecpar->width, 642);
  EXPECT_EQ(file->streams[0]->codecpar->height, 362);
  std::vector<double> read;
  AVPacket* packet = av_packet_alloc();
  const auto free_packet = absl::MakeCleanup([&] { av_packet_free(&packet); });
  while (av_read_frame(file, packet) == 0) {
    read.push_back(static_cast<double>(packet->pts) * av_q2d(file->streams[0]->time_base));
    av_packet_unref(packet);
  }
  ASSERT_EQ(read.size(), times.size());
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(read[i], times[i], 1e-5);
  EXPECT_GT(read[5], read[4]);  // times that do not rise
  EXPECT_GT(read[6], read[5]);
  EXPECT_LT(read[6], 2.001);
}

TEST_F(AnnotateTest, video_that_is_not_finished_leaves_nothing) {
  ASSERT_TRUE(annotator_->WriteVideoFrame("a.mp4", GrayFrame({64, 64}, 9), {}).ok());
  annotator_.reset();
  EXPECT_TRUE(Files().empty());
}

TEST_F(AnnotateTest, folder_that_cannot_be_made_is_an_error) {
  ASSERT_TRUE(WriteFileAtomically(folder_.path() / "file", "x").ok());
  EXPECT_FALSE(Annotator::Create(folder_.path() / "file").ok());
  EXPECT_FALSE(Annotator::Create(folder_.path() / "file" / "below").ok());
}

TEST(LabelLayout, labels_stay_inside_and_do_not_cover_each_other) {
  const Size picture{640, 480};
  LabelLayout layout(picture);
  uint32_t random = 12345;
  const auto next = [&](int limit) {
    random = random * 1664525 + 1013904223;
    return static_cast<float>((random >> 8) % static_cast<uint32_t>(limit));
  };
  std::vector<Box> places;
  for (int i = 0; i < 400; ++i) {
    const float x = next(600), y = next(440);
    if (const auto place = layout.Place({x, y, x + next(200), y + next(200)}, 80, 16))
      places.push_back(*place);
  }
  EXPECT_GT(places.size(), 60u);
  for (size_t i = 0; i < places.size(); ++i) {
    EXPECT_GE(places[i].x1, 0);
    EXPECT_GE(places[i].y1, 0);
    EXPECT_LE(places[i].x2, 640);
    EXPECT_LE(places[i].y2, 480);
    for (size_t j = 0; j < i; ++j) EXPECT_LT(IntersectionOverUnion(places[i], places[j]), 0.12f);
  }
}

TEST(LabelLayout, goes_below_or_inside_at_the_upper_edge) {
  LabelLayout layout({640, 480});
  const Box place = *layout.Place({100, 2, 200, 100}, 80, 16);
  EXPECT_GE(place.y1, 0);
  EXPECT_TRUE(place.y1 == 2 || place.y1 == 100) << place.y1;
}

TEST(Palette, text_on_every_colour_has_contrast) {
  std::set<std::tuple<double, double, double>> seen;
  for (int key = 0; key < 20; ++key) {
    const Color color = ColorOf(key);
    const double luminance = Luminance(color);
    // WCAG 2.1: 4.5 to 1 for text.
    EXPECT_GE(std::max(1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05), 4.5) << key;
    seen.insert({color.red, color.green, color.blue});
  }
  EXPECT_EQ(seen.size(), 20u);
  EXPECT_DOUBLE_EQ(Luminance(kBlack), 0);
  EXPECT_NEAR(Luminance(kWhite), 1, 1e-9);
}

}  // namespace
}  // namespace sightline::sinks
