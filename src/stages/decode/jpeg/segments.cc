#include <cstring>

#include "stages/decode/jpeg/scan.h"

namespace sightline::decode::jpeg {

bool SplitSegments(absl::Span<const uint8_t> coded, uint8_t* clean, absl::Span<Segment> segments,
                   size_t* segment_count) {
  const uint8_t* from = coded.data();
  const uint8_t* const end = from + coded.size();
  uint8_t* to = clean;
  size_t count = 0;
  if (segments.empty()) return false;
  segments[0].begin = 0;
  for (;;) {
    const auto* mark = static_cast<const uint8_t*>(std::memchr(from, 0xFF, static_cast<size_t>(end - from)));
    if (mark == nullptr || mark + 1 == end) return false;
    const auto plain = static_cast<size_t>(mark - from);
    std::memcpy(to, from, plain);
    to += plain;
    from = mark + 2;
    const uint8_t code = mark[1];
    if (code == 0) {
      *to++ = 0xFF;
      continue;
    }
    segments[count++].end = static_cast<size_t>(to - clean);
    if (code == 0xD9) break;
    if (code != 0xD0 + (count - 1) % 8 || count == segments.size()) return false;
    segments[count].begin = static_cast<size_t>(to - clean);
  }
  *segment_count = count;
  return true;
}

}  // namespace sightline::decode::jpeg
