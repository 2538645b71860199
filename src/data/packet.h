// Compressed video as it travels from a demuxer (ingest) to a decoder (decode). FFmpeg's own types are passed
// through opaquely: only the two ends know them.
#pragma once

#include <memory>
#include <optional>

#include "data/frame.h"

struct AVCodecParameters;
struct AVPacket;

namespace sightline {

// What a demuxer knows of a video track before the first packet.
struct VideoTrack {
  std::shared_ptr<const AVCodecParameters> parameters;
  int64_t time_base_num = 1, time_base_den = 1000;  // of packet and frame timestamps
  std::optional<int64_t> start_time;                // in time-base units; time_s counts from here
  int rotation = 0;                                 // clockwise degrees to turn for display: 0, 90, 180, 270
  double sample_aspect_ratio = 1;  // pixel width / height (informative; pixels are not resampled)
  std::optional<int64_t> frames_estimate;
  std::optional<double> duration_s;
  std::optional<double> frames_per_second;  // average
};

}  // namespace sightline
