#include "stages/ingest/video_track.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
}

#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace sightline::ingest {
namespace {

// Clockwise degrees to turn for display, to the nearest quarter; a mirror in the matrix is not honoured.
int RotationOf(const AVStream& stream) {
  size_t size = 0;
  const uint8_t* matrix = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  if (matrix == nullptr || size < 9 * sizeof(int32_t)) return 0;
  const double counterclockwise = av_display_rotation_get(reinterpret_cast<const int32_t*>(matrix));
  if (!std::isfinite(counterclockwise)) return 0;
  const int quarters = static_cast<int>(std::lround(-counterclockwise / 90));
  return ((quarters % 4 + 4) % 4) * 90;
}

std::optional<double> Rate(AVRational rate) {
  if (rate.num <= 0 || rate.den <= 0) return std::nullopt;
  return av_q2d(rate);
}

}  // namespace

std::optional<int> ChooseVideoStream(const AVFormatContext& format) {
  std::optional<int> best;
  std::pair<bool, int64_t> best_rank{};
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const AVStream& stream = *format.streams[i];
    const AVCodecParameters& codec = *stream.codecpar;
    if (codec.codec_type != AVMEDIA_TYPE_VIDEO || codec.codec_id == AV_CODEC_ID_NONE) continue;
    if ((stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) != 0) continue;
    const std::pair<bool, int64_t> rank{(stream.disposition & AV_DISPOSITION_DEFAULT) != 0,
                                        int64_t{codec.width} * codec.height};
    if (best && rank <= best_rank) continue;
    best = static_cast<int>(i);
    best_rank = rank;
  }
  return best;
}

absl::StatusOr<VideoTrack> DescribeTrack(const AVFormatContext& format, AVStream& stream,
                                         const MediaLimits& limits) {
  const AVCodecParameters& codec = *stream.codecpar;
  if (avcodec_find_decoder(codec.codec_id) == nullptr) {
    return absl::UnimplementedError(fmt::format("no decoder for {} video", avcodec_get_name(codec.codec_id)));
  }
  if (int64_t{codec.width} * codec.height > limits.pixels_max || codec.width > limits.side_max ||
      codec.height > limits.side_max) {
    return absl::ResourceExhaustedError(
        fmt::format("its frames of {}x{} are over the limit of {} pixels, {} a side", codec.width,
                    codec.height, limits.pixels_max, limits.side_max));
  }
  AVCodecParameters* copy = avcodec_parameters_alloc();
  CHECK(copy != nullptr && avcodec_parameters_copy(copy, &codec) >= 0) << "out of memory";
  VideoTrack track;
  track.parameters = std::shared_ptr<const AVCodecParameters>(
      copy, [](AVCodecParameters* p) { avcodec_parameters_free(&p); });
  track.time_base_num = stream.time_base.num;
  track.time_base_den = stream.time_base.den;
  if (stream.start_time != AV_NOPTS_VALUE) track.start_time = stream.start_time;
  track.rotation = RotationOf(stream);
  const AVRational aspect =
      stream.sample_aspect_ratio.num > 0 ? stream.sample_aspect_ratio : codec.sample_aspect_ratio;
  track.sample_aspect_ratio = Rate(aspect).value_or(1);
  track.frames_per_second = Rate(stream.avg_frame_rate);
  if (!track.frames_per_second) track.frames_per_second = Rate(stream.r_frame_rate);
  if (stream.duration != AV_NOPTS_VALUE && stream.duration > 0) {
    track.duration_s = static_cast<double>(stream.duration) * av_q2d(stream.time_base);
  } else if (format.duration != AV_NOPTS_VALUE && format.duration > 0) {
    track.duration_s = static_cast<double>(format.duration) / AV_TIME_BASE;
  }
  if (stream.nb_frames > 0) {
    track.frames_estimate = stream.nb_frames;
  } else if (track.duration_s && track.frames_per_second) {
    const double frames = *track.duration_s * *track.frames_per_second;
    if (frames < 1e15) track.frames_estimate = std::llround(frames);
  }
  return track;
}

}  // namespace sightline::ingest
