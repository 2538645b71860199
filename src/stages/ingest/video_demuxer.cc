#include "stages/ingest/video_demuxer.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/check.h"
#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"
#include "stages/ingest/byte_source.h"
#include "stages/ingest/container_policy.h"
#include "stages/ingest/libav_log.h"
#include "stages/ingest/local_camera.h"
#include "stages/ingest/video_track.h"

namespace sightline::ingest {
namespace {

constexpr int64_t kProbeBytesMax = 5'000'000;
constexpr int64_t kAnalyzeMicroseconds = 5'000'000;
constexpr int64_t kAnalyzeLiveMicroseconds = 1'500'000;
constexpr int64_t kUdpBufferBytes = 2 << 20;  // a keyframe comes in one burst
constexpr int kStreamsMax = 64;
// Packets of other tracks, or empty ones, in a row before the video is given up.
constexpr int kIdlePacketsMax = 1'000'000;

constexpr std::string_view kSaidCut = "File ended prematurely";  // Matroska
absl::Status Cut() { return absl::DataLossError("the file ends early (truncated?)"); }

class Options {
 public:
  Options() = default;
  ~Options() { av_dict_free(&dictionary_); }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  void Set(const char* key, int64_t value) { av_dict_set_int(&dictionary_, key, value, 0); }
  void Set(const char* key, const char* value) { av_dict_set(&dictionary_, key, value, 0); }
  AVDictionary** get() { return &dictionary_; }

 private:
  AVDictionary* dictionary_ = nullptr;
};

class LibavDemuxer final : public VideoDemuxer {
 public:
  LibavDemuxer(const MediaLimits& limits, const DemuxOptions& options)
      : limits_(limits), options_(options), timeouts_(options.timeouts), packet_(av_packet_alloc()) {
    CHECK(packet_ != nullptr) << "out of memory";
    SetDeadline(timeouts_.open);
  }
  ~LibavDemuxer() override {
    avformat_close_input(&format_);
    av_packet_free(&packet_);
  }

  absl::Status OpenFile(const std::string& path) {
    ASSIGN_OR_RETURN(auto reader, OpenFileReader(path));
    return OpenReader(std::move(reader), path);
  }
  absl::Status OpenBytes(absl::Span<const uint8_t> bytes) {
    return OpenReader(NewMemoryReader(bytes), "memory");
  }
  absl::Status OpenHttp(const std::string& url) {
    ASSIGN_OR_RETURN(const Url parsed, ParseUrl(url));
    policy_.emplace(parsed.host);
    auto reader = OpenUrlReader(url, UrlOptions(), &*policy_, &base_url_);
    if (!reader.ok()) return Late(reader.status());
    return OpenReader(*std::move(reader), base_url_);
  }
  absl::Status OpenRtsp(const std::string& url);

  const VideoTrack& track() const override { return track_; }
  SourceNature nature() const override;
  absl::StatusOr<AVPacket*> Read() override;

 private:
  absl::Status OpenReader(std::unique_ptr<ByteReader> reader, const std::string& address);
  absl::Status StartRtsp(const std::string& url);
  absl::Status Start(const AVInputFormat* input_format, const std::string& address, Options* options);
  absl::StatusOr<const AVInputFormat*> Probe(const std::string& address);
  absl::StatusOr<AVPacket*> ReadPacket();
  absl::Status AtEnd() const;
  absl::Status Failure(int error, const LibavWords& words) const;

  static int OpenNested(AVFormatContext* format, AVIOContext** context, const char* url, int flags,
                        AVDictionary** options);
  static int CloseNested(AVFormatContext* format, AVIOContext* context);
  static int IsInterrupted(void* self);

