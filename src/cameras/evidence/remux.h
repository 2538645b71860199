// Packets to an MP4 file, as they came.
#pragma once

#include <filesystem>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "cameras/stream/camera_stream.h"

namespace sightline::cameras {

// Whether MP4 holds the codec.
bool CanRemux(const VideoTrack& track);

// `packets` belong together and begin with a keyframe. The first is at time 0. The file is there when it is
// complete; until then it is PATH.partial. ResourceExhausted: the disk is full.
absl::Status Remux(absl::Span<const LivePacket> packets, const std::filesystem::path& path);

}  // namespace sightline::cameras
