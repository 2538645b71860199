// Picture files to frames: every still format behind one door.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/frame.h"
#include "data/limits.h"
#include "stages/decode/sniff.h"

namespace sightline::decode {

// What the header says; nothing was decoded or allocated for it.
struct PictureHeader {
  MediaFormat format = MediaFormat::kUnknown;
  Size size;            // as displayed: after EXIF orientation; of page 0
  int orientation = 1;  // EXIF, 1..8; already accounted for in `size`
  int64_t pages = 1;    // TIFF pages, animation frames, DICOM frames
};

struct DecodeRequest {
  int64_t page = 0;
  // The caller is content with any stored size that is at least this in both axes; the decoder picks the
  // smallest size/2^k (k = 0..3, rounded up) that is, where its format can decode at that scale for less.
  // Empty: full size.
  Size need;
};

// Frames come upright (orientation applied), without alpha (composed over black), 8 bits a sample (16-bit
// samples scaled, not cut), sRGB, in whichever PixelFormat is cheapest; Frame::source_size is the displayed
// size at full resolution. Scaling by 2^k is an average over 2^k x 2^k samples, or close to it.
//
// Threads: one at a time; keep one per worker (it reuses its scratch memory; frames come from its pool).
// Errors: DataLoss (truncated or corrupt; says what), ResourceExhausted (a limit), Unimplemented (a format
// that this build can't read), OutOfRange (no such page). A truncated file is an error even where a partial
// picture could be had.
class PictureDecoder {
 public:
  static std::unique_ptr<PictureDecoder> Create(const MediaLimits& limits);
  virtual ~PictureDecoder() = default;
  virtual absl::StatusOr<PictureHeader> ReadHeader(absl::Span<const uint8_t> bytes) = 0;
  virtual absl::StatusOr<FramePtr> Decode(absl::Span<const uint8_t> bytes, const PictureHeader& header,
                                          const DecodeRequest& request) = 0;
};

}  // namespace sightline::decode