  HttpOptions UrlOptions() const {
    HttpOptions options;
    options.bytes_max = limits_.download_bytes_max;
    options.idle_timeout = std::min(options.idle_timeout, timeouts_.read);
    options.connect_timeout = std::min(options.connect_timeout, timeouts_.open);
    if (options_.cancelled) {
      // The deadline of what is being done decides, asked all the time.
      options.idle_timeout = std::max(timeouts_.open, timeouts_.read);
      options.cancelled = [this] { return IsOver(); };
    }
    return options;
  }
  bool is_transport_stream() const {
    const std::string_view name = format_->iformat->name;
    return name == "mpegts" || name == "hls" || name == "rtsp";
  }
  bool is_network() const { return !base_url_.empty(); }
  void SetDeadline(std::chrono::milliseconds from_now) { deadline_ = MonotonicClock::now() + from_now; }
  auto DeadlineSource() {
    return [this] { return is_network() ? deadline_ : MonotonicTime::max(); };
  }
  bool IsCancelled() const { return options_.cancelled && options_.cancelled(); }
  bool IsOver() const { return IsCancelled() || MonotonicClock::now() > deadline_; }
  // What was given up is given up for one of two reasons.
  absl::Status Late(const absl::Status& status) const {
    if (!absl::IsCancelled(status) || IsCancelled()) return status;
    return absl::DeadlineExceededError("the server does not answer in time");
  }
  AddressPolicy* PolicyOf(std::string_view url);

