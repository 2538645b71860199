#include "stages/decode/dicom_structure.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "absl/cleanup/cleanup.h"

namespace sightline::decode {
namespace {

using Span = absl::Span<const uint8_t>;

constexpr size_t kDepthMax = 64;
constexpr uint32_t kUndefined = 0xFFFFFFFF;
constexpr uint32_t kItem = 0xFFFEE000, kItemEnd = 0xFFFEE00D, kSequenceEnd = 0xFFFEE0DD,
                   kPixelData = 0x7FE00010;

enum class Coding { kExplicitLittle, kImplicitLittle, kExplicitBig };

absl::Status Damaged(std::string_view what) {
  return absl::DataLossError(fmt::format("damaged DICOM file: {}", what));
}

std::string_view Text(Span bytes, size_t at, size_t count) {
  if (at >= bytes.size()) return {};
  return {reinterpret_cast<const char*>(bytes.data()) + at, std::min(count, bytes.size() - at)};
}

uint32_t Number(Span bytes, size_t at, size_t count, bool big_endian) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    value |= static_cast<uint32_t>(bytes[at + i]) << (8 * (big_endian ? count - 1 - i : i));
  }
  return value;
}

bool IsRepresentation(std::string_view text) {
  constexpr std::string_view kAll =
      "AE AS AT CS DA DS DT FL FD IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT "
      "UV ";
  const size_t found = kAll.find(text);
  return text.size() == 2 && found != std::string_view::npos && found % 3 == 0;
}

bool HasLongLength(std::string_view text) {
  constexpr std::string_view kLong = "OB OD OF OL OV OW SQ SV UC UN UR UT UV ";
  return kLong.find(text) != std::string_view::npos;
}

struct Element {
  uint32_t tag = 0;
  uint32_t length = 0;
  size_t value = 0;  // where it begins
  bool holds_items = false;
};

// False at the end of the bytes.
bool ReadElement(Span bytes, size_t at, Coding coding, Element* element) {
  if (at + 8 > bytes.size()) return false;
  const bool big = coding == Coding::kExplicitBig;
  element->tag = Number(bytes, at, 2, big) << 16 | Number(bytes, at + 2, 2, big);
  const bool delimiter = (element->tag >> 16) == 0xFFFE;
  const std::string_view representation = Text(bytes, at + 4, 2);
  if (delimiter || coding == Coding::kImplicitLittle || !IsRepresentation(representation)) {
    element->length = Number(bytes, at + 4, 4, big);
    element->value = at + 8;
  } else if (HasLongLength(representation)) {
    if (at + 12 > bytes.size()) return false;
    element->length = Number(bytes, at + 8, 4, big);
    element->value = at + 12;
  } else {
    element->length = Number(bytes, at + 6, 2, big);
    element->value = at + 8;
  }
  // Whatever begins with an item may be a sequence, whether it is declared as one or not.
  const bool begins_with_item =
      element->value + 4 <= bytes.size() &&
      (Number(bytes, element->value, 2, big) << 16 | Number(bytes, element->value + 2, 2, big)) == kItem;
  element->holds_items = element->length == kUndefined || representation == "SQ" || begins_with_item;
  return true;
}

struct Walk {
  size_t depth = 0;       // the deepest nesting
  bool overruns = false;  // an element is longer than the file
};

