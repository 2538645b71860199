#include "stages/decode/picture_decoder.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "base/status.h"
#include "stages/decode/test_pictures.h"
#include "stages/decode/vips_library.h"

namespace sightline::decode {
namespace {

using testing::HasSubstr;

Bytes FromText(std::string_view text) { return Bytes(text.begin(), text.end()); }

absl::Status DecodeStatus(PictureDecoder& decoder, const Bytes& bytes) {
  const auto header = decoder.ReadHeader(bytes);
  if (!header.ok()) return header.status();
  return decoder.Decode(bytes, *header, {}).status();
}

// Where a GIF's image descriptors begin: a comma, the place (here 0..23), the size (at most 24 x 16), flags.
std::vector<size_t> GifDescriptors(const Bytes& gif) {
  std::vector<size_t> found;
  for (size_t at = 13; at + 10 < gif.size(); ++at) {
    const uint8_t* d = &gif[at];
    const bool small = d[1] < 24 && d[2] == 0 && d[3] < 16 && d[4] == 0 && d[5] <= 24 && d[6] == 0 &&
                       d[7] <= 16 && d[8] == 0;
    if (d[0] == ',' && small && (d[9] & 0x80) != 0) found.push_back(at);
  }
  return found;
}

struct FormatCase {
  std::string file;
  MediaFormat format;
  int pages;
  std::vector<std::string> expected;  // of page 0, 1, ...
  int tolerance = 0;
};

const std::vector<FormatCase>& FormatCases() {
  using enum MediaFormat;
  static const auto* cases = new std::vector<FormatCase>{
      {"rgb.png", kPng, 1, {"rgb"}},
      {"gray.png", kPng, 1, {"gray"}},
      {"rgba.png", kPng, 1, {"rgb_alpha"}},
      {"gray_alpha.png", kPng, 1, {"gray_alpha"}},
      {"bilevel.png", kPng, 1, {"bilevel"}},
      {"gray16.png", kPng, 1, {"gray16"}},
      {"rgb16.png", kPng, 1, {"rgb16"}},
      {"rgba16.png", kPng, 1, {"rgb16_alpha"}, 1},
      {"interlaced.png", kPng, 1, {"rgb"}},
      {"palette.png", kPng, 1, {"palette"}},
      {"palette_alpha.png", kPng, 1, {"palette_alpha"}},
      {"exif6.png", kPng, 1, {"rgb_turned"}},
      {"lossless.webp", kWebp, 1, {"rgb"}},
      {"lossy.webp", kWebp, 1, {"lossy"}},
      {"alpha.webp", kWebp, 1, {"rgb_alpha"}},
      {"animation.webp", kWebp, 3, {"rgb", "", "rgb_rolled"}},
      {"animation.gif", kGif, 3, {"gif0", "gif1", "gif2"}},
      {"pages.tif", kTiff, 3, {"rgb", "page1", "page2"}},
      {"lzw.tif", kTiff, 1, {"rgb"}},
      {"deflate.tif", kTiff, 1, {"rgb"}},
      {"tiled.tif", kTiff, 1, {"rgb"}},
      {"group4.tif", kTiff, 1, {"bilevel"}},
      {"gray16.tif", kTiff, 1, {"gray16"}},
      {"big_endian.tif", kTiff, 1, {"gray16"}},
      {"turned.tif", kTiff, 1, {"rgb_turned"}},
      {"cmyk.tif", kTiff, 1, {"cmyk"}, 1},
      {"float.tif", kTiff, 1, {"float"}, 1},
      {"rgb.bmp", kBmp, 1, {"rgb"}},
      {"gray.bmp", kBmp, 1, {"gray"}},
      {"bilevel.bmp", kBmp, 1, {"bilevel"}},
      {"top_down.bmp", kBmp, 1, {"rgb"}},
      {"rgb565.bmp", kBmp, 1, {"rgb565"}},
      {"rle8.bmp", kBmp, 1, {"rle8"}},
      {"icon.ico", kOtherPicture, 1, {"icon"}},
      {"lossless.jp2", kJpeg2000, 1, {"rgb"}},
      {"lossless.j2k", kJpeg2000, 1, {"rgb"}},
      {"gray16.jp2", kJpeg2000, 1, {"gray16"}},
      {"lossless.jxl", kJpegXl, 1, {"rgb"}},
      {"picture.avif", kAvif, 1, {"rgb"}, 24},
      {"picture.heic", kHeif, 1, {"rgb"}, 24},
      {"window.dcm", kDicom, 2, {"window0", "window1"}, 1},
      {"inverted.dcm", kDicom, 1, {"inverted"}, 2},
      {"rgb.dcm", kDicom, 1, {"rgb"}},
      {"bare.dcm", kDicom, 1, {"rgb"}},
      {"deflated.dcm", kDicom, 1, {"rgb"}},
      {"rle.dcm", kDicom, 1, {"rgb"}},
      {"jpeg.dcm", kDicom, 1, {"gray"}, 4},
      {"jpeg2000.dcm", kDicom, 2, {"spread"}, 1},
  };
  return *cases;
}

class EachFormat : public testing::TestWithParam<FormatCase> {};

TEST_P(EachFormat, decodes_to_what_an_independent_encoder_was_given) {
  const auto decoder = PictureDecoder::Create({});
  const Bytes bytes = TestPicture(GetParam().file);
  const auto header = decoder->ReadHeader(bytes);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->format, GetParam().format);
  EXPECT_EQ(header->pages, GetParam().pages);
  EXPECT_EQ(header->size, ExpectedPicture(GetParam().expected[0]).size);
  for (size_t page = 0; page < GetParam().expected.size(); ++page) {
    if (GetParam().expected[page].empty()) continue;
    const auto frame = decoder->Decode(bytes, *header, {static_cast<int64_t>(page), {}});
    ASSERT_TRUE(frame.ok()) << "page " << page << ": " << frame.status();
    EXPECT_EQ((*frame)->source_size, (*frame)->size);
    EXPECT_LE(MaxDifference(ToRgb(**frame), ExpectedPicture(GetParam().expected[page])), GetParam().tolerance)
        << "page " << page;
  }
  const auto beyond = decoder->Decode(bytes, *header, {GetParam().pages, {}});
  EXPECT_EQ(beyond.status().code(), absl::StatusCode::kOutOfRange) << beyond.status();
  EXPECT_EQ(decoder->Decode(bytes, *header, {-1, {}}).status().code(), absl::StatusCode::kOutOfRange);
}

// Cut at every byte of the first 64 and the last 16, and at every 11th between: an error that says something,
// or the whole picture. Never a crash, and never an error for a file that is only asked for twice.
TEST_P(EachFormat, cut_files_are_errors_or_complete) {
  const auto decoder = PictureDecoder::Create({});
  const Bytes bytes = TestPicture(GetParam().file);
  for (size_t size = 0; size < bytes.size(); ++size) {
    if (size > 64 && size + 16 < bytes.size() && size % 11 != 0) continue;
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    const auto header = decoder->ReadHeader(cut);
    if (!header.ok()) {
      EXPECT_FALSE(MessageOf(header.status()).empty());
      EXPECT_EQ(MessageOf(header.status()).find('\n'), std::string_view::npos);
      continue;
    }
    const auto frame = decoder->Decode(cut, *header, {});
    if (!frame.ok()) {
      EXPECT_THAT(frame.status().code(),
                  testing::AnyOf(absl::StatusCode::kDataLoss, absl::StatusCode::kUnimplemented))
          << frame.status();
      EXPECT_FALSE(MessageOf(frame.status()).empty());
    }
  }
  EXPECT_TRUE(DecodeStatus(*decoder, bytes).ok());
}

// One byte of the file replaced, at many places: anything but a crash.
TEST_P(EachFormat, survives_damage) {
  const auto decoder = PictureDecoder::Create({.pixels_max = 1 << 20, .side_max = 1 << 14, .pages_max = 16});
  const Bytes bytes = TestPicture(GetParam().file);
  const size_t step = std::max<size_t>(1, bytes.size() / 100);
  for (size_t at = 0; at < bytes.size(); at += step) {
    for (const int mask : {0xFF, 0x01, 0x80}) {
      Bytes damaged = bytes;
      damaged[at] ^= static_cast<uint8_t>(mask);
      const absl::Status status = DecodeStatus(*decoder, damaged);
      EXPECT_TRUE(status.ok() || !MessageOf(status).empty()) << "byte " << at;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, EachFormat, testing::ValuesIn(FormatCases()), [](const auto& test) {
  std::string name = test.param.file;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

TEST(PictureDecoder, portable_maps_of_every_kind) {
  const std::pair<std::string, std::vector<uint8_t>> cases[] = {
      {"P1\n# bits\n3 2\n1 0 1\n0 1 0\n", {0, 255, 0, 255, 0, 255}},
      {"P2\n3 2\n9\n0 9 0 9 0 9\n", {}},
      {"P5\n3 2\n255\n\x01\x02\x03\x04\x05\x06", {1, 2, 3, 4, 5, 6}},
      {std::string("P4\n3 2\n\xA0\x40"), {0, 255, 0, 255, 0, 255}},
  };
  const auto decoder = PictureDecoder::Create({});
  for (const auto& [text, samples] : cases) {
    const Bytes bytes = FromText(text);
    const auto header = decoder->ReadHeader(bytes);
    ASSERT_TRUE(header.ok()) << text << header.status();
    EXPECT_EQ(header->format, MediaFormat::kPnm);
    EXPECT_EQ(header->size, (Size{3, 2}));
    const auto frame = decoder->Decode(bytes, *header, {});
    ASSERT_TRUE(frame.ok()) << text << frame.status();
    const RgbPicture picture = ToRgb(**frame);
    for (size_t i = 0; i < samples.size(); ++i)
      EXPECT_EQ(picture.samples[3 * i], samples[i]) << text << " sample " << i;
  }
}

TEST(PictureDecoder, animation_frames_come_in_any_order) {
  const auto decoder = PictureDecoder::Create({});
  for (const std::string name : {"animation.gif", "pages.tif"}) {
    const Bytes bytes = TestPicture(name);
    const auto header = decoder->ReadHeader(bytes);
    ASSERT_TRUE(header.ok()) << header.status();
    std::vector<RgbPicture> in_order;
    for (int page = 0; page < 3; ++page)
      in_order.push_back(ToRgb(**decoder->Decode(bytes, *header, {page, {}})));
    for (const int page : {2, 0, 1, 1, 0, 2, 2}) {
      const auto frame = decoder->Decode(bytes, *header, {page, {}});
      ASSERT_TRUE(frame.ok()) << frame.status();
      EXPECT_EQ(MaxDifference(ToRgb(**frame), in_order[page]), 0) << name << " page " << page;
    }
  }
}

// The second file lies at the same address and has the same length.
TEST(PictureDecoder, does_not_mix_animations_up) {
  const auto decoder = PictureDecoder::Create({});
  Bytes bytes = TestPicture("animation.gif");
  const Bytes original = bytes;
  const auto header = decoder->ReadHeader(bytes);
  ASSERT_TRUE(header.ok());
  ASSERT_TRUE(decoder->Decode(bytes, *header, {0, {}}).ok());
  for (const size_t descriptor : GifDescriptors(bytes)) {
    for (size_t i = 0; i < 3 * 64; ++i) bytes[descriptor + 10 + i] ^= 0xFF;  // the frame's palette
  }
  const auto changed = decoder->Decode(bytes, *header, {1, {}});
  ASSERT_TRUE(changed.ok()) << changed.status();
  const auto unchanged = decoder->Decode(original, *header, {1, {}});
  ASSERT_TRUE(unchanged.ok()) << unchanged.status();
  EXPECT_GT(MaxDifference(ToRgb(**changed), ToRgb(**unchanged)), 50);
}

TEST(PictureDecoder, jpeg2000_is_decoded_at_the_size_that_suffices) {
  const auto decoder = PictureDecoder::Create({});
  const Bytes bytes = TestPicture("lossless.j2k");  // 24 x 16, three resolutions
  const auto header = decoder->ReadHeader(bytes);
  ASSERT_TRUE(header.ok());
  const std::pair<Size, Size> cases[] = {{{}, {24, 16}},     {{24, 16}, {24, 16}}, {{13, 4}, {24, 16}},
                                         {{12, 8}, {12, 8}}, {{7, 4}, {12, 8}},    {{6, 4}, {6, 4}},
                                         {{1, 1}, {6, 4}}};
  for (const auto& [need, size] : cases) {
    const auto frame = decoder->Decode(bytes, *header, {0, need});
    ASSERT_TRUE(frame.ok()) << frame.status();
    EXPECT_EQ((*frame)->size, size);
    EXPECT_EQ((*frame)->source_size, (Size{24, 16}));
  }
}

TEST(PictureDecoder, says_why_a_file_is_no_picture) {
  const auto decoder = PictureDecoder::Create({});
  const auto message = [&](std::string_view text) {
    const auto header = decoder->ReadHeader(FromText(text));
    return std::string(MessageOf(header.status()));
  };
  EXPECT_EQ(message(""), "file is empty");
  EXPECT_EQ(message("hello, this is a text\n"), "not a picture or video (looks like text)");
  EXPECT_EQ(message("%PDF-1.4 "), "not a picture or video (looks like PDF document)");
  EXPECT_EQ(message(std::string_view("\x1A\x45\xDF\xA3\x9F", 5)), "Matroska or WebM video, not a picture");
  EXPECT_EQ(message(std::string_view("\x76\x2F\x31\x01\x02\0", 6)),
            "OpenEXR picture: this kind is not supported");
  const absl::Status cut = DecodeStatus(*decoder, FromText("P6\n1000 1000 255\n"));
  EXPECT_THAT(std::string(MessageOf(cut)), HasSubstr("damaged PNM file"));
  const absl::Status video = DecodeStatus(*decoder, TestPicture("video.dcm"));
  EXPECT_EQ(video.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(MessageOf(video)), HasSubstr("1.2.840.10008.1.2.4.102"));
}

TEST(PictureDecoder, limits_are_checked_before_decoding) {
  for (const FormatCase& c : FormatCases()) {
    const Bytes bytes = TestPicture(c.file);
    for (const MediaLimits& limits :
         {MediaLimits{.pixels_max = 100}, MediaLimits{.side_max = 15}, MediaLimits{.bytes_max = 40}}) {
      const auto header = PictureDecoder::Create(limits)->ReadHeader(bytes);
      EXPECT_EQ(header.status().code(), absl::StatusCode::kResourceExhausted)
          << c.file << ": " << header.status();
      EXPECT_THAT(std::string(MessageOf(header.status())), HasSubstr("_max (")) << c.file;
    }
    if (c.pages == 1) continue;
    const auto header = PictureDecoder::Create({.pages_max = 1})->ReadHeader(bytes);
    EXPECT_EQ(header.status().code(), absl::StatusCode::kResourceExhausted)
        << c.file << ": " << header.status();
  }
}

// Headers that promise a gigapixel and more, with nothing behind them.
TEST(PictureDecoder, refuses_gigapixel_headers) {
  const auto decoder = PictureDecoder::Create({});
  const auto with = [](std::string name, std::vector<std::pair<size_t, std::string>> changes) {
    Bytes bytes = TestPicture(name);
    for (const auto& [at, text] : changes)
      std::copy(text.begin(), text.end(), bytes.begin() + static_cast<ptrdiff_t>(at));
    return bytes;
  };
  using namespace std::literals;
  const std::pair<const char*, Bytes> cases[] = {
      {"bmp", with("rgb.bmp", {{18, "\0\x80\0\0\0\x80\0\0"s}})},
      {"j2k", with("lossless.j2k", {{8, "\0\0\x80\0\0\0\x80\0"s}, {24, "\0\0\x80\0\0\0\x80\0"s}})},
      {"pnm", FromText("P6\n40000 40000\n255\n")},
  };
  for (const auto& [name, bytes] : cases) {
    const absl::Status status = DecodeStatus(*decoder, bytes);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << name << ": " << status;
  }
}

TEST(PictureDecoder, refuses_huge_headers_of_other_formats) {
  const auto decoder = PictureDecoder::Create({});
  for (const std::string name : {"huge.png", "huge.tif", "huge.dcm"}) {
    const auto header = decoder->ReadHeader(TestPicture(name));
    EXPECT_EQ(header.status().code(), absl::StatusCode::kResourceExhausted)
        << name << ": " << header.status();
    EXPECT_THAT(std::string(MessageOf(header.status())), HasSubstr("0000 pixels: more than")) << name;
  }
  const auto short_file = decoder->ReadHeader(TestPicture("short.png"));
  EXPECT_EQ(short_file.status().code(), absl::StatusCode::kDataLoss) << short_file.status();
}

TEST(PictureDecoder, webp_at_half_size_is_an_average) {
  const auto decoder = PictureDecoder::Create({});
  const Bytes bytes = TestPicture("lossless.webp");
  const auto header = decoder->ReadHeader(bytes);
  ASSERT_TRUE(header.ok());
  const auto frame = decoder->Decode(bytes, *header, {0, {12, 8}});
  ASSERT_TRUE(frame.ok()) << frame.status();
  EXPECT_EQ((*frame)->source_size, (Size{24, 16}));
  const RgbPicture full = ExpectedPicture("rgb");
  RgbPicture half{{12, 8}, {}};
  for (int i = 0; i < 12 * 8 * 3; ++i) {
    const int at = (i / 36) * 2 * 72 + (i % 36 / 3) * 6 + i % 3;
    half.samples.push_back(static_cast<uint8_t>(
        (full.samples[at] + full.samples[at + 3] + full.samples[at + 72] + full.samples[at + 75] + 2) / 4));
  }
  EXPECT_LE(MaxDifference(ToRgb(**frame), half), 2);
}

TEST(PictureDecoder, decoders_in_other_threads_do_not_disturb) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t, &wrong] {
      const auto decoder = PictureDecoder::Create({});
      for (size_t i = 0; i < FormatCases().size(); ++i) {
        const FormatCase& c = FormatCases()[(i + t * 11) % FormatCases().size()];
        const Bytes bytes = TestPicture(c.file);
        const auto header = decoder->ReadHeader(bytes);
        const auto frame = header.ok() ? decoder->Decode(bytes, *header, {}) : header.status();
        if (!frame.ok() || MaxDifference(ToRgb(**frame), ExpectedPicture(c.expected[0])) > c.tolerance)
          ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(VipsLibrary, messages_become_one_line) {
  EXPECT_EQ(OneLine("pngload_buffer: libspng read error\nVipsPng: bad\n\nVipsPng: bad\n"),
            "libspng read error; bad");
  EXPECT_EQ(OneLine("no domain here\n"), "no domain here");
  EXPECT_EQ(OneLine(""), "");
  EXPECT_LE(OneLine(std::string(5000, 'x')).size(), 250u);
  EXPECT_EQ(OneLine("a: \xFF"), "\xEF\xBF\xBD");
}

}  // namespace
}  // namespace sightline::decode