  const MediaLimits limits_;
  const DemuxOptions options_;
  DemuxTimeouts timeouts_;
  std::string base_url_;  // after redirects; "" for files
  std::optional<AddressPolicy> policy_;
  std::unordered_map<std::string, AddressPolicy>
      allowed_policies_;  // of allowed hosts, named by a person too
  std::unique_ptr<ByteSource> source_;
  std::unordered_map<AVIOContext*, std::unique_ptr<ByteSource>> nested_;
  MonotonicTime deadline_;
  absl::Status refused_;        // a nested address that may not be opened: ends everything
  absl::Status nested_status_;  // the first nested address that failed to open or read
  AVFormatContext* format_ = nullptr;
  AVPacket* packet_;
  int stream_ = -1;
  VideoTrack track_;
  bool said_cut_ = false;  // the demuxer itself met the end too early
  absl::Status finished_;  // what every further Read() says
};

absl::StatusOr<const AVInputFormat*> LibavDemuxer::Probe(const std::string& address) {
  const AVInputFormat* input_format = nullptr;
  LibavWords words;
  const int error =
      av_probe_input_buffer2(source_->context(), &input_format, address.c_str(), nullptr, 0, kProbeBytesMax);
  if (error < 0) {
    if (!source_->status().ok()) return source_->status();
    if (source_->reader().size() == uint64_t{0}) return absl::DataLossError("the file is empty");
    return absl::DataLossError("no video in any format that is known");
  }
  switch (KindOfContainer(input_format->name)) {
    case ContainerKind::kVideo:
      return input_format;
    case ContainerKind::kPlaylist:
      if (is_network()) return input_format;
      return absl::PermissionDeniedError(
          "a playlist (HLS) in a file is not followed; give its http(s) URL, or the videos themselves");
    case ContainerKind::kPointer:
      return absl::PermissionDeniedError(
          fmt::format("a list that points to other media ({}) is not followed; give the videos themselves",
                      input_format->name));
    case ContainerKind::kOther:
      break;
  }
  return absl::DataLossError(fmt::format("no video (it looks like {})", input_format->name));
}

absl::Status LibavDemuxer::OpenReader(std::unique_ptr<ByteReader> reader, const std::string& address) {
  source_ = std::make_unique<ByteSource>(std::move(reader), DeadlineSource());
  ASSIGN_OR_RETURN(const AVInputFormat* input_format, Probe(address));
  Options options;
  options.Set("protocol_whitelist", "none");  // all bytes come through OpenNested
  options.Set("format_whitelist",
              "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,h263,h261,"
              "m4v,flv,live_flv,asf,ogg,ivf,mjpeg,mpjpeg,obu,av1,nut,dv,mxf,gxf,rm,yuv4mpegpipe,wtv,"
              "vc1,dhav,dirac,swf,hls,aac,mp3,ac3,eac3,webvtt");
  if (KindOfContainer(input_format->name) == ContainerKind::kPlaylist) {
    // Names decide nothing: what may be opened is decided by OpenNested.
    options.Set("allowed_extensions", "ALL");
    options.Set("allowed_segment_extensions", "ALL");
    options.Set("extension_picky", int64_t{0});
    options.Set("http_persistent", int64_t{0});
    options.Set("http_multiple", int64_t{0});
  }
  format_ = avformat_alloc_context();
  CHECK(format_ != nullptr) << "out of memory";
  format_->pb = source_->context();
  return Start(input_format, address, &options);
}

absl::Status LibavDemuxer::OpenRtsp(const std::string& url) {
  ASSIGN_OR_RETURN(const Url parsed, ParseUrl(url));
  base_url_ = url;
  policy_.emplace(parsed.host);
  const auto addresses = policy_->LookUp(parsed.host, [this] { return IsOver(); });
  if (!addresses.ok()) return Late(addresses.status());
  // libav looks names up by itself and cannot be interrupted in it. TLS wants the name.
  if (!options_.cancelled || parsed.scheme != "rtsp") return StartRtsp(url);
  absl::Status status;
  for (const std::string& address : *addresses) {
    Url numeric = parsed;
    numeric.host = address;
    status = StartRtsp(numeric.Text());
    if (!absl::IsUnavailable(status) || IsOver()) return status;
  }
  return status;
}

absl::Status LibavDemuxer::StartRtsp(const std::string& url) {
  Options options;
  // Unless asked over TCP only: with UDP the server would name the addresses to send to.
  options.Set("rtsp_transport", options_.rtsp_udp ? "udp" : "tcp");
  if (options_.rtsp_udp) {
    options.Set("rtsp_flags", "filter_src");
    options.Set("buffer_size", kUdpBufferBytes);
  }
  // Where somebody asks all the time, the deadline of what is being done decides.
  const auto limit = options_.cancelled ? std::max(timeouts_.open, timeouts_.read) : timeouts_.read;
  options.Set("timeout", std::chrono::microseconds(limit).count());
  options.Set("protocol_whitelist",
              options_.rtsp_udp ? "rtsp,rtsps,rtp,tcp,tls,udp" : "rtsp,rtsps,rtp,tcp,tls");
  options.Set("format_whitelist", "rtsp,mpegts");
  format_ = avformat_alloc_context();
  CHECK(format_ != nullptr) << "out of memory";
  return Start(av_find_input_format("rtsp"), url, &options);
}

absl::Status LibavDemuxer::Start(const AVInputFormat* input_format, const std::string& address,
                                 Options* options) {
  options->Set("probesize", kProbeBytesMax);
  options->Set("analyzeduration", options_.live ? kAnalyzeLiveMicroseconds : kAnalyzeMicroseconds);
  if (options_.live) options->Set("fpsprobesize", int64_t{3});
  options->Set("max_streams", kStreamsMax);
  format_->opaque = this;
  format_->io_open = &OpenNested;
  format_->io_close2 = &CloseNested;
  format_->interrupt_callback = {&IsInterrupted, this};
  LibavWords words;
  // Frees the context when it fails.
  if (const int error = avformat_open_input(&format_, address.c_str(), input_format, options->get());
      error < 0) {
    return Failure(error, words);
  }
  std::array<AVDictionary*, kStreamsMax> stream_options{};
  const unsigned streams = std::min<unsigned>(format_->nb_streams, kStreamsMax);
  for (unsigned i = 0; i < streams; ++i)
    av_dict_set_int(&stream_options[i], "max_pixels", limits_.pixels_max, 0);
  // Reading on may find more streams than there are options for, but uses options only of those that it knew.
  const int error =
      avformat_find_stream_info(format_, streams == format_->nb_streams ? stream_options.data() : nullptr);
  for (AVDictionary*& dictionary : stream_options) av_dict_free(&dictionary);
  if (error < 0 || !refused_.ok()) return Failure(error, words);
  said_cut_ = words.Heard(kSaidCut);
  const auto chosen = ChooseVideoStream(*format_);
  if (!chosen) {
    if (!source_ || !source_->status().ok() || !nested_status_.ok())
      return Failure(AVERROR_INVALIDDATA, words);
    return absl::DataLossError(words.first().empty()
                                   ? "it has no video track"
                                   : fmt::format("it has no video track ({})", words.first()));
  }
  stream_ = *chosen;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    if (static_cast<int>(i) != stream_) format_->streams[i]->discard = AVDISCARD_ALL;
  }
  ASSIGN_OR_RETURN(track_, DescribeTrack(*format_, *format_->streams[stream_], limits_));
  return absl::OkStatus();
}

absl::Status LibavDemuxer::Failure(int error, const LibavWords& words) const {
  if (!refused_.ok()) return refused_;
  if (IsCancelled()) return absl::CancelledError("given up");
  if (source_ && !source_->status().ok()) return Late(source_->status());
  if (!nested_status_.ok()) return Late(nested_status_);
  // HLS refuses some addresses by itself, before it asks us.
  constexpr std::string_view kBadSegment = "Error when loading first segment '";
  if (const size_t at = words.first().find(kBadSegment); at != std::string::npos) {
    const std::string_view rest = std::string_view(words.first()).substr(at + kBadSegment.size());
    RETURN_IF_ERROR(CheckNestedUrl(base_url_, rest.substr(0, rest.rfind('\'')), options_.allowed_hosts));
  }
  return LibavStatus(error, words.first());
}

absl::StatusOr<AVPacket*> LibavDemuxer::Read() {
  if (!finished_.ok()) return finished_;
  auto packet = ReadPacket();
  if (!packet.ok()) finished_ = packet.status();
  return packet;
}

absl::StatusOr<AVPacket*> LibavDemuxer::ReadPacket() {
  const bool in_bursts = timeouts_.playlist_read.count() > 0 && nature() == SourceNature::kSegments;
  SetDeadline(in_bursts ? timeouts_.playlist_read : timeouts_.read);
  LibavWords words;
  for (int idle = 0; idle < kIdlePacketsMax; ++idle) {
    av_packet_unref(packet_);
    const int error = av_read_frame(format_, packet_);
    said_cut_ |= words.Heard(kSaidCut);
    if (!refused_.ok()) return refused_;
    if (IsCancelled()) return absl::CancelledError("given up");
    if (error < 0 || packet_->stream_index != stream_ || packet_->size == 0) {
      // Other tracks may go on while the video has stopped.
      if (is_network() && MonotonicClock::now() > deadline_)
        return absl::DeadlineExceededError("the stream sends nothing any more");
      if (error == AVERROR_EOF) return AtEnd();
      if (error < 0 && error != AVERROR(EAGAIN)) return Failure(error, words);
      continue;
    }
    // A packet that the file's end cuts is not whole; what a transport stream has lost is the decoder's to
    // judge.
    if ((packet_->flags & AV_PKT_FLAG_CORRUPT) != 0 && !is_transport_stream()) return Cut();
    return packet_;
  }
  return absl::DataLossError("its video track has no more packets, but the file does not end");
}

// Whether the end is really the end: containers know better than the bytes that happen to be there.
absl::Status LibavDemuxer::AtEnd() const {
  if (source_ && !source_->status().ok()) return source_->status();
  if (!nested_status_.ok()) return nested_status_;
  if (said_cut_) return Cut();
  const std::string_view name = format_->iformat->name;
  const auto size = source_ ? source_->reader().size() : std::nullopt;
  if (name.starts_with("mov,") && size) {
    AVStream* stream = format_->streams[stream_];
    for (int i = avformat_index_get_entries_count(stream) - 1; i >= 0; --i) {
      const AVIndexEntry* entry = avformat_index_get_entry(stream, i);
      if (entry->pos >= 0 && static_cast<uint64_t>(entry->pos) + static_cast<uint64_t>(entry->size) > *size)
        return Cut();
    }
  }
  return absl::OutOfRangeError("the end of the video");
}

int LibavDemuxer::OpenNested(AVFormatContext* format, AVIOContext** context, const char* url, int flags,
                             AVDictionary**) {
  auto* self = static_cast<LibavDemuxer*>(format->opaque);
  if (!self->is_network()) {
    self->refused_ = absl::PermissionDeniedError(
        fmt::format("the file points to {}, which is not followed", ToValidUtf8(WithoutAnyCredentials(url))));
    return AVERROR(EACCES);
  }
  absl::Status status = CheckNestedUrl(self->base_url_, url, self->options_.allowed_hosts);
  if ((flags & AVIO_FLAG_WRITE) != 0) status = absl::PermissionDeniedError("a stream that wants to write");
  if (!status.ok()) {
    self->refused_ = status;
    return AVERROR(EACCES);
  }
  std::string final_url;
  auto reader = OpenUrlReader(url, self->UrlOptions(), self->PolicyOf(url), &final_url);
  if (!reader.ok()) {
    const bool refused = absl::IsPermissionDenied(reader.status());
    (refused ? self->refused_ : self->nested_status_).Update(reader.status());
    return refused ? AVERROR(EACCES) : AVERROR(EIO);
  }
  auto source = std::make_unique<ByteSource>(*std::move(reader), self->DeadlineSource());
  *context = source->context();
  self->nested_[*context] = std::move(source);
  return 0;
}

// What a playlist's own host may lead to does not tell where an allowed host may be.
AddressPolicy* LibavDemuxer::PolicyOf(std::string_view url) {
  const auto parsed = ParseUrl(url);
  const auto base = ParseUrl(base_url_);
  if (!parsed.ok() || !base.ok() || parsed->host == base->host) return &*policy_;
  return &allowed_policies_.try_emplace(parsed->host, parsed->host).first->second;
}

SourceNature LibavDemuxer::nature() const {
  const std::string_view name = format_->iformat->name;
  if (!is_network()) return SourceNature::kRecorded;
  if (name == "rtsp") return SourceNature::kLive;
  if (name == "hls") return SourceNature::kSegments;
  if (source_ && source_->reader().size()) return SourceNature::kRecorded;
  return name == "mpjpeg" || name == "mjpeg" ? SourceNature::kUntimed : SourceNature::kLive;
}

int LibavDemuxer::CloseNested(AVFormatContext* format, AVIOContext* context) {
  auto* self = static_cast<LibavDemuxer*>(format->opaque);
  const auto found = self->nested_.find(context);
  if (found == self->nested_.end()) return 0;
  self->nested_status_.Update(found->second->status());
  self->nested_.erase(found);
  return 0;
}

int LibavDemuxer::IsInterrupted(void* self) {
  const auto* demuxer = static_cast<const LibavDemuxer*>(self);
  if (!demuxer->refused_.ok() || demuxer->IsCancelled()) return 1;
  return demuxer->is_network() && MonotonicClock::now() > demuxer->deadline_ ? 1 : 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<VideoDemuxer>> VideoDemuxer::Open(const Input& input,
                                                                 const MediaLimits& limits,
                                                                 const DemuxOptions& options) {
  RETURN_IF_ERROR(input.status);
  if (input.kind == InputKind::kFile && IsLocalCamera(input.address)) {
    auto camera = OpenLocalCamera(input.address, limits, options);
    if (!camera.ok()) return Annotate(camera.status(), input.name);
    return camera;
  }
  SetUpLibav();
  auto demuxer = std::make_unique<LibavDemuxer>(limits, options);
  const absl::Status status = input.kind == InputKind::kFile ? demuxer->OpenFile(input.address)
                              : IsStream(input)              ? demuxer->OpenRtsp(input.address)
                                                             : demuxer->OpenHttp(input.address);
  if (status.ok()) return demuxer;
  return MessageOf(status).starts_with(input.name) ? status : Annotate(status, input.name);
}

absl::StatusOr<std::unique_ptr<VideoDemuxer>> VideoDemuxer::OpenBytes(absl::Span<const uint8_t> bytes,
                                                                      const MediaLimits& limits) {
  SetUpLibav();
  auto demuxer = std::make_unique<LibavDemuxer>(limits, DemuxOptions());
  RETURN_IF_ERROR(demuxer->OpenBytes(bytes));
  return demuxer;
}

}  // namespace sightline::ingest
