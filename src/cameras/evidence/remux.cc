#include "cameras/evidence/remux.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
}

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "base/check.h"
#include "base/status.h"
#include "cameras/evidence/packet_ring.h"
#include "stages/sinks/mp4_file.h"

namespace sightline::cameras {
namespace {

constexpr int kTicksPerSecond = sinks::Mp4File::kTicksPerSecond;
constexpr int64_t kDefaultStep = kTicksPerSecond / 25;  // of a lone picture

struct Times {
  int64_t pts = 0, dts = 0;
};

bool HasDts(const LivePacket& packet) {
  return packet.packet->dts != AV_NOPTS_VALUE && packet.packet->pts != AV_NOPTS_VALUE;
}

// In ticks from the first packet's decoding on: dts rise and are never after pts.
std::vector<Times> TimesOf(absl::Span<const LivePacket> packets) {
  const double origin_s = OrderOf(packets.front());
  const auto ticks = [&](double at_s) { return std::llround((at_s - origin_s) * kTicksPerSecond); };
  std::vector<Times> times;
  for (const LivePacket& packet : packets) times.push_back({ticks(packet.stream_s), ticks(OrderOf(packet))});
  if (!std::all_of(packets.begin(), packets.end(), HasDts)) {
    // Decoding goes by the order of presentation, so much earlier that no picture comes too late.
    std::vector<int64_t> sorted;
    for (const Times& t : times) sorted.push_back(t.pts);
    std::sort(sorted.begin(), sorted.end());
    int64_t early = 0;
    for (size_t i = 0; i < times.size(); ++i) early = std::max(early, sorted[i] - times[i].pts);
    for (size_t i = 0; i < times.size(); ++i) times[i].dts = sorted[i] - early;
  }
  const int64_t shift = times.front().dts;
  int64_t last = -1;
  for (Times& t : times) {
    t.dts = std::max(t.dts - shift, last + 1);
    t.pts = std::max(t.pts - shift, t.dts);
    last = t.dts;
  }
  return times;
}

// MP4 wants parameter sets in its header. Cameras that did not describe them send them with each keyframe.
void AddParameterSets(const AVPacket& first, AVCodecParameters* parameters) {
  const AVBitStreamFilter* filter = av_bsf_get_by_name("extract_extradata");
  const bool wanted = parameters->codec_id == AV_CODEC_ID_H264 || parameters->codec_id == AV_CODEC_ID_HEVC ||
                      parameters->codec_id == AV_CODEC_ID_MPEG4 || parameters->codec_id == AV_CODEC_ID_AV1;
  if (!wanted || parameters->extradata_size > 0 || filter == nullptr) return;
  AVBSFContext* context = nullptr;
  AVPacket* packet = av_packet_clone(&first);
  const auto free_all = absl::MakeCleanup([&] {
    av_bsf_free(&context);
    av_packet_free(&packet);
  });
  if (packet == nullptr || av_bsf_alloc(filter, &context) < 0) return;
  if (avcodec_parameters_copy(context->par_in, parameters) < 0 || av_bsf_init(context) < 0) return;
  if (av_bsf_send_packet(context, packet) < 0 || av_bsf_receive_packet(context, packet) < 0) return;
  size_t size = 0;
  const uint8_t* sets = av_packet_get_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, &size);
  if (sets == nullptr || size == 0 || size > (1 << 20)) return;
  parameters->extradata = static_cast<uint8_t*>(av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE));
  CHECK(parameters->extradata != nullptr) << "out of memory";
  std::memcpy(parameters->extradata, sets, size);
  parameters->extradata_size = static_cast<int>(size);
}

absl::Status Open(const VideoTrack& track, const AVPacket& first, sinks::Mp4File* file) {
  RETURN_IF_ERROR(file->Begin());
  AVStream* stream = file->stream();
  if (const int code = avcodec_parameters_copy(stream->codecpar, track.parameters.get()); code < 0)
    return file->Failed(code);
  stream->codecpar->codec_tag = 0;  // of another container
  AddParameterSets(first, stream->codecpar);
  if (track.rotation != 0) {
    if (uint8_t* matrix = av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, 9 * sizeof(int32_t)))
      av_display_rotation_set(reinterpret_cast<int32_t*>(matrix), -track.rotation);
  }
  return file->Open();
}

absl::Status Write(const LivePacket& packet, const Times& times, int64_t duration, sinks::Mp4File* file) {
  AVPacket* copy = av_packet_clone(packet.packet.get());
  CHECK(copy != nullptr) << "out of memory";
  const auto free_copy = absl::MakeCleanup([&] { av_packet_free(&copy); });
  copy->stream_index = 0;
  copy->pts = times.pts;
  copy->dts = times.dts;
  copy->duration = duration;
  copy->pos = -1;
  copy->flags = packet.key ? AV_PKT_FLAG_KEY : 0;
  av_packet_rescale_ts(copy, {1, kTicksPerSecond}, file->stream()->time_base);
  if (const int code = av_write_frame(file->format(), copy); code < 0) return file->Failed(code);
  return absl::OkStatus();
}

}  // namespace

bool CanRemux(const VideoTrack& track) {
  static const AVOutputFormat* const mp4 = av_guess_format("mp4", nullptr, nullptr);
  return mp4 != nullptr && avformat_query_codec(mp4, track.parameters->codec_id, FF_COMPLIANCE_NORMAL) == 1;
}

absl::Status Remux(absl::Span<const LivePacket> packets, const std::filesystem::path& path) {
  if (packets.empty()) return absl::InvalidArgumentError("a clip without packets");
  sinks::Mp4File file(path);
  RETURN_IF_ERROR(Open(*packets.front().track, *packets.front().packet, &file));
  const std::vector<Times> times = TimesOf(packets);
  int64_t duration = kDefaultStep;
  for (size_t i = 0; i < packets.size(); ++i) {
    if (i + 1 < packets.size()) duration = times[i + 1].dts - times[i].dts;
    RETURN_IF_ERROR(Write(packets[i], times[i], duration, &file));
  }
  return file.Finish();
}

}  // namespace sightline::cameras
