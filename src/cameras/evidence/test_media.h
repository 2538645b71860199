// For tests: real packets and frames, of files that ffmpeg makes.
#pragma once

#include <gtest/gtest.h>

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "cameras/stream/camera_stream.h"
#include "stages/decode/picture_decoder.h"
#include "stages/decode/video_decoder.h"
#include "stages/ingest/video_demuxer.h"

namespace sightline::cameras {

inline LivePacket Live(const AVPacket* packet, std::shared_ptr<const VideoTrack> track, double stream_s) {
  LivePacket live;
  live.packet = std::shared_ptr<const AVPacket>(av_packet_clone(packet), [](const AVPacket* p) {
    auto* q = const_cast<AVPacket*>(p);
    av_packet_free(&q);
  });
  live.track = std::move(track);
  live.key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
  live.stream_s = stream_s;
  return live;
}

inline bool Shell(const std::string& command) { return std::system(command.c_str()) == 0; }

inline std::string Output(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  char buffer[4096];
  while (const size_t got = fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, got);
  return pclose(pipe) == 0 ? text : "";
}

// `arguments`: ffmpeg's, after its input (a moving test picture of some seconds) and before the file.
inline bool MakeVideo(const std::filesystem::path& path, const std::string& arguments, double seconds = 6,
                      const std::string& size = "320x240") {
  return Shell(fmt::format("ffmpeg -v error -y -f lavfi -i testsrc2=size={}:rate=25:duration={} {} {}", size,
                           seconds, arguments, path.string()));
}

// All packets of a file, as a stream would give them that began at 0.
inline std::vector<LivePacket> PacketsOf(const std::filesystem::path& path, uint32_t epoch = 1) {
  std::vector<LivePacket> packets;
  auto demuxer =
      ingest::VideoDemuxer::Open({path, path, ingest::InputKind::kFile, absl::OkStatus()}, MediaLimits());
  EXPECT_TRUE(demuxer.ok()) << demuxer.status();
  if (!demuxer.ok()) return packets;
  auto track = std::make_shared<VideoTrack>((*demuxer)->track());
  const double unit = static_cast<double>(track->time_base_num) / static_cast<double>(track->time_base_den);
  for (auto packet = (*demuxer)->Read(); packet.ok(); packet = (*demuxer)->Read()) {
    const int64_t pts = (*packet)->pts != AV_NOPTS_VALUE ? (*packet)->pts : (*packet)->dts;
    const double at_s = pts == AV_NOPTS_VALUE
                            ? static_cast<double>(packets.size()) / 25
                            : static_cast<double>(pts - track->start_time.value_or(0)) * unit;
    packets.push_back(Live(*packet, track, at_s));
    packets.back().epoch = epoch;
  }
  return packets;
}

inline std::vector<FramePtr> FramesOf(const std::filesystem::path& path) {
  std::vector<FramePtr> frames;
  auto demuxer =
      ingest::VideoDemuxer::Open({path, path, ingest::InputKind::kFile, absl::OkStatus()}, MediaLimits());
  if (!demuxer.ok()) return frames;
  auto decoder = decode::VideoDecoder::Create((*demuxer)->track(), MediaLimits());
  if (!decoder.ok()) return frames;
  const auto receive = [&] {
    for (auto frame = (*decoder)->Receive(); frame.ok(); frame = (*decoder)->Receive())
      frames.push_back(*frame);
  };
  for (auto packet = (*demuxer)->Read(); packet.ok(); packet = (*demuxer)->Read()) {
    EXPECT_TRUE((*decoder)->Send(*packet).ok());
    receive();
  }
  EXPECT_TRUE((*decoder)->Send(nullptr).ok());
  receive();
  return frames;
}

// In luma and chroma.
inline FramePtr PictureOf(const std::filesystem::path& path) {
  Bytes bytes;
  EXPECT_TRUE(ReadFile(path, 1 << 30, &bytes).ok());
  const auto decoder = decode::PictureDecoder::Create(MediaLimits());
  const auto header = decoder->ReadHeader(bytes);
  EXPECT_TRUE(header.ok()) << header.status();
  auto frame = decoder->Decode(bytes, *header, {});
  EXPECT_TRUE(frame.ok() && (*frame)->format != PixelFormat::kRgb24);
  return *frame;
}

// The mean square of the differences between neighbours in a part of the luma plane: what detail there is.
inline double Detail(const Frame& frame, const Box& box) {
  const Box part = Clip(box, frame.size);
  double sum = 0;
  int count = 0;
  for (int y = static_cast<int>(part.y1); y + 1 < static_cast<int>(part.y2); ++y) {
    const uint8_t* row = frame.planes[0].data + static_cast<ptrdiff_t>(y) * frame.planes[0].stride;
    for (int x = static_cast<int>(part.x1); x + 1 < static_cast<int>(part.x2); ++x) {
      const double right = row[x + 1] - row[x], down = row[x + frame.planes[0].stride] - row[x];
      sum += right * right + down * down;
      count += 2;
    }
  }
  return count > 0 ? sum / count : 0;
}

}  // namespace sightline::cameras
