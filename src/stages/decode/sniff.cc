#include "stages/decode/sniff.h"

#include <algorithm>
#include <array>

namespace sightline::decode {
namespace {

using Head = absl::Span<const uint8_t>;

// Bytes at an offset. '?' stands for any byte. `check`, where there is one, must agree too: for signatures so
// short that other files begin with them by chance.
struct Signature {
  size_t offset;
  std::string_view bytes;
  MediaFormat format;
  std::string_view words;
  bool (*check)(Head head) = nullptr;
};

uint32_t Little(Head head, size_t at, size_t bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < bytes && at + i < head.size(); ++i)
    value |= static_cast<uint32_t>(head[at + i]) << (8 * i);
  return value;
}

uint32_t Big32(Head head, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4 && at + i < head.size(); ++i)
    value |= static_cast<uint32_t>(head[at + i]) << (24 - 8 * i);
  return value;
}

std::string_view Text(Head head, size_t at, size_t bytes) {
  if (at >= head.size()) return {};
  return {reinterpret_cast<const char*>(head.data()) + at, std::min(bytes, head.size() - at)};
}

bool IsSpace(uint8_t c) { return c == ' ' || (c >= 9 && c <= 13); }

// The header that follows "BM" has one of the sizes that exist.
bool IsBitmap(Head head) {
  constexpr std::array<uint32_t, 8> kSizes = {12, 16, 40, 52, 56, 64, 108, 124};
  return head.size() >= 18 && std::find(kSizes.begin(), kSizes.end(), Little(head, 14, 4)) != kSizes.end();
}

// The first entry's reserved byte is zero and its picture lies behind the folder.
bool IsIcon(Head head) {
  const uint32_t count = Little(head, 4, 2);
  return head.size() >= 22 && count > 0 && head[9] == 0 && Little(head, 14, 4) > 0 &&
         Little(head, 18, 4) >= 6 + 16 * count;
}

// "P6" is also how a sentence may begin: white space or a comment must follow, then a digit.
bool IsPortableMap(Head head) {
  if (head.size() < 4 || !(IsSpace(head[2]) || head[2] == '#')) return false;
  size_t at = 2;
  while (at < head.size()) {
    if (head[at] == '#') {
      while (at < head.size() && head[at] != '\n' && head[at] != '\r') ++at;
    } else if (IsSpace(head[at])) {
      ++at;
    } else {
      return head[at] >= '0' && head[at] <= '9';
    }
  }
  return false;
}

// Packets of a transport stream begin with 0x47 every `stride` bytes: as many as there are, and at least
// three.
bool HasPackets(Head head, size_t first, size_t stride) {
  size_t packets = 0;
  for (size_t at = first; at < head.size() && packets < 8; at += stride, ++packets) {
    if (head[at] != 0x47) return false;
  }
  return packets >= 3;
}
bool IsTransportStream(Head head) { return HasPackets(head, 0, 188) || HasPackets(head, 0, 204); }
bool IsTimedTransportStream(Head head) { return HasPackets(head, 4, 192); }

// The first network abstraction layer unit after a start code: what H.264 (parameter set, delimiter, SEI,
// slice of a key frame) and H.265 (the same, layer 0, temporal id 1) streams begin with; or the headers of
// MPEG-1, 2 and 4.
bool IsVideoUnit(Head head) {
  const size_t at = head.size() > 2 && head[2] == 1 ? 3 : 4;
  if (head.size() < at + 3) return false;
  const uint8_t byte = head[at];
  if (at == 3 && (byte == 0xBA || byte == 0xB3 || byte == 0xB0 || byte == 0xB5)) return true;
  if (byte & 0x80) return false;
  const int h264 = byte & 0x1F, h265 = byte >> 1;
  if (h264 == 7 || h264 == 8 || h264 == 9 || byte == 0x06 || byte == 0x65) return true;
  return head[at + 1] == 1 && (h265 == 32 || h265 == 33 || h265 == 34 || h265 == 35 || h265 == 39);
}

// An old QuickTime file without "ftyp" begins with another box of a sensible size.
bool IsBox(Head head) {
  const uint32_t size = Big32(head, 0);
  return size == 0 || size == 1 || size >= 8;
}

constexpr auto kNone = MediaFormat::kUnknown;
constexpr auto kOther = MediaFormat::kOtherPicture;
constexpr auto kMovie = MediaFormat::kVideo;
using namespace std::literals;

