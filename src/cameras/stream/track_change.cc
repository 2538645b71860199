#include "cameras/stream/track_change.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
}

#include <cstring>

#include "base/check.h"

namespace sightline::cameras {
namespace {

// Takes the headers out of a keyframe, as containers want them.
void UpdateHeaders(AVCodecParameters* parameters, const AVPacket& key) {
  const AVBitStreamFilter* filter = av_bsf_get_by_name("extract_extradata");
  AVBSFContext* context = nullptr;
  if (filter == nullptr || av_bsf_alloc(filter, &context) < 0) return;
  AVPacket* packet = av_packet_clone(&key);
  CHECK(packet != nullptr) << "out of memory";
  size_t size = 0;
  const uint8_t* headers = nullptr;
  if (avcodec_parameters_copy(context->par_in, parameters) >= 0 && av_bsf_init(context) >= 0 &&
      av_bsf_send_packet(context, packet) >= 0 && av_bsf_receive_packet(context, packet) >= 0) {
    headers = av_packet_get_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, &size);
  }
  if (headers != nullptr && size > 0 && size < (1u << 20)) {
    av_freep(&parameters->extradata);
    parameters->extradata = static_cast<uint8_t*>(av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE));
    CHECK(parameters->extradata != nullptr) << "out of memory";
    std::memcpy(parameters->extradata, headers, size);
    parameters->extradata_size = static_cast<int>(size);
  }
  av_packet_free(&packet);
  av_bsf_free(&context);
}

}  // namespace

bool SameTrack(const VideoTrack& a, const VideoTrack& b) {
  const AVCodecParameters &p = *a.parameters, &q = *b.parameters;
  const bool same_headers =
      p.extradata_size == q.extradata_size &&
      (p.extradata_size <= 0 ||
       std::memcmp(p.extradata, q.extradata, static_cast<size_t>(p.extradata_size)) == 0);
  return p.codec_id == q.codec_id && p.width == q.width && p.height == q.height && p.format == q.format &&
         p.codec_tag == q.codec_tag && same_headers && a.time_base_num == b.time_base_num &&
         a.time_base_den == b.time_base_den && a.rotation == b.rotation;
}

std::shared_ptr<const VideoTrack> TrackOfSize(const VideoTrack& track, Size size, const AVPacket* key) {
  AVCodecParameters* parameters = avcodec_parameters_alloc();
  CHECK(parameters != nullptr && avcodec_parameters_copy(parameters, track.parameters.get()) >= 0)
      << "out of memory";
  const bool turned = track.rotation % 180 != 0;
  parameters->width = turned ? size.height : size.width;
  parameters->height = turned ? size.width : size.height;
  if (key != nullptr) UpdateHeaders(parameters, *key);
  auto changed = std::make_shared<VideoTrack>(track);
  changed->parameters = std::shared_ptr<const AVCodecParameters>(
      parameters, [](AVCodecParameters* p) { avcodec_parameters_free(&p); });
  return changed;
}

Size SizeOf(const VideoTrack& track) {
  const Size stored{track.parameters->width, track.parameters->height};
  return track.rotation % 180 != 0 ? Size{stored.height, stored.width} : stored;
}

std::string_view CodecName(const VideoTrack& track) { return avcodec_get_name(track.parameters->codec_id); }

}  // namespace sightline::cameras
