// Packets to an MP4 file by way of pixels, in which what is to be hidden is hidden before they are encoded.
#pragma once

#include <filesystem>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "cameras/evidence/seen_history.h"
#include "cameras/stream/camera_stream.h"

namespace sightline::cameras {

struct ClipCut {
  double from_s = 0, to_s = 0;  // stream time of the frames that are in it
};

// H.264. Frames of times at which nobody looked (SeenHistory::At) are hidden whole. `go_on` is asked after
// each frame; false: Cancelled, and there is no file. Damaged packets are passed over; DataLoss when nothing
// is left.
absl::Status EncodeClip(absl::Span<const LivePacket> packets, const ClipCut& cut, const Redaction& redaction,
                        const SeenHistory& seen, const std::filesystem::path& path,
                        absl::FunctionRef<bool()> go_on);

}  // namespace sightline::cameras