// The first that fits wins. "ftyp" files and DICOM without a preamble are told apart below.
constexpr Signature kSignatures[] = {
    // Before TIFF: the 128 bytes ahead of it are free, and some writers put a TIFF header there.
    {128, "DICM\x02\0"sv, MediaFormat::kDicom, "DICOM file"},
    {0, "\xFF\xD8\xFF"sv, MediaFormat::kJpeg, "JPEG picture"},
    {0, "\x89PNG\r\n\x1A\n"sv, MediaFormat::kPng, "PNG picture"},
    {0, "RIFF????WEBP"sv, MediaFormat::kWebp, "WebP picture"},
    {0, "II*\0"sv, MediaFormat::kTiff, "TIFF picture"},
    {0, "MM\0*"sv, MediaFormat::kTiff, "TIFF picture"},
    {0, "II+\0\x08\0\0\0"sv, MediaFormat::kTiff, "BigTIFF picture"},
    {0, "MM\0+\0\x08\0\0"sv, MediaFormat::kTiff, "BigTIFF picture"},
    {0, "GIF87a"sv, MediaFormat::kGif, "GIF picture"},
    {0, "GIF89a"sv, MediaFormat::kGif, "GIF picture"},
    {0, "BM"sv, MediaFormat::kBmp, "BMP picture", IsBitmap},
    {0, "\xFF\x0A"sv, MediaFormat::kJpegXl, "JPEG XL picture"},
    {0, "\0\0\0\x0CJXL \r\n\x87\n"sv, MediaFormat::kJpegXl, "JPEG XL picture"},
    {0, "\0\0\0\x0CjP  \r\n\x87\n"sv, MediaFormat::kJpeg2000, "JPEG 2000 picture"},
    {0, "\xFF\x4F\xFF\x51"sv, MediaFormat::kJpeg2000, "JPEG 2000 picture"},
    {0, "P1"sv, MediaFormat::kPnm, "PBM picture", IsPortableMap},
    {0, "P2"sv, MediaFormat::kPnm, "PGM picture", IsPortableMap},
    {0, "P3"sv, MediaFormat::kPnm, "PPM picture", IsPortableMap},
    {0, "P4"sv, MediaFormat::kPnm, "PBM picture", IsPortableMap},
    {0, "P5"sv, MediaFormat::kPnm, "PGM picture", IsPortableMap},
    {0, "P6"sv, MediaFormat::kPnm, "PPM picture", IsPortableMap},
    {0, "PF"sv, MediaFormat::kPnm, "PFM picture", IsPortableMap},
    {0, "Pf"sv, MediaFormat::kPnm, "PFM picture", IsPortableMap},
    {0, "P7\nWIDTH"sv, MediaFormat::kPnm, "PAM picture"},
    {0, "P7\n#"sv, MediaFormat::kPnm, "PAM picture"},
    {128, "DICM"sv, MediaFormat::kDicom, "DICOM file"},
    {0, "#?RADIANCE\n"sv, kOther, "Radiance HDR picture"},
    {0, "#?RGBE\n"sv, kOther, "Radiance HDR picture"},
    {0, "\0\0\x01\0"sv, kOther, "icon", IsIcon},
    {0, "\0\0\x02\0"sv, kOther, "cursor", IsIcon},
    {0, "\x76\x2F\x31\x01"sv, kOther, "OpenEXR picture"},
    {0, "farbfeld"sv, kOther, "farbfeld picture"},
    {0, "8BPS\0\x01"sv, kOther, "Photoshop picture"},
    {0, "8BPS\0\x02"sv, kOther, "Photoshop picture"},
    {0, "qoif"sv, kOther, "QOI picture"},
    {0, "DDS \x7C\0\0\0"sv, kOther, "DirectDraw surface"},
    {0, "BLP1"sv, kOther, "BLP texture"},
    {0, "BLP2"sv, kOther, "BLP texture"},
    {0, "icns"sv, kOther, "Apple icon"},
    {0, "gimp xcf "sv, kOther, "GIMP picture"},
    {0, "SIMPLE  = "sv, kOther, "FITS picture"},

    {0, "\x1A\x45\xDF\xA3"sv, kMovie, "Matroska or WebM video"},
    {0, "RIFF????AVI "sv, kMovie, "AVI video"},
    {0, "RIFF????AVIX"sv, kMovie, "AVI video"},
    {0, "OggS"sv, kMovie, "Ogg file"},
    {0, "FLV\x01"sv, kMovie, "Flash video"},
    {0, "DKIF"sv, kMovie, "IVF video"},
    {0, "YUV4MPEG2 "sv, kMovie, "raw YUV4MPEG video"},
    {0, "#EXTM3U"sv, kMovie, "playlist (HLS)"},
    {0, "\xEF\xBB\xBF#EXTM3U"sv, kMovie, "playlist (HLS)"},
    {0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11"sv, kMovie, "ASF or WMV video"},
    {0, "\x06\x0E\x2B\x34\x02\x05\x01\x01"sv, kMovie, "MXF video"},
    {0, "\x12\0\x0A"sv, kMovie, "AV1 stream"},
    {0, "G"sv, kMovie, "MPEG transport stream", IsTransportStream},
    {4, "G"sv, kMovie, "MPEG transport stream", IsTimedTransportStream},
    {0, "\0\0\x01"sv, kMovie, "raw video stream", IsVideoUnit},
    {0, "\0\0\0\x01"sv, kMovie, "raw video stream", IsVideoUnit},
    {4, "moov"sv, kMovie, "QuickTime video", IsBox},
    {4, "mdat"sv, kMovie, "QuickTime video", IsBox},
    {4, "wide"sv, kMovie, "QuickTime video", IsBox},
    {4, "free"sv, kMovie, "QuickTime video", IsBox},
    {4, "skip"sv, kMovie, "QuickTime video", IsBox},
    {4, "pnot"sv, kMovie, "QuickTime video", IsBox},

    {0, "%PDF-"sv, kNone, "PDF document"},
    {0, "%!PS"sv, kNone, "PostScript document"},
    {0, "PK\x03\x04"sv, kNone, "ZIP archive"},
    {0, "\x1F\x8B\x08"sv, kNone, "gzip archive"},
    {0, "7z\xBC\xAF\x27\x1C"sv, kNone, "7-Zip archive"},
    {0, "Rar!\x1A\x07"sv, kNone, "RAR archive"},
    {257, "ustar"sv, kNone, "tar archive"},
    {0,
     "\x7F"
     "ELF"sv,
     kNone, "program"},
    {0, "PAR1"sv, kNone, "Parquet file"},
    {0, "SQLite format 3\0"sv, kNone, "SQLite database"},
    {0, "RIFF????WAVE"sv, kNone, "WAV audio"},
    {0, "ID3"sv, kNone, "MP3 audio"},
    {0, "fLaC"sv, kNone, "FLAC audio"},
};

bool Fits(const Signature& signature, Head head) {
  if (head.size() < signature.offset + signature.bytes.size()) return false;
  for (size_t i = 0; i < signature.bytes.size(); ++i) {
    const auto wanted = static_cast<uint8_t>(signature.bytes[i]);
    if (wanted != '?' && head[signature.offset + i] != wanted) return false;
  }
  return signature.check == nullptr || signature.check(head);
}

// ISO base media files say in their brands what they hold; the same container carries pictures and videos.
struct Kind {
  MediaFormat format;
  std::string_view words;
};
constexpr Kind kUnknownKind{kNone, ""};

Kind BrandKind(std::string_view brand) {
  if (brand == "avif" || brand == "avis") return {MediaFormat::kAvif, "AVIF picture"};
  for (std::string_view heif : {"heic", "heix", "hevc", "hevx", "heim", "heis", "hevm", "hevs"}) {
    if (brand == heif) return {MediaFormat::kHeif, "HEIC picture"};
  }
  if (brand == "crx ") return {kOther, "Canon raw picture"};
  return kUnknownKind;
}

Kind FileTypeKind(Head head) {
  if (Text(head, 4, 4) != "ftyp" || head.size() < 12) return kUnknownKind;
  const size_t end = std::min<size_t>(head.size(), std::max<uint32_t>(Big32(head, 0), 12));
  const std::string_view major = Text(head, 8, 4);
  if (const Kind kind = BrandKind(major); kind.format != kNone) return kind;
  const bool generic = major == "mif1" || major == "msf1" || major == "miaf";
  for (size_t at = 16; generic && at + 4 <= end; at += 4) {
    if (const Kind kind = BrandKind(Text(head, at, 4)); kind.format != kNone) return kind;
  }
  if (generic) return {MediaFormat::kHeif, "HEIF picture"};
  return {kMovie, "MP4 or QuickTime video"};
}

// DICOM without preamble: data elements from the first byte, of group 0002 or 0008, in rising order, with
// lengths that make sense. Text cannot pass: its first bytes are no control characters.
bool LooksLikeBareDicom(Head head, bool big_endian) {
  const auto number16 = [&](size_t at) -> uint32_t {
    return big_endian ? static_cast<uint32_t>(head[at] << 8 | head[at + 1]) : Little(head, at, 2);
  };
  const auto number32 = [&](size_t at) { return big_endian ? Big32(head, at) : Little(head, at, 4); };
  constexpr std::string_view kRepresentations =
      "AE AS AT CS DA DS DT FL FD IS LO LT OB OD OF OL OW PN SH SL SQ SS ST TM UC UI UL UN UR US UT ";
  constexpr uint32_t kValueMax = 1 << 16;
  size_t at = 0;
  uint32_t before = 0;
  int elements = 0;
  while (elements < 4 && at + 8 <= head.size()) {
    const uint32_t group = number16(at), tag = group << 16 | number16(at + 2);
    if (group != 0x0002 && group != 0x0008 && !(elements > 0 && group >= 0x0008 && group <= 0x0028))
      return false;
    if (elements > 0 && tag <= before) return false;
    before = tag;
    const std::string_view representation = Text(head, at + 4, 2);
    const size_t found = kRepresentations.find(representation);
    uint32_t length = 0;
    if (found != std::string_view::npos && found % 3 == 0) {
      const bool wide = representation == "OB" || representation == "OW" || representation == "SQ" ||
                        representation == "UN" || representation == "UT" || representation == "UC";
      if (wide && at + 12 > head.size()) break;
      length = wide ? number32(at + 8) : number16(at + 6);
      at += wide ? 12 : 8;
      if (representation == "SQ") return elements > 0;
    } else {
      length = number32(at + 4);
      at += 8;
      if (group == 0x0002) return false;  // always explicit
    }
    if (length > kValueMax) return false;
    ++elements;
    at += length;
  }
  return elements >= 2;
}

bool LooksLikeText(Head head) {
  size_t printable = 0;
  for (const uint8_t c : head) {
    if (c < 9 || (c > 13 && c < 32 && c != 27)) return false;
    if (c < 127) ++printable;
  }
  return !head.empty() && printable * 10 >= head.size() * 7;
}

Kind Recognise(Head head) {
  head = head.subspan(0, std::min(head.size(), kSniffBytes));
  for (const Signature& signature : kSignatures) {
    if (Fits(signature, head)) return {signature.format, signature.words};
  }
  if (const Kind kind = FileTypeKind(head); !kind.words.empty()) return kind;
  if (LooksLikeBareDicom(head, false) || LooksLikeBareDicom(head, true))
    return {MediaFormat::kDicom, "DICOM file"};
  if (LooksLikeText(head)) return {kNone, "text"};
  return {kNone, "unknown binary data"};
}

}  // namespace

std::string_view Name(MediaFormat format) {
  switch (format) {
    case MediaFormat::kUnknown:
      return "unknown";
    case MediaFormat::kJpeg:
      return "JPEG";
    case MediaFormat::kPng:
      return "PNG";
    case MediaFormat::kWebp:
      return "WebP";
    case MediaFormat::kTiff:
      return "TIFF";
    case MediaFormat::kBmp:
      return "BMP";
    case MediaFormat::kGif:
      return "GIF";
    case MediaFormat::kHeif:
      return "HEIC";
    case MediaFormat::kAvif:
      return "AVIF";
    case MediaFormat::kJpegXl:
      return "JPEG XL";
    case MediaFormat::kJpeg2000:
      return "JPEG 2000";
    case MediaFormat::kPnm:
      return "PNM";
    case MediaFormat::kDicom:
      return "DICOM";
    case MediaFormat::kOtherPicture:
      return "picture";
    case MediaFormat::kVideo:
      return "video";
  }
  return "unknown";
}

MediaFormat Sniff(absl::Span<const uint8_t> head) { return Recognise(head).format; }

std::string_view Describe(absl::Span<const uint8_t> head) { return Recognise(head).words; }

}  // namespace sightline::decode
