#include "stages/decode/jpeg_decoder.h"

#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <sstream>

#include "base/status.h"
#include "base/test_assets.h"
#include "base/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hwy/base.h"
#include "stages/decode/jpeg/baseline.h"
#include "stages/decode/jpeg/head.h"
#include "stages/decode/jpeg/test_encoder.h"
#include "stages/decode/jpeg/turbo.h"

namespace sightline::decode {
namespace {

using jpeg::Content;
using jpeg::EncodeTestPicture;
using jpeg::TestPicture;
using Bytes = std::vector<uint8_t>;

int At(const Frame& frame, int plane, int x, int y) {
  const Plane& p = frame.planes[static_cast<size_t>(plane)];
  return p.data[static_cast<ptrdiff_t>(y) * p.stride + x];
}

struct Difference {
  int max = 0;
  double mean = 0;
};

Difference Compare(const Frame& a, const Frame& b, int plane) {
  const Size size = PlaneSize(a.format, a.size, plane);
  EXPECT_EQ(size, PlaneSize(b.format, b.size, plane));
  Difference difference;
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const int d = std::abs(At(a, plane, x, y) - At(b, plane, x, y));
      difference.max = std::max(difference.max, d);
      difference.mean += d;
    }
  }
  difference.mean /= static_cast<double>(size.width) * size.height;
  return difference;
}

bool SameSamples(const Frame& a, const Frame& b) {
  if (a.format != b.format || a.size != b.size) return false;
  for (int plane = 0; plane < PlaneCount(a.format); ++plane) {
    if (Compare(a, b, plane).max != 0) return false;
  }
  return true;
}

// The average of 2^k x 2^k samples, over what of them lies in the picture.
double BlockAverage(const Frame& frame, int plane, int x, int y, int scale_log2) {
  const Size size = PlaneSize(frame.format, frame.size, plane);
  double sum = 0;
  int count = 0;
  for (int v = y << scale_log2; v < std::min((y + 1) << scale_log2, size.height); ++v) {
    for (int u = x << scale_log2; u < std::min((x + 1) << scale_log2, size.width); ++u, ++count) {
      sum += At(frame, plane, u, v);
    }
  }
  return sum / count;
}

absl::StatusOr<FramePtr> DecodeWith(PictureDecoder& decoder, const Bytes& bytes, Size need = {}) {
  const absl::StatusOr<PictureHeader> header = decoder.ReadHeader(bytes);
  if (!header.ok()) return header.status();
  return decoder.Decode(bytes, *header, {.page = 0, .need = need});
}

absl::StatusOr<FramePtr> DecodeOnce(const Bytes& bytes, Size need = {}) {
  return DecodeWith(*CreateJpegDecoder(MediaLimits()), bytes, need);
}

// Null where the fast path leaves the file to libjpeg-turbo.
std::unique_ptr<Frame> FastDecode(const Bytes& bytes, int scale_log2) {
  jpeg::Head head;
  auto frame = std::make_unique<Frame>();
  jpeg::BaselineDecoder decoder;
  if (!jpeg::ParseHead(bytes, &head) || !jpeg::IsPlain(head)) return nullptr;
  return decoder.Decode(bytes, head, scale_log2, frame.get()) ? std::move(frame) : nullptr;
}

std::unique_ptr<Frame> SlowDecode(const Bytes& bytes, int scale_log2) {
  auto frame = std::make_unique<Frame>();
  return jpeg::TurboDecoder(MediaLimits()).Decode(bytes, scale_log2, frame.get()).ok() ? std::move(frame)
                                                                                       : nullptr;
}

Bytes ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

