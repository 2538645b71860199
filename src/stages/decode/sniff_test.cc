#include "stages/decode/sniff.h"

#include <gmock/gmock.h>

#include <random>
#include <string>

namespace sightline::decode {
namespace {

using namespace std::literals;

MediaFormat SniffText(std::string_view text) {
  return Sniff({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}
std::string_view DescribeText(std::string_view text) {
  return Describe({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

struct Case {
  std::string head;
  MediaFormat format;
};

std::string FileType(std::string_view major, std::string_view compatible) {
  const std::string brands = std::string(major) + "\0\0\0\0"s + std::string(compatible);
  return "\0\0\0"s + static_cast<char>(8 + brands.size()) + "ftyp" + brands;
}

std::string Packets(size_t lead, size_t stride) {
  std::string stream(stride * 6, 'x');
  for (size_t i = 0; i < 6; ++i) stream[lead + i * stride] = 'G';
  return stream;
}

std::string Dicom(std::string preamble) {
  preamble.resize(128, '\0');
  return preamble + "DICM\x02\0\0\0UL\x04\0\x10\0\0\0"s;
}

TEST(Sniff, knows_each_signature) {
  const std::vector<Case> cases = {
      {"\xFF\xD8\xFF\xE0"s, MediaFormat::kJpeg},
      {"\x89PNG\r\n\x1A\n"s, MediaFormat::kPng},
      {"RIFF\x10\0\0\0WEBPVP8 "s, MediaFormat::kWebp},
      {"II*\0\x08\0\0\0"s, MediaFormat::kTiff},
      {"MM\0*\0\0\0\x08"s, MediaFormat::kTiff},
      {"II+\0\x08\0\0\0\x10\0\0\0"s, MediaFormat::kTiff},
      {"MM\0+\0\x08\0\0\0\0\0\0"s, MediaFormat::kTiff},
      {"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0"s, MediaFormat::kBmp},
      {"GIF87a"s, MediaFormat::kGif},
      {"GIF89a"s, MediaFormat::kGif},
      {FileType("heic", "mif1heic"), MediaFormat::kHeif},
      {FileType("mif1", "mif1heic"), MediaFormat::kHeif},
      {FileType("mif1", "miaf"), MediaFormat::kHeif},
      {FileType("hevc", "msf1iso8"), MediaFormat::kHeif},
      {FileType("avif", "mif1miaf"), MediaFormat::kAvif},
      {FileType("avis", "avifmsf1"), MediaFormat::kAvif},
      {FileType("mif1", "avifmiaf"), MediaFormat::kAvif},
      {"\xFF\x0A\xFA\x7F"s, MediaFormat::kJpegXl},
      {"\0\0\0\x0CJXL \r\n\x87\n"s, MediaFormat::kJpegXl},
      {"\0\0\0\x0CjP  \r\n\x87\n"s, MediaFormat::kJpeg2000},
      {"\xFF\x4F\xFF\x51\0\x2F"s, MediaFormat::kJpeg2000},
      {"P1 2 2 0 1 1 0"s, MediaFormat::kPnm},
      {"P6\n# made by hand\n2 2\n255\n"s, MediaFormat::kPnm},
      {"Pf\n2 2\n-1.0\n"s, MediaFormat::kPnm},
      {"P7\nWIDTH 2\n"s, MediaFormat::kPnm},
      {Dicom(""), MediaFormat::kDicom},
      {Dicom("II*\0"s), MediaFormat::kDicom},
      {"\x08\0\x05\0CS\x0A\0ISO_IR 100\x08\0\x16\0UI\x02\0001\0"s, MediaFormat::kDicom},
      {"\0\x08\0\x05\0\0\0\x02XX\0\x08\0\x16\0\0\0\x02YY"s, MediaFormat::kDicom},
      {"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0\x68\x04\0\0\x16\0\0\0"s, MediaFormat::kOtherPicture},
      {"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n"s, MediaFormat::kOtherPicture},
      {"\x76\x2F\x31\x01\x02\0\0\0"s, MediaFormat::kOtherPicture},
      {FileType("isom", "isomiso2avc1mp41"), MediaFormat::kVideo},
      {FileType("qt  ", "qt  "), MediaFormat::kVideo},
      {"\0\0\x10\0moov\0\0\0\x6Cmvhd"s, MediaFormat::kVideo},
      {"\x1A\x45\xDF\xA3\x9F\x42\x86\x81"s, MediaFormat::kVideo},
      {"RIFF\x10\0\0\0AVI LIST"s, MediaFormat::kVideo},
      {"FLV\x01\x05\0\0\0\x09"s, MediaFormat::kVideo},
      {"OggS\0\x02"s, MediaFormat::kVideo},
      {"DKIF\0\0\x20\0VP80"s, MediaFormat::kVideo},
      {Packets(0, 188), MediaFormat::kVideo},
      {Packets(4, 192), MediaFormat::kVideo},
      {Packets(0, 204), MediaFormat::kVideo},
      {"#EXTM3U\n#EXT-X-VERSION:3\n"s, MediaFormat::kVideo},
      {"\0\0\x01\xBA\x44\0\x04"s, MediaFormat::kVideo},
      {"\0\0\x01\xB3\x14\0\xF0"s, MediaFormat::kVideo},
      {"\0\0\0\x01\x67\x42\xC0\x1E"s, MediaFormat::kVideo},
      {"\0\0\x01\x09\x10\0"s, MediaFormat::kVideo},
      {"\0\0\0\x01\x40\x01\x0C\x01"s, MediaFormat::kVideo},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(SniffText(c.head), c.format) << testing::PrintToString(c.head) << " is " << Name(c.format);
    EXPECT_NE(DescribeText(c.head), "unknown binary data");
  }
}

TEST(Sniff, does_not_take_other_files_for_media) {
  const std::vector<std::pair<std::string, std::string_view>> cases = {
      {"", "unknown binary data"},
      {"BMW and other cars, a list of names", "text"},
      {"P6 is a processor; P5 was another", "text"},
      {"G is the first letter of this", "text"},
      {"<svg xmlns='http://www.w3.org/2000/svg'/>", "text"},
      {"{\"a\": 1}\n", "text"},
      {"version https://git-lfs.github.com/spec/v1\n", "text"},
      {"%PDF-1.7\n", "PDF document"},
      {"PK\x03\x04\x14\0"s, "ZIP archive"},
      {"\x1F\x8B\x08\0"s, "gzip archive"},
      {std::string(4096, '\0'), "unknown binary data"},
  };
  for (const auto& [head, words] : cases) {
    EXPECT_EQ(SniffText(head), MediaFormat::kUnknown) << head;
    EXPECT_EQ(DescribeText(head), words) << head;
  }
}

// Whatever the bytes are, cutting them changes the answer only to "unknown" or to a longer head's answer, and
// what follows the first kSniffBytes changes nothing.
TEST(Sniff, depends_only_on_the_head) {
  std::mt19937 random(20240607);
  const std::string_view starts[] = {"\xFF\xD8\xFF", "GIF89a",         "BM", "RIFF", "P6\n",
                                     "\0\0\x01"sv,   "\x08\0\x05\0"sv, ""};
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(starts[random() % 8]);
    const size_t size = random() % 6000;
    while (bytes.size() < size) bytes += static_cast<char>(random());
    const MediaFormat whole = SniffText(bytes);
    ASSERT_EQ(SniffText(std::string_view(bytes).substr(0, kSniffBytes)), whole) << "round " << round;
    ASSERT_FALSE(Name(whole).empty());
    ASSERT_FALSE(DescribeText(bytes).empty());
  }
}

TEST(Sniff, random_bytes_are_rarely_media) {
  std::mt19937 random(7);
  int taken = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(64, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    taken += SniffText(bytes) != MediaFormat::kUnknown;
  }
  EXPECT_LE(taken, 5);
}

}  // namespace
}  // namespace sightline::decode
