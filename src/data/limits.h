// Limits on what an input may ask of us. Settings with sane defaults; exceeding one is a ResourceExhausted
// error that names the limit and how to raise it.
#pragma once

#include <cstdint>

namespace sightline {

struct MediaLimits {
  int64_t pixels_max = 200'000'000;        // of one picture or frame, after the header and before allocating
  int side_max = 65'500;                   // width or height
  uint64_t bytes_max = 512ull << 20;       // of one encoded picture
  int scans_max = 500;                     // of a progressive JPEG
  int64_t pages_max = 10'000;              // pages, animation frames, DICOM frames of one file
  int64_t video_frames_max = 100'000'000;  // of one video
  uint64_t download_bytes_max = 2ull << 30;  // of one URL
  int64_t inputs_max = 1'000'000'000;        // entries of folders and lists
};

}  // namespace sightline