// Sizes around block and MCU borders; samplings grey (0), 4:4:4, 4:2:2, 4:2:0; with and without restarts.
std::vector<TestPicture> PlainPictures() {
  std::vector<TestPicture> pictures;
  const std::vector<Size> sizes = {{1, 1},   {7, 9},   {8, 8},   {9, 16},  {16, 15},
                                   {17, 33}, {31, 64}, {65, 48}, {130, 71}};
  uint32_t seed = 1;
  for (const Size size : sizes) {
    for (int sampling = 0; sampling < 4; ++sampling) {
      for (const int quality : {1, 30, 75, 100}) {
        for (const Content content : {Content::kNoise, Content::kSmooth, Content::kFlat}) {
          TestPicture picture{
              .width = size.width, .height = size.height, .quality = quality, .content = content};
          picture.components = sampling == 0 ? 1 : 3;
          picture.luma_h = sampling >= 2 ? 2 : 1;
          picture.luma_v = sampling == 3 ? 2 : 1;
          picture.seed = seed++;
          picture.restart_interval = static_cast<int>(seed % 5);
          picture.optimize = seed % 3 == 0;
          pictures.push_back(picture);
        }
      }
    }
  }
  return pictures;
}

std::string Describe(const TestPicture& p) {
  return fmt::format("{}x{} components {} sampling {}x{} quality {} restart {} optimize {} content {}",
                     p.width, p.height, p.components, p.luma_h, p.luma_v, p.quality, p.restart_interval,
                     p.optimize, static_cast<int>(p.content));
}

TEST(JpegDecoder, fast_path_gives_exactly_the_samples_of_libjpeg_turbo) {
  for (const TestPicture& picture : PlainPictures()) {
    SCOPED_TRACE(Describe(picture));
    const Bytes bytes = EncodeTestPicture(picture);
    const auto fast = FastDecode(bytes, 0), slow = SlowDecode(bytes, 0);
    ASSERT_NE(fast, nullptr);
    ASSERT_NE(slow, nullptr);
    ASSERT_TRUE(SameSamples(*fast, *slow));
  }
}

TEST(JpegDecoder, eighth_is_exactly_the_luma_of_libjpeg_turbo_and_the_average_of_chroma) {
  for (const TestPicture& picture : PlainPictures()) {
    SCOPED_TRACE(Describe(picture));
    const Bytes bytes = EncodeTestPicture(picture);
    const auto fast = FastDecode(bytes, 3), slow = SlowDecode(bytes, 3), full = SlowDecode(bytes, 0);
    ASSERT_NE(fast, nullptr);
    ASSERT_EQ(fast->size, slow->size);
    ASSERT_EQ(Compare(*fast, *slow, 0).max, 0);
    if (picture.content == Content::kNoise) continue;  // clamped samples have another average
    for (int plane = 1; plane < PlaneCount(fast->format); ++plane) {
      const Size size = PlaneSize(full->format, full->size, plane);
      for (int y = 0; y < size.height / 8; ++y) {
        for (int x = 0; x < size.width / 8; ++x) {
          ASSERT_NEAR(At(*fast, plane, x, y), BlockAverage(*full, plane, x, y, 3), 1.5);
        }
      }
    }
  }
}

TEST(JpegDecoder, half_and_quarter_are_near_the_average_of_the_full_samples) {
  for (TestPicture picture : PlainPictures()) {
    if (picture.content == Content::kNoise || picture.quality < 75) continue;
    SCOPED_TRACE(Describe(picture));
    const Bytes bytes = EncodeTestPicture(picture);
    const auto full = SlowDecode(bytes, 0);
    for (const int scale_log2 : {1, 2}) {
      const auto fast = FastDecode(bytes, scale_log2);
      ASSERT_NE(fast, nullptr);
      for (int plane = 0; plane < PlaneCount(fast->format); ++plane) {
        const Size size = PlaneSize(full->format, full->size, plane);
        double sum = 0;
        int count = 0;
        for (int y = 0; y < size.height >> scale_log2; ++y) {
          for (int x = 0; x < size.width >> scale_log2; ++x, ++count) {
            const double error =
                std::abs(At(*fast, plane, x, y) - BlockAverage(*full, plane, x, y, scale_log2));
            sum += error;
            // The gradients wrap from 255 to 0: an edge, whose high frequencies are left out on purpose.
            EXPECT_LE(error, picture.content == Content::kFlat ? 1.0 : 48.0)
                << plane << ": " << x << ", " << y;
          }
        }
        EXPECT_LE(sum, 1.5 * count);
      }
    }
  }
}

