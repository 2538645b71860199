// From what libavformat knows of a container to the one video track that we read.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "data/limits.h"
#include "data/packet.h"

struct AVFormatContext;
struct AVStream;

namespace sightline::ingest {

// The index of the stream to read: a real video (no cover picture) with a known codec, those marked default
// first, then the largest; nullopt where there is none.
std::optional<int> ChooseVideoStream(const AVFormatContext& format);

// Unimplemented for a codec that this build can't decode, ResourceExhausted for pictures beyond the limits.
absl::StatusOr<VideoTrack> DescribeTrack(const AVFormatContext& format, AVStream& stream,
                                         const MediaLimits& limits);

}  // namespace sightline::ingest
