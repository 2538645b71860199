#include "stages/decode/jpeg/head.h"

#include <algorithm>
#include <cstring>

namespace sightline::decode::jpeg {
namespace {

using Bytes = absl::Span<const uint8_t>;

constexpr int kExifEntriesMax = 1000;
constexpr uint16_t kOrientationTag = 0x0112;
constexpr uint16_t kShort = 3, kLong = 4;

int Read16(const uint8_t* p) { return p[0] << 8 | p[1]; }

bool StartsWith(Bytes bytes, const char* text, size_t length) {
  return bytes.size() >= length && std::memcmp(bytes.data(), text, length) == 0;
}

bool ParseQuant(Bytes body, Head* head) {
  while (!body.empty()) {
    const int precision = body[0] >> 4, index = body[0] & 15;
    const size_t size = precision != 0 ? 129 : 65;
    if (precision > 1 || index > 3 || body.size() < size) return false;
    QuantTable& table = head->quant[static_cast<size_t>(index)];
    table.defined = true;
    table.wide = precision == 1;
    for (size_t i = 0; i < 64; ++i) {
      table.zigzag[i] = static_cast<uint16_t>(table.wide ? Read16(&body[1 + 2 * i]) : body[1 + i]);
    }
    body.remove_prefix(size);
  }
  return true;
}

bool ParseHuffman(Bytes body, Head* head) {
  while (!body.empty()) {
    if (body.size() < 17) return false;
    const int index = body[0] & 15, kind = body[0] >> 4;
    if (index > 3 || kind > 1) return false;
    HuffmanSpec& spec =
        kind != 0 ? head->ac[static_cast<size_t>(index)] : head->dc[static_cast<size_t>(index)];
    size_t total = 0;
    for (size_t i = 1; i <= 16; ++i) total += spec.counts[i] = body[i];
    if (total > 256 || body.size() < 17 + total) return false;
    spec.symbols.fill(0);
    std::copy_n(body.data() + 17, total, spec.symbols.begin());
    spec.defined = true;
    body.remove_prefix(17 + total);
  }
  return true;
}

bool ParseFrame(Bytes body, int marker, Head* head) {
  if (head->frame_marker != 0 || body.size() < 6) return false;
  head->frame_marker = marker;
  head->precision = body[0];
  head->stored = {Read16(&body[3]), Read16(&body[1])};
  head->component_count = body[5];
  const auto count = static_cast<size_t>(head->component_count);
  if (head->stored.empty() || count < 1 || count > 4 || body.size() != 6 + 3 * count) return false;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* p = &body[6 + 3 * i];
    head->components[i] = {.id = p[0], .h = p[1] >> 4, .v = p[1] & 15, .quant = p[2]};
    const ComponentHead& c = head->components[i];
    if (c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.quant > 3) return false;
  }
  return true;
}

bool ParseScan(Bytes body, Head* head) {
  if (head->frame_marker == 0 || body.empty()) return false;
  const size_t count = body[0];
  if (count < 1 || count > 4 || body.size() != 4 + 2 * count) return false;
  head->scan_component_count = static_cast<int>(count);
  head->scan_in_order = count == static_cast<size_t>(head->component_count);
  for (size_t i = 0; i < count; ++i) {
    const int id = body[1 + 2 * i], tables = body[2 + 2 * i];
    ComponentHead& c = head->components[i];
    if (c.id != id) head->scan_in_order = false;
    c.dc_table = tables >> 4;
    c.ac_table = tables & 15;
    if (c.dc_table > 3 || c.ac_table > 3) return false;
  }
  head->spectral_start = body[1 + 2 * count];
  head->spectral_end = body[2 + 2 * count];
  head->approximation = body[3 + 2 * count];
  return true;
}

void ParseApplication(Bytes body, int marker, bool* exif_seen, Head* head) {
  if (marker == 0xE0 && body.size() >= 14 && StartsWith(body, "JFIF\0", 5)) head->jfif = true;
  if (marker == 0xEE && body.size() >= 12 && StartsWith(body, "Adobe", 5)) {
    head->adobe = true;
    head->adobe_transform = body[11];
  }
  if (marker == 0xE1 && !*exif_seen && StartsWith(body, "Exif\0\0", 6)) {
    *exif_seen = true;
    const int orientation = ExifOrientation(body.subspan(6));
    if (orientation != 0) head->orientation = orientation;
  }
}

bool IsFrameMarker(int marker) {  // SOF0..15 without DHT, JPG and DAC
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

}  // namespace

int ExifOrientation(Bytes tiff) {
  const bool little = StartsWith(tiff, "II*\0", 4);
  if (!little && !StartsWith(tiff, "MM\0*", 4)) return 0;
  const auto read16 = [&](size_t at) {
    return static_cast<uint16_t>(little ? tiff[at] | tiff[at + 1] << 8 : tiff[at] << 8 | tiff[at + 1]);
  };
  const auto read32 = [&](size_t at) {
    const uint32_t a = read16(at), b = read16(at + 2);
    return little ? b << 16 | a : a << 16 | b;
  };
  if (tiff.size() < 8) return 0;
  const size_t directory = read32(4);
  if (directory + 2 > tiff.size()) return 0;
  const int entries = std::min<int>(read16(directory), kExifEntriesMax);
  for (int i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + static_cast<size_t>(i) * 12;
    if (entry + 12 > tiff.size()) return 0;
    if (read16(entry) != kOrientationTag) continue;
    const uint16_t type = read16(entry + 2);
    if (read32(entry + 4) != 1) return 0;
    const uint32_t value = type == kShort ? read16(entry + 8) : type == kLong ? read32(entry + 8) : 0;
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 0;
  }
  return 0;
}

bool ParseHead(Bytes bytes, Head* head) {
  *head = Head();
  if (bytes.size() < 4 || bytes[0] != 0xFF || bytes[1] != 0xD8) return false;
  bool exif_seen = false;
  size_t at = 2;
  while (bytes.size() - at >= 4) {
    if (bytes[at] != 0xFF) return false;
    const int marker = bytes[at + 1];
    if (marker < 0xC0 || (marker >= 0xD0 && marker <= 0xD9))
      return false;  // fill bytes, RST, SOI, EOI, reserved
    const auto length = static_cast<size_t>(Read16(&bytes[at + 2]));
    if (length < 2 || bytes.size() - at - 2 < length) return false;
    const Bytes body = bytes.subspan(at + 4, length - 2);
    at += 2 + length;
    if (marker == 0xDA) {
      head->scan_offset = at;
      return ParseScan(body, head);
    }
    if (marker == 0xDB && !ParseQuant(body, head)) return false;
    if (marker == 0xC4 && !ParseHuffman(body, head)) return false;
    if (IsFrameMarker(marker) && !ParseFrame(body, marker, head)) return false;
    if (marker == 0xDD) {
      if (body.size() != 2) return false;
      head->restart_interval = Read16(body.data());
    }
    if (marker == 0xDC || marker == 0xFF || (marker >= 0xF0 && marker <= 0xFD))
      return false;  // DNL, fill, JPGn
    ParseApplication(body, marker, &exif_seen, head);
  }
  return false;
}

}  // namespace sightline::decode::jpeg
