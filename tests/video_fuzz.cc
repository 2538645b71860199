// Any bytes as a video: demuxing and decoding end, within small limits, without a crash.
#include "base/check.h"
#include "stages/decode/video_decoder.h"
#include "stages/ingest/video_demuxer.h"

extern "C" {
#include <libavutil/mem.h>
}

namespace sightline {
namespace {

constexpr int kPacketsMax = 64;

void DecodeBytes(absl::Span<const uint8_t> bytes) {
  MediaLimits limits;
  limits.pixels_max = 1 << 18;
  limits.video_frames_max = 32;
  auto demuxer = ingest::VideoDemuxer::OpenBytes(bytes, limits);
  av_max_alloc(64 << 20);  // after opening, which sets its own
  if (!demuxer.ok()) return;
  auto decoder = decode::VideoDecoder::Create((*demuxer)->track(), limits);
  if (!decoder.ok()) return;
  bool more = true;
  for (int i = 0; i < kPacketsMax && more; ++i) {
    auto packet = (*demuxer)->Read();
    more = packet.ok() && i + 1 < kPacketsMax;
    (void)(*decoder)->Send(packet.ok() ? *packet : nullptr);
    while (true) {
      auto frame = (*decoder)->Receive();
      if (!frame.ok()) break;
      const Frame& f = **frame;
      CHECK(!f.size.empty() && f.time_s.has_value()) << "an incomplete frame";
      for (int p = 0; p < PlaneCount(f.format); ++p) {
        const Size plane = PlaneSize(f.format, f.size, p);
        const Plane& samples = f.planes[static_cast<size_t>(p)];
        CHECK(samples.stride >= plane.width) << samples.stride;
        volatile uint8_t last =
            samples.data[ptrdiff_t{samples.stride} * (plane.height - 1) + plane.width - 1];
        (void)last;
      }
    }
  }
}

}  // namespace
}  // namespace sightline

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sightline::DecodeBytes(absl::MakeSpan(data, size));
  return 0;
}
