#include "stages/decode/jpeg_decoder.h"

#include "base/status.h"
#include "base/text.h"
#include "stages/decode/jpeg/baseline.h"
#include "stages/decode/jpeg/head.h"
#include "stages/decode/jpeg/orientation.h"
#include "stages/decode/jpeg/turbo.h"

namespace sightline::decode {
namespace {

using jpeg::Head;

constexpr int kScaleLog2Max = 3;

Size Scaled(Size size, int scale_log2) {
  const int round_up = (1 << scale_log2) - 1;
  return {(size.width + round_up) >> scale_log2, (size.height + round_up) >> scale_log2};
}

// The largest k for which size / 2^k still is what is needed.
int ChooseScale(Size size, Size need) {
  if (need.empty()) return 0;
  int scale_log2 = kScaleLog2Max;
  while (scale_log2 > 0) {
    const Size scaled = Scaled(size, scale_log2);
    if (scaled.width >= need.width && scaled.height >= need.height) break;
    --scale_log2;
  }
  return scale_log2;
}

class JpegDecoder final : public PictureDecoder {
 public:
  explicit JpegDecoder(const MediaLimits& limits) : limits_(limits), turbo_(limits) {}

  absl::StatusOr<PictureHeader> ReadHeader(absl::Span<const uint8_t> bytes) override {
    RETURN_IF_ERROR(CheckBytes(bytes));
    Head head;
    Size stored;
    int orientation = 1;
    if (jpeg::ParseHead(bytes, &head) && jpeg::IsPlain(head)) {
      RETURN_IF_ERROR(jpeg::CheckSize(head.stored, limits_));
      stored = head.stored;
      orientation = head.orientation;
    } else {
      ASSIGN_OR_RETURN(stored, turbo_.ReadSize(bytes));
      orientation = turbo_.orientation();
    }
    PictureHeader header;
    header.format = MediaFormat::kJpeg;
    header.size = jpeg::Displayed(stored, orientation);
    header.orientation = orientation;
    return header;
  }

  absl::StatusOr<FramePtr> Decode(absl::Span<const uint8_t> bytes, const PictureHeader& header,
                                  const DecodeRequest& request) override {
    RETURN_IF_ERROR(CheckBytes(bytes));
    if (request.page != 0) {
      return absl::OutOfRangeError(fmt::format("JPEG: no page {}: a JPEG file is one picture", request.page));
    }
    const int scale_log2 = ChooseScale(header.size, request.need);
    std::shared_ptr<Frame> frame = pool_.Acquire();
    RETURN_IF_ERROR(DecodeStored(bytes, scale_log2, frame.get()));
    if (header.orientation > 1 && header.orientation <= 8) {
      std::shared_ptr<Frame> upright = pool_.Acquire();
      jpeg::Orient(header.orientation, frame.get(), upright.get());
      frame = std::move(upright);
    }
    frame->source_size = header.size;
    return FramePtr(std::move(frame));
  }

 private:
  absl::Status CheckBytes(absl::Span<const uint8_t> bytes) const {
    if (bytes.size() <= limits_.bytes_max) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        fmt::format("JPEG: {} bytes, more than {} (raise the limit bytes_max to accept it)", bytes.size(),
                    limits_.bytes_max));
  }

  // Whatever the fast path does not take, or stumbles over, is libjpeg-turbo's to decode or to refuse.
  absl::Status DecodeStored(absl::Span<const uint8_t> bytes, int scale_log2, Frame* frame) {
    Head head;
    if (jpeg::ParseHead(bytes, &head) && jpeg::IsPlain(head)) {
      RETURN_IF_ERROR(jpeg::CheckSize(head.stored, limits_));
      if (baseline_.Decode(bytes, head, scale_log2, frame)) return absl::OkStatus();
    }
    return turbo_.Decode(bytes, scale_log2, frame);
  }

  const MediaLimits limits_;
  FramePool pool_;
  jpeg::BaselineDecoder baseline_;
  jpeg::TurboDecoder turbo_;
};

}  // namespace

std::unique_ptr<PictureDecoder> CreateJpegDecoder(const MediaLimits& limits) {
  return std::make_unique<JpegDecoder>(limits);
}

}  // namespace sightline::decode
