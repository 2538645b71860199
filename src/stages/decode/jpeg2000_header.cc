#include "stages/decode/jpeg2000_header.h"

#include <fmt/format.h>

#include <algorithm>

#include "stages/decode/picture_limits.h"

namespace sightline::decode {
namespace {

using Span = absl::Span<const uint8_t>;

// OpenJPEG keeps about 6 kB a tile and 1 kB a tile and component.
constexpr int kComponentsMax = 16;
constexpr int64_t kTilesMax = 16'384;
constexpr int64_t kTileComponentsMax = 65'536;

uint32_t Big(Span bytes, size_t at, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | bytes[at + i];
  return value;
}

// The payload of the first "jp2c" box, or the bytes themselves when they are a code stream.
Span FindCodeStream(Span bytes) {
  if (bytes.size() >= 2 && bytes[0] == 0xFF && bytes[1] == 0x4F) return bytes;
  size_t at = 0;
  while (at + 8 <= bytes.size()) {
    uint64_t length = Big(bytes, at, 4), head = 8;
    const uint32_t type = Big(bytes, at + 4, 4);
    if (length == 1 && at + 16 <= bytes.size()) {
      length = static_cast<uint64_t>(Big(bytes, at + 8, 4)) << 32 | Big(bytes, at + 12, 4);
      head = 16;
    }
    if (type == 0x6A703263) return bytes.subspan(std::min(bytes.size(), at + head));  // "jp2c"
    if (length < head || length > bytes.size() - at) return {};
    at += length;
  }
  return {};
}

}  // namespace

std::optional<Jpeg2000Header> ReadJpeg2000Header(Span bytes) {
  const Span stream = FindCodeStream(bytes);
  constexpr size_t kFixed = 42;  // SOC, SIZ marker and its fields before the components
  if (stream.size() < kFixed || Big(stream, 0, 4) != 0xFF4FFF51) return std::nullopt;
  const int64_t x1 = Big(stream, 8, 4), y1 = Big(stream, 12, 4), x0 = Big(stream, 16, 4),
                y0 = Big(stream, 20, 4);
  const int64_t tile_width = Big(stream, 24, 4), tile_height = Big(stream, 28, 4);
  const int64_t tile_x0 = Big(stream, 32, 4), tile_y0 = Big(stream, 36, 4);
  Jpeg2000Header header;
  header.components = static_cast<int>(Big(stream, 40, 2));
  if (tile_width == 0 || tile_height == 0 || x1 <= x0 || y1 <= y0 || tile_x0 > x0 || tile_y0 > y0)
    return std::nullopt;
  header.width = x1 - x0;
  header.height = y1 - y0;
  header.tiles =
      ((x1 - tile_x0 + tile_width - 1) / tile_width) * ((y1 - tile_y0 + tile_height - 1) / tile_height);
  for (int c = 0; c < header.components; ++c) {
    const size_t at = kFixed + 3 * static_cast<size_t>(c);
    if (at + 3 > stream.size()) return std::nullopt;
    if (c == 0) header.bits = (stream[at] & 0x7F) + 1;
    header.subsampled |= stream[at + 1] != 1 || stream[at + 2] != 1;
  }
  // The default coding style tells the number of wavelet levels.
  size_t at = 2;
  while (at + 10 <= stream.size() && stream[at] == 0xFF && stream[at + 1] != 0x90) {
    if (stream[at + 1] == 0x52) {
      header.levels = stream[at + 9];
      break;
    }
    at += 2 + Big(stream, at + 2, 2);
  }
  return header;
}

absl::Status CheckJpeg2000(Span bytes, const MediaLimits& limits) {
  const std::optional<Jpeg2000Header> header = ReadJpeg2000Header(bytes);
  if (!header) return absl::DataLossError("damaged JPEG 2000 file: no image size in its header");
  if (auto status = CheckPictureSize(header->width, header->height, limits); !status.ok()) return status;
  if (header->components < 1 || header->components > kComponentsMax) {
    return absl::ResourceExhaustedError(
        fmt::format("JPEG 2000 with {} components: more than {}", header->components, kComponentsMax));
  }
  if (header->tiles > kTilesMax || header->tiles * header->components > kTileComponentsMax) {
    return absl::ResourceExhaustedError(
        fmt::format("JPEG 2000 with {} tiles: more than {}", header->tiles, kTilesMax));
  }
  return absl::OkStatus();
}

}  // namespace sightline::decode