TEST(JpegDecoder, picks_the_smallest_scale_that_is_enough) {
  const Bytes bytes = EncodeTestPicture({.width = 101, .height = 67, .luma_h = 2, .luma_v = 2});
  const std::vector<std::pair<Size, Size>> cases = {
      {{}, {101, 67}},      {{101, 67}, {101, 67}}, {{52, 1}, {101, 67}},
      {{51, 34}, {51, 34}}, {{26, 17}, {26, 17}},   {{26, 18}, {51, 34}},
      {{13, 9}, {13, 9}},   {{1, 1}, {13, 9}},      {{500, 1}, {101, 67}}};
  for (const auto& [need, expected] : cases) {
    const auto frame = DecodeOnce(bytes, need);
    ASSERT_TRUE(frame.ok()) << frame.status();
    EXPECT_EQ((*frame)->size, expected) << need.width;
    EXPECT_EQ((*frame)->source_size, (Size{101, 67}));
    EXPECT_EQ((*frame)->matrix, ColorMatrix::kBt601);
    EXPECT_EQ((*frame)->range, ColorRange::kFull);
  }
}

// Where sample (x, y) of the displayed picture lies in the stored one of `size`; EXIF 2.32, 4.6.4
// Orientation.
std::pair<int, int> Stored(int orientation, Size size, int x, int y) {
  const int right = size.width - 1, bottom = size.height - 1;
  switch (orientation) {
    case 2:
      return {right - x, y};
    case 3:
      return {right - x, bottom - y};
    case 4:
      return {x, bottom - y};
    case 5:
      return {y, x};
    case 6:
      return {y, bottom - x};
    case 7:
      return {right - y, bottom - x};
    case 8:
      return {right - y, x};
    default:
      return {x, y};
  }
}

TEST(JpegDecoder, turns_every_orientation_upright) {
  for (const Size size : {Size{48, 32}, Size{37, 21}, Size{16, 9}}) {
    for (int sampling = 0; sampling < 6; ++sampling) {
      TestPicture picture{.width = size.width, .height = size.height, .content = Content::kSmooth};
      picture.components = sampling == 0 ? 1 : 3;
      picture.luma_h = sampling == 2 || sampling == 3 ? 2 : 1;
      picture.luma_v = sampling == 3 || sampling == 4 ? 2 : 1;
      if (sampling == 5) picture.stored = JCS_RGB;
      const Bytes plain = EncodeTestPicture(picture);
      const auto upright = DecodeOnce(plain);
      ASSERT_TRUE(upright.ok()) << upright.status();
      for (int orientation = 1; orientation <= 8; ++orientation) {
        SCOPED_TRACE(
            fmt::format("orientation {} sampling {} {}x{}", orientation, sampling, size.width, size.height));
        const Bytes bytes = jpeg::WithOrientation(plain, orientation, orientation % 2 == 0);
        const auto header = CreateJpegDecoder(MediaLimits())->ReadHeader(bytes);
        ASSERT_TRUE(header.ok()) << header.status();
        const Size displayed = orientation >= 5 ? Size{size.height, size.width} : size;
        EXPECT_EQ(header->orientation, orientation);
        EXPECT_EQ(header->size, displayed);
        const auto turned = DecodeOnce(bytes);
        ASSERT_TRUE(turned.ok()) << turned.status();
        ASSERT_EQ((*turned)->size, displayed);
        const Frame &a = **upright, &b = **turned;
        const int bytes_per_sample = a.format == PixelFormat::kRgb24 ? 3 : 1;
        // Each displayed pixel, with the chroma sample that covers it: nearest where chroma is centred on its
        // pixels.
        for (int plane = 0; plane < PlaneCount(a.format); ++plane) {
          const auto sample = [&](const Frame& f, int x, int y) {
            const Size p = PlaneSize(f.format, f.size, plane);
            const int dx = p.width / bytes_per_sample < f.size.width ? 2 : 1,
                      dy = p.height < f.size.height ? 2 : 1;
            return At(f, plane, x / dx * bytes_per_sample, y / dy);
          };
          // Mirrored odd sides average neighbouring chroma, which differs by less than the gradient between
          // them.
          const bool averaged = plane > 0 && (size.width % 2 != 0 || size.height % 2 != 0);
          for (int y = 0; y < displayed.height; ++y) {
            for (int x = 0; x < displayed.width; ++x) {
              const auto [u, v] = Stored(orientation, size, x, y);
              ASSERT_NEAR(sample(b, x, y), sample(a, u, v), averaged ? 30 : 0)
                  << plane << ": " << x << ", " << y;
            }
          }
        }
      }
    }
  }
}

