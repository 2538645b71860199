// Cameras of this machine (USB), by Video4Linux 2.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "stages/ingest/video_demuxer.h"

namespace sightline::ingest {

// /dev/videoN, or a link to it such as /dev/v4l/by-id/...
bool IsLocalCamera(const std::string& path);

// Takes the camera's compressed format (MJPEG, H.264) where it has one, else YUYV or NV12, at the size and
// rate that it is set to. Packets are copies; timestamps are the driver's (monotonic). Errors: NotFound, a
// PermissionDenied that says which group to join, FailedPrecondition for a device that is no camera,
// Unavailable for one that is in use or was unplugged, DeadlineExceeded when no picture comes.
absl::StatusOr<std::unique_ptr<VideoDemuxer>> OpenLocalCamera(const std::string& path,
                                                              const MediaLimits& limits,
                                                              const DemuxOptions& options);

}  // namespace sightline::ingest
