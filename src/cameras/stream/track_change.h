// A track's parameters, compared and brought up to date.
#pragma once

#include <memory>
#include <string_view>

#include "data/packet.h"

namespace sightline::cameras {

// Codec, its headers, size, time base and rotation.
bool SameTrack(const VideoTrack& a, const VideoTrack& b);

// `track` at a new size, with the codec's headers from `key` (a keyframe that carries its own) where it has
// some.
std::shared_ptr<const VideoTrack> TrackOfSize(const VideoTrack& track, Size size, const AVPacket* key);

// As displayed.
Size SizeOf(const VideoTrack& track);
std::string_view CodecName(const VideoTrack& track);

}  // namespace sightline::cameras