TEST(JpegDecoder, keeps_chroma_centred_when_an_odd_side_is_mirrored) {
  // 3 wide: chroma 0 covers pixels 0 and 1, chroma 1 pixel 2. Mirrored, the first covers what were pixels 2
  // and 1.
  const Bytes plain =
      EncodeTestPicture({.width = 3, .height = 1, .luma_h = 2, .luma_v = 1, .content = Content::kNoise});
  const auto a = DecodeOnce(plain), b = DecodeOnce(jpeg::WithOrientation(plain, 2, true));
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(At(**b, 1, 0, 0), (At(**a, 1, 0, 0) + At(**a, 1, 1, 0) + 1) / 2);
  EXPECT_EQ(At(**b, 1, 1, 0), At(**a, 1, 0, 0));
}

TEST(JpegDecoder, decodes_what_the_fast_path_leaves_alone) {
  for (const bool progressive : {false, true}) {
    TestPicture picture{.width = 61, .height = 45, .quality = 95, .content = Content::kSmooth};
    picture.luma_h = picture.luma_v = 2;
    picture.progressive = progressive;
    picture.arithmetic = !progressive;
    const Bytes bytes = EncodeTestPicture(picture);
    EXPECT_EQ(FastDecode(bytes, 0), nullptr);
    const auto frame = DecodeOnce(bytes);
    ASSERT_TRUE(frame.ok()) << frame.status();
    picture.progressive = picture.arithmetic = false;
    EXPECT_TRUE(SameSamples(**frame, *FastDecode(EncodeTestPicture(picture), 0)));  // the same coefficients
    EXPECT_EQ((*DecodeOnce(bytes, {8, 6}))->size, (Size{8, 6}));
  }
}

TEST(JpegDecoder, gives_rgb_for_rgb_odd_samplings_and_cmyk) {
  TestPicture picture{.width = 40, .height = 24, .quality = 100, .content = Content::kSmooth};
  const auto check = [&](int tolerance) {
    const auto frame = DecodeOnce(EncodeTestPicture(picture));
    ASSERT_TRUE(frame.ok()) << frame.status();
    ASSERT_EQ((*frame)->format, PixelFormat::kRgb24);
    const Bytes samples = jpeg::TestSamples(picture);
    double sum = 0;
    for (int i = 0; i < 40 * 24; ++i) {
      for (int c = 0; c < 3; ++c) {
        const auto at = [&](int n) { return samples[static_cast<size_t>(i * picture.components + n)]; };
        // Inverted CMYK to RGB, naively: 255 * (c / 255) * (k / 255).
        const double expected = picture.components == 4 ? at(c) * at(3) / 255.0 : at(c);
        sum += std::abs(expected - At(**frame, 0, i % 40 * 3 + c, i / 40));
      }
    }
    EXPECT_LE(sum / (40 * 24 * 3), tolerance);
  };
  picture.stored = JCS_RGB;
  check(1);
  picture.stored = JCS_YCbCr;
  picture.luma_v = 2;  // 4:4:0
  check(12);
  picture.luma_v = 1;
  picture.luma_h = 4;  // 4:1:1
  check(12);
  picture.luma_h = 1;
  picture.components = 4;
  picture.stored = JCS_CMYK;
  check(1);
  picture.stored = JCS_YCCK;
  check(2);
}

