// For tests only: clips made by the ffmpeg program, what it says of them, and all frames by our own path.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "data/frame.h"
#include "stages/decode/video_decoder.h"
#include "stages/ingest/video_demuxer.h"

namespace sightline {

inline void Shell(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

inline Bytes FileBytes(const std::filesystem::path& path) {
  Bytes bytes;
  const absl::Status status = ReadFile(path, 4ull << 30, &bytes);
  EXPECT_TRUE(status.ok()) << status;
  return bytes;
}

inline void WriteBytes(const std::filesystem::path& path, absl::Span<const uint8_t> bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

// Raw frames as ffmpeg decodes them (rotation applied), in `pixel_format`.
inline Bytes ReferenceFrames(const std::filesystem::path& clip, const std::string& pixel_format) {
  const std::string raw = clip.string() + ".raw";
  Shell(fmt::format("ffmpeg -v error -y -i '{}' -map 0:v:0 -vsync passthrough -f rawvideo -pix_fmt {} '{}'",
                    clip.string(), pixel_format, raw));
  return FileBytes(raw);
}

// Presentation times as ffprobe gives them, from the start of the stream.
inline std::vector<double> ReferenceTimes(const std::filesystem::path& clip) {
  const std::string text = clip.string() + ".times", start_text = clip.string() + ".start";
  Shell(
      fmt::format("ffprobe -v error -select_streams v:0 -show_entries frame=best_effort_timestamp_time -of "
                  "default=nw=1:nk=1 '{0}' > '{1}' && ffprobe -v error -select_streams v:0 -show_entries "
                  "stream=start_time -of default=nw=1:nk=1 '{0}' > '{2}'",
                  clip.string(), text, start_text));
  double start = 0;
  std::ifstream(start_text) >> start;
  std::vector<double> times;
  std::ifstream file(text);
  for (std::string line; file >> line;) {
    if (const auto time = ParseNumber(line)) times.push_back(*time - start);
  }
  return times;
}

struct DecodedVideo {
  absl::Status opened, end;  // `end` is OK where the end was reached
  std::vector<double> times;
  std::vector<size_t> offsets;  // of each frame in `samples`
  Bytes samples;                // planes without padding, frame after frame
  std::vector<PixelFormat> formats;
  std::vector<Size> sizes;
  ColorMatrix matrix = ColorMatrix::kBt601;
  ColorRange range = ColorRange::kFull;
  int damaged = 0;  // errors that decoding went on after
  VideoTrack track;
};

inline void AppendFrame(const Frame& frame, DecodedVideo* video) {
  video->times.push_back(frame.time_s.value_or(-1));
  video->offsets.push_back(video->samples.size());
  video->formats.push_back(frame.format);
  video->sizes.push_back(frame.size);
  video->matrix = frame.matrix;
  video->range = frame.range;
  for (int i = 0; i < PlaneCount(frame.format); ++i) {
    const Size plane = PlaneSize(frame.format, frame.size, i);
    for (int y = 0; y < plane.height; ++y) {
      const uint8_t* row = frame.planes[static_cast<size_t>(i)].data +
                           y * ptrdiff_t{frame.planes[static_cast<size_t>(i)].stride};
      video->samples.insert(video->samples.end(), row, row + plane.width);
    }
  }
}

// Sends all packets and takes all frames, passing over damage, as the pipeline does. `keep` false: frames are
// dropped.
inline DecodedVideo DecodeAll(absl::StatusOr<std::unique_ptr<ingest::VideoDemuxer>> demuxer,
                              const MediaLimits& limits = {}, bool keep = true) {
  DecodedVideo video;
  video.opened = demuxer.status();
  if (!demuxer.ok()) return video;
  video.track = (*demuxer)->track();
  auto decoder = decode::VideoDecoder::Create(video.track, limits);
  video.opened = decoder.status();
  if (!decoder.ok()) return video;
  for (bool more = true; more;) {
    auto packet = (*demuxer)->Read();
    more = packet.ok();
    if (!more && !absl::IsOutOfRange(packet.status())) video.end = packet.status();
    if (!(*decoder)->Send(more ? *packet : nullptr).ok()) ++video.damaged;
    for (bool receiving = true; receiving;) {
      auto frame = (*decoder)->Receive();
      if (frame.ok() && keep) AppendFrame(**frame, &video);
      if (frame.ok() && !keep) video.times.push_back((*frame)->time_s.value_or(-1));
      if (absl::IsUnavailable(frame.status()) || absl::IsOutOfRange(frame.status())) receiving = false;
      if (!frame.ok() && receiving) ++video.damaged;
      if (absl::IsResourceExhausted(frame.status())) return video.end = frame.status(), video;
    }
  }
  return video;
}

inline ingest::Input FileInput(const std::filesystem::path& path) {
  return {path.string(), path.string(), ingest::InputKind::kFile, absl::OkStatus()};
}
inline ingest::Input UrlInput(const std::string& url) {
  return {url, url, ingest::InputKind::kUrl, absl::OkStatus()};
}

inline DecodedVideo DecodeFile(const std::filesystem::path& path, const MediaLimits& limits = {}) {
  return DecodeAll(ingest::VideoDemuxer::Open(FileInput(path), limits), limits);
}

}  // namespace sightline
