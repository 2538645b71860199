// JPEG through libjpeg-turbo: everything that the library reads, to planes where the sampling permits, else
// to RGB.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/frame.h"
#include "data/limits.h"

namespace sightline::decode::jpeg {

// Keeps the library's state between pictures. Frames are as stored: the orientation is the caller's.
//
// Threads: one at a time. Memory: libjpeg-turbo itself allocates and frees its work space for each picture.
// Errors: DataLoss (with the library's words; also for what the library only warns of, where samples would be
// invented), ResourceExhausted (a limit, before anything is allocated for the picture), Unimplemented.
class TurboDecoder {
 public:
  explicit TurboDecoder(const MediaLimits& limits);
  ~TurboDecoder();

  absl::StatusOr<Size> ReadSize(absl::Span<const uint8_t> bytes);  // as stored
  int orientation() const;                                         // EXIF, of the file that was read last
  // Fills `frame` at 1 / 2^scale_log2 (0..3) of the full size.
  absl::Status Decode(absl::Span<const uint8_t> bytes, int scale_log2, Frame* frame);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// ResourceExhausted where a picture of that size is over a limit.
absl::Status CheckSize(Size size, const MediaLimits& limits);

}  // namespace sightline::decode::jpeg