// Follows the elements from `at`. Where the coding is not the file's, this soon meets nonsense; it always
// ends.
Walk Follow(Span bytes, size_t at, Coding coding) {
  Walk walk;
  std::vector<size_t> ends;  // of the open sequences and items; SIZE_MAX: up to a delimiter
  bool in_fragments = false;
  Element element;
  while (ends.size() <= kDepthMax && ReadElement(bytes, at, coding, &element)) {
    while (!ends.empty() && at >= ends.back()) ends.pop_back();
    at = element.value;
    if (element.tag == kItemEnd || element.tag == kSequenceEnd) {
      in_fragments = false;
      if (!ends.empty()) ends.pop_back();
      continue;
    }
    if (element.length != kUndefined && element.length > bytes.size() - at) {
      walk.overruns = true;
      break;
    }
    if (element.tag != kItem && !element.holds_items) {
      at += element.length;
      continue;
    }
    // A fragment of compressed pixels is an item without elements in it; what it holds is no structure.
    const bool fragment = element.tag == kItem && in_fragments && element.length != kUndefined;
    if (fragment) {
      at += element.length;
      continue;
    }
    in_fragments = element.tag == kPixelData && element.length == kUndefined;
    ends.push_back(element.length == kUndefined ? SIZE_MAX : at + element.length);
    walk.depth = std::max(walk.depth, ends.size());
  }
  return walk;
}

// Where the data set begins and how it is coded, as the meta header says or as the first element looks.
struct Start {
  size_t at = 0;
  Coding coding = Coding::kExplicitLittle;
};

Start FindStart(Span bytes) {
  Start start;
  if (Text(bytes, 128, 4) == "DICM") start.at = 132;
  std::string_view syntax;
  Element element;
  while (ReadElement(bytes, start.at, Coding::kExplicitLittle, &element) && element.tag >> 16 == 0x0002) {
    if (element.length > bytes.size() - element.value) break;
    if (element.tag == 0x00020010) syntax = Text(bytes, element.value, element.length);
    start.at = element.value + element.length;
  }
  while (!syntax.empty() && (syntax.back() == '\0' || syntax.back() == ' ')) syntax.remove_suffix(1);
  const bool named = IsRepresentation(Text(bytes, start.at + 4, 2));
  if (syntax == "1.2.840.10008.1.2.2" ||
      (syntax.empty() && Text(bytes, start.at, 1) == std::string_view("\0", 1))) {
    start.coding = Coding::kExplicitBig;
  } else if (!named) {
    start.coding = Coding::kImplicitLittle;
  }
  return start;
}

}  // namespace

absl::Status CheckDicomStructure(Span bytes) {
  const Start start = FindStart(bytes);
  if (Follow(bytes, start.at, start.coding).overruns) return Damaged("it ends inside an element");
  // DCMTK may come to another opinion of the coding than we, so the depth counts in all of them.
  for (const Coding coding : {Coding::kExplicitLittle, Coding::kImplicitLittle, Coding::kExplicitBig}) {
    if (Follow(bytes, start.at, coding).depth > kDepthMax) {
      return absl::ResourceExhaustedError(fmt::format("DICOM sequences nested more than {} deep", kDepthMax));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint8_t>> InflateDicom(Span bytes, const MediaLimits& limits) {
  constexpr std::string_view kDeflated = "1.2.840.10008.1.2.1.99";
  constexpr size_t kMetaMax = 4096, kChunk = 1 << 16;
  std::vector<uint8_t> inflated;
  if (Text(bytes, 0, kMetaMax).find(kDeflated) == std::string_view::npos) return inflated;
  const size_t start = FindStart(bytes).at;
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return absl::ResourceExhaustedError("no memory to inflate");
  const absl::Cleanup end = [&] { inflateEnd(&stream); };
  stream.next_in = const_cast<uint8_t*>(bytes.data() + start);  // NOLINT: zlib only reads
  stream.avail_in = static_cast<uInt>(bytes.size() - start);
  std::array<uint8_t, kChunk> chunk;
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = chunk.data();
    stream.avail_out = kChunk;
    result = inflate(&stream, Z_NO_FLUSH);
    if (stream.total_out > limits.bytes_max) {
      return absl::ResourceExhaustedError(
          fmt::format("deflated DICOM grows to more than bytes_max ({})", limits.bytes_max));
    }
    inflated.insert(inflated.end(), chunk.data(), stream.next_out);
  }
  if (result != Z_STREAM_END || inflated.empty()) return Damaged("its deflated data is cut or corrupt");
  return inflated;
}

}  // namespace sightline::decode
