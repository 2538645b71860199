// Fuzzes the JPEG decoder: no input may crash it or make it allocate without limit, and where both of its
// paths decode a file at full size, they must agree in every sample. Seeds: any folder of small JPEG files.
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "stages/decode/jpeg/baseline.h"
#include "stages/decode/jpeg/head.h"
#include "stages/decode/jpeg/turbo.h"
#include "stages/decode/jpeg_decoder.h"

namespace sightline::decode {
namespace {

MediaLimits SmallLimits() {
  MediaLimits limits;
  limits.pixels_max = 1 << 20;
  limits.side_max = 4096;
  limits.scans_max = 20;
  return limits;
}

void CheckPathsAgree(absl::Span<const uint8_t> bytes) {
  static jpeg::BaselineDecoder* baseline = new jpeg::BaselineDecoder();
  static jpeg::TurboDecoder* turbo = new jpeg::TurboDecoder(SmallLimits());
  jpeg::Head head;
  if (!jpeg::ParseHead(bytes, &head) || !jpeg::IsPlain(head) ||
      !jpeg::CheckSize(head.stored, SmallLimits()).ok())
    return;
  Frame fast, slow;
  if (!baseline->Decode(bytes, head, 0, &fast) || !turbo->Decode(bytes, 0, &slow).ok()) return;
  CHECK(fast.format == slow.format && fast.size == slow.size) << "shapes differ";
  for (int i = 0; i < PlaneCount(fast.format); ++i) {
    const Size plane = PlaneSize(fast.format, fast.size, i);
    const Plane &a = fast.planes[static_cast<size_t>(i)], &b = slow.planes[static_cast<size_t>(i)];
    for (int y = 0; y < plane.height; ++y) {
      CHECK(std::memcmp(a.data + ptrdiff_t{y} * a.stride, b.data + ptrdiff_t{y} * b.stride,
                        static_cast<size_t>(plane.width)) == 0)
          << "plane " << i << " row " << y;
    }
  }
}

}  // namespace
}  // namespace sightline::decode

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sightline;          // NOLINT: the one function of this program
  using namespace sightline::decode;  // NOLINT
  static PictureDecoder* decoder = CreateJpegDecoder(SmallLimits()).release();
  const absl::Span<const uint8_t> bytes(data, size);
  CheckPathsAgree(bytes);
  const auto header = decoder->ReadHeader(bytes);
  if (!header.ok()) return 0;
  for (const int divide : {1, 2, 4, 8}) {
    const Size need{(header->size.width + divide - 1) / divide, (header->size.height + divide - 1) / divide};
    const auto frame = decoder->Decode(bytes, *header, {.page = 0, .need = need});
    if (!frame.ok()) continue;
    // Every sample that a reader may look at must be ours to read.
    uint32_t sum = 0;
    for (int i = 0; i < PlaneCount((*frame)->format); ++i) {
      const Size plane = PlaneSize((*frame)->format, (*frame)->size, i);
      const Plane& p = (*frame)->planes[static_cast<size_t>(i)];
      for (int y = 0; y < plane.height; ++y) sum += p.data[ptrdiff_t{y} * p.stride + plane.width - 1];
    }
    volatile uint32_t sink = sum;
    (void)sink;
  }
  return 0;
}