TEST(JpegDecoder, refuses_what_is_over_a_limit) {
  const Bytes bytes = EncodeTestPicture({.width = 64, .height = 48});
  const auto code = [&](const MediaLimits& limits, const Bytes& file) {
    return DecodeWith(*CreateJpegDecoder(limits), file).status().code();
  };
  EXPECT_EQ(code({.pixels_max = 64 * 48 - 1}, bytes), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code({.pixels_max = 64 * 48}, bytes), absl::StatusCode::kOk);
  EXPECT_EQ(code({.side_max = 63}, bytes), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code({.bytes_max = 100}, bytes), absl::StatusCode::kResourceExhausted);
  const Bytes scans = EncodeTestPicture({.width = 64, .height = 48, .progressive = true});
  EXPECT_EQ(code({.scans_max = 3}, scans), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code({.scans_max = 30}, scans), absl::StatusCode::kOk);
  // A gigapixel in a small file: refused by its header, also where it is decoded nevertheless.
  Bytes bomb = bytes;
  for (size_t i = 2; i + 9 < bomb.size(); ++i) {
    if (bomb[i] == 0xFF && bomb[i + 1] == 0xC0) {
      bomb[i + 5] = bomb[i + 7] = 0x80;
      break;
    }
  }
  const auto decoder = CreateJpegDecoder(MediaLimits());
  EXPECT_EQ(decoder->ReadHeader(bomb).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(decoder->Decode(bomb, PictureHeader(), {}).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(decoder->Decode(bytes, PictureHeader(), {.page = 1, .need = {}}).status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST(JpegDecoder, a_file_cut_anywhere_is_an_error) {
  const auto decoder = CreateJpegDecoder(MediaLimits());
  for (const bool progressive : {false, true}) {
    const Bytes bytes = EncodeTestPicture({.width = 33,
                                           .height = 31,
                                           .luma_h = 2,
                                           .luma_v = 2,
                                           .restart_interval = 2,
                                           .progressive = progressive});
    ASSERT_TRUE(DecodeWith(*decoder, bytes).ok());
    for (size_t length = 0; length < bytes.size(); ++length) {
      const Bytes cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length));
      const auto frame = DecodeWith(*decoder, cut);
      ASSERT_EQ(frame.status().code(), absl::StatusCode::kDataLoss) << length << " of " << bytes.size();
      ASSERT_FALSE(MessageOf(frame.status()).empty());
    }
    ASSERT_TRUE(DecodeWith(*decoder, bytes).ok());
  }
}

TEST(JpegDecoder, damaged_files_decode_alike_on_both_paths_or_not_at_all) {
  std::mt19937 random(20240511);  // the seed of everything below
  int both = 0, fast_only = 0;
  for (int i = 0; i < 4000; ++i) {
    TestPicture picture{.width = 16 + static_cast<int>(random() % 40),
                        .height = 16 + static_cast<int>(random() % 40)};
    picture.components = random() % 4 == 0 ? 1 : 3;
    if (picture.components == 3) picture.luma_h = 1 + static_cast<int>(random() % 2);
    picture.luma_v = picture.luma_h == 2 ? 1 + static_cast<int>(random() % 2) : 1;
    picture.quality = static_cast<int>(1 + random() % 100);
    picture.restart_interval = static_cast<int>(random() % 4);
    picture.content = static_cast<Content>(random() % 3);
    picture.seed = static_cast<uint32_t>(i);
    Bytes bytes = EncodeTestPicture(picture);
    for (uint32_t flips = 1 + random() % 4; flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    const auto fast = FastDecode(bytes, 0), slow = SlowDecode(bytes, 0);
    for (int scale_log2 = 1; scale_log2 <= 3; ++scale_log2) {
      const bool scaled = FastDecode(bytes, scale_log2) != nullptr;
      ASSERT_EQ(scaled, fast != nullptr) << i << " at 1/" << (1 << scale_log2);
    }
    if (fast != nullptr && slow == nullptr) ++fast_only;
    if (fast == nullptr || slow == nullptr) continue;
    ++both;
    // For coefficients out of range libjpeg-turbo has results of its own on each architecture (x86 saturates,
    // ARM wraps); ours are those of x86 everywhere.
    ASSERT_TRUE(SameSamples(*fast, *slow) || !HWY_ARCH_X86) << i << ": " << Describe(picture);
  }
  EXPECT_GT(both, 500);
  EXPECT_EQ(fast_only, 0);
}

TEST(JpegDecoder, exif_that_makes_no_sense_is_no_orientation) {
  const Bytes plain = EncodeTestPicture({});
  for (const int orientation : {0, 9, 255}) {
    const auto header =
        CreateJpegDecoder(MediaLimits())->ReadHeader(jpeg::WithOrientation(plain, orientation, true));
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(header->orientation, 1);
  }
  const Bytes exif = jpeg::WithOrientation(plain, 6, false);
  const absl::Span<const uint8_t> tiff(exif.data() + 12, 26);
  EXPECT_EQ(jpeg::ExifOrientation(tiff), 6);
  for (size_t length = 0; length < 22; ++length)
    EXPECT_EQ(jpeg::ExifOrientation(tiff.subspan(0, length)), 0) << length;
  Bytes far(tiff.begin(), tiff.end());
  far[4] = 0xFF;  // the directory lies 4 GB further on
  EXPECT_EQ(jpeg::ExifOrientation(far), 0);
}

TEST(JpegDecoder, reuses_its_frames) {
  const Bytes bytes = EncodeTestPicture({.width = 200, .height = 100});
  const auto decoder = CreateJpegDecoder(MediaLimits());
  const uint8_t* samples = (*DecodeWith(*decoder, bytes))->planes[0].data;
  for (int i = 0; i < 3; ++i) EXPECT_EQ((*DecodeWith(*decoder, bytes))->planes[0].data, samples);
}

TEST(JpegDecoder, agrees_with_the_reference_on_the_difficult_files) {
  SKIP_WITHOUT_ASSETS();
  const std::filesystem::path folder = AssetsFolder() / "images";
  std::ifstream table(folder / "decoder" / "decoder_reference.csv");
  const auto decoder = CreateJpegDecoder(MediaLimits());
  int files = 0;
  for (std::string line; std::getline(table, line);) {
    // file,bytes,format,mode,size,frames,exif_orientation,status,error
    const std::vector<std::string> column = Split(line, ',');
    if (column.size() < 8 || column[2] != "JPEG") continue;
    SCOPED_TRACE(column[0]);
    ++files;
    const Bytes bytes = ReadAll(folder / column[0]);
    const auto header = decoder->ReadHeader(bytes);
    const auto frame = DecodeWith(*decoder, bytes);
    EXPECT_EQ(frame.ok(), column[7] == "ok") << frame.status();
    if (!header.ok() || column[7] != "ok") continue;
    const int orientation = column[6].empty() ? 1 : std::atoi(column[6].c_str());
    EXPECT_EQ(header->orientation, orientation);
    const Size stored =
        header->orientation >= 5 ? Size{header->size.height, header->size.width} : header->size;
    EXPECT_EQ(fmt::format("{}x{}", stored.width, stored.height), column[4]);
    if (frame.ok()) {
      EXPECT_EQ((*frame)->size, header->size);
      EXPECT_EQ((*frame)->format == PixelFormat::kGray8, column[3] == "L");
    }
  }
  EXPECT_GT(files, 50);
}

TEST(JpegDecoder, the_orientation_samples_show_the_same_picture) {
  SKIP_WITHOUT_ASSETS();
  const std::filesystem::path folder = AssetsFolder() / "images/decoder/exif-samples/jpg/orientation";
  const auto first = DecodeOnce(ReadAll(folder / "landscape_1.jpg"));
  ASSERT_TRUE(first.ok()) << first.status();
  for (int i = 2; i <= 8; ++i) {
    const auto frame = DecodeOnce(ReadAll(folder / fmt::format("landscape_{}.jpg", i)));
    ASSERT_TRUE(frame.ok()) << frame.status();
    ASSERT_EQ((*frame)->size, (*first)->size);
    // Each has its number written on it: an upright pair differs by 14 on average, mirrored ones by more
    // than 40.
    EXPECT_LT(Compare(**frame, **first, 0).mean, 18.0) << i;
  }
}

}  // namespace
}  // namespace sightline::decode
