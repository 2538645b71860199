#include "cameras/stream/stream_connection.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
}

#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include "base/status.h"
#include "base/text.h"
#include "cameras/stream/lateness.h"
#include "stages/ingest/video_demuxer.h"

namespace sightline::cameras {
namespace {

using ingest::SourceNature;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr milliseconds kOpenMax{10'000};
constexpr milliseconds kPlaylistReadMax{15'000};  // segments may last so long
constexpr double kNoticeS = 0.15;                 // how long it may take to see that a deadline is over
constexpr int64_t kArrivalUnitsPerSecond = 90'000;
constexpr double kWaitedS = 1e-3;
constexpr double kNoPictureMaxS = 30;  // packets came, but nothing came out of them
constexpr double kSenderClockOffMaxS = 5;

MonotonicTime Earlier(MonotonicTime time, double seconds) {
  return time - duration_cast<MonotonicClock::duration>(std::chrono::duration<double>(seconds));
}

// Waits of the calling thread for something else than the processor.
long VoluntarySwitches() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

// When the sender says that the packet was made; ours where it does not say, or its clock is plainly wrong.
WallTime CapturedAt(const AVPacket& packet, WallTime came) {
  size_t size = 0;
  const uint8_t* data = av_packet_get_side_data(&packet, AV_PKT_DATA_PRFT, &size);
  if (data == nullptr || size < sizeof(AVProducerReferenceTime)) return came;
  AVProducerReferenceTime said;
  std::memcpy(&said, data, sizeof(said));
  const auto now_us = duration_cast<std::chrono::microseconds>(came.time_since_epoch()).count();
  const double off_s = (static_cast<double>(said.wallclock) - static_cast<double>(now_us)) * 1e-6;
  if (!(off_s > -kSenderClockOffMaxS && off_s < kSenderClockOffMaxS)) return came;
  return came + std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(off_s));
}

class Connection {
 public:
  Connection(const ingest::Input& input, const SourceOptions& options, const StreamContext& context,
             bool again, StreamControl* control, StreamOutput* output)
      : input_(input),
        options_(options),
        context_(context),
        again_(again),
        control_(*control),
        output_(*output) {}

  absl::Status Play() {
    output_.Begin();
    RETURN_IF_ERROR(Open());
    while (true) {
      const absl::Status status = Next();
      if (status.ok()) continue;
      if (absl::IsDeadlineExceeded(status) && output_.live_since())
        control_.Update([](StreamStatus& s) { ++s.stalls; });
      if (!recorded_ || absl::IsCancelled(status)) return Explained(status);
      RETURN_IF_ERROR(Decode(nullptr, {}, PacketUse::kDecode));
      return absl::IsOutOfRange(status) ? absl::OkStatus() : status;
    }
  }

 private:
  absl::Status Open();
  absl::Status Next();
  absl::Status Use(const AVPacket& packet, MonotonicTime now, bool waited);
  absl::Status Decode(const AVPacket* packet, const Arrival& arrival, PacketUse use);
  absl::Status CheckForPictures(MonotonicTime now);

  absl::Status Explained(const absl::Status& status) const {
    if (!absl::IsOutOfRange(status)) return status;
    return absl::UnavailableError("the camera ended the stream");
  }
  static double Seconds(const VideoTrack& track, int64_t units) {
    if (track.time_base_num <= 0 || track.time_base_den <= 0) return static_cast<double>(units) * 1e-3;
    return static_cast<double>(units) * static_cast<double>(track.time_base_num) /
           static_cast<double>(track.time_base_den);
  }

  const ingest::Input& input_;
  const SourceOptions& options_;
  const StreamContext& context_;
  const bool again_;
  StreamControl& control_;
  StreamOutput& output_;
  std::unique_ptr<ingest::VideoDemuxer> demuxer_;
  std::unique_ptr<StreamDecoder> decoder_;
  VideoTrack track_;
  bool recorded_ = false;  // it has an end that is no fault
  bool paced_ = false;     // packets are there before they are due
  bool hurried_ = false;   // it is played as fast as it goes
  bool rated_ = false;
  Pacer pacer_;
  Backlog backlog_;
  uint64_t damaged_ = 0;
  std::optional<MonotonicTime> no_picture_since_;
  std::vector<DecodedFrame> frames_;
};

absl::Status Connection::Open() {
  ingest::DemuxOptions demux;
  demux.timeouts.open = kOpenMax;
  const double stall_s = std::clamp(options_.stall_s, 0.1, 3600.);
  demux.timeouts.read = milliseconds(static_cast<int64_t>(1000 * std::max(stall_s - kNoticeS, stall_s / 2)));
  demux.timeouts.playlist_read = std::max(demux.timeouts.read, kPlaylistReadMax);
  demux.live = input_.kind == ingest::InputKind::kUrl;
  demux.rtsp_udp = options_.transport == RtspTransport::kUdp;
  demux.allowed_hosts = options_.allowed_hosts;
  demux.cancelled = [this] { return control_.interrupted(); };
  ASSIGN_OR_RETURN(demuxer_, ingest::VideoDemuxer::Open(input_, options_.limits, demux));
  VideoTrack track = demuxer_->track();
  const SourceNature nature = demuxer_->nature();
  recorded_ = nature == SourceNature::kRecorded;
  paced_ = nature == SourceNature::kSegments || (recorded_ && options_.real_time);
  hurried_ = recorded_ && !options_.real_time;
  const Timing timing = nature == SourceNature::kUntimed ? Timing::kArrival
                        : nature == SourceNature::kLive  ? Timing::kLive
                                                         : Timing::kTimestamps;
  if (timing == Timing::kArrival) {  // what is made up may be exact
    track.time_base_num = 1;
    track.time_base_den = kArrivalUnitsPerSecond;
  }
  output_.clock.Begin(timing, track.time_base_num, track.time_base_den,
                      1 / track.frames_per_second.value_or(25));
  track_ = output_.SetTrack(track, timing == Timing::kArrival);
  ASSIGN_OR_RETURN(decoder_, StreamDecoder::Create(track_, options_.limits));
  control_.RestartRate();
  if (!again_) control_.Update([](StreamStatus& status) { ++status.connects; });
  return absl::OkStatus();
}

absl::Status Connection::Next() {
  const MonotonicTime before = MonotonicClock::now();
  const long switches = VoluntarySwitches();
  auto packet = demuxer_->Read();
  if (control_.interrupted()) return absl::CancelledError("given up");
  if (!packet.ok()) return packet.status();
  const MonotonicTime now = MonotonicClock::now();
  // A thread that was only not given the processor has not waited for the camera.
  const bool waited = SecondsOf(now) - SecondsOf(before) > kWaitedS && VoluntarySwitches() > switches;
  return Use(**packet, now, waited);
}

absl::Status Connection::Use(const AVPacket& packet, MonotonicTime now, bool waited) {
  StreamClock::Stamp stamp;
  if (packet.pts != AV_NOPTS_VALUE) stamp.pts = packet.pts;
  if (packet.dts != AV_NOPTS_VALUE) stamp.dts = packet.dts;
  const StreamClock::Reading reading = output_.clock.Read(stamp, SecondsOf(now));
  if (reading.jumped) {
    output_.Jumped();
    backlog_.Restart();
  }
  // In the order in which packets are sent.
  const double order_s = reading.stamp.dts ? Seconds(track_, *reading.stamp.dts) : reading.stream_s;
  double late_s = 0;
  if (paced_) {
    const double due_s = pacer_.Due(order_s, SecondsOf(now));
    if (!control_.WaitUntil(Earlier(now, SecondsOf(now) - due_s))) return absl::CancelledError("given up");
    now = MonotonicClock::now();
    late_s = std::max(SecondsOf(now) - due_s, 0.);
  } else if (!hurried_) {
    late_s = backlog_.Late(order_s, SecondsOf(now), waited);
  }
  const auto demand = control_.demand();
  output_.choice.SetDemand(demand.economy, demand.interval_s);
  const bool key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
  const PacketUse use =
      output_.choice.Of(key, decoder_->intra_only(), reading.stream_s, late_s, output_.clock.frame_s());
  Arrival arrival;
  arrival.stream_s = reading.stream_s;
  arrival.epoch = output_.epoch();
  arrival.arrived = Earlier(now, late_s);
  const auto late = duration_cast<WallTime::duration>(std::chrono::duration<double>(late_s));
  arrival.captured = CapturedAt(packet, StreamControl::Wall() - late);
  // What was read ahead while connecting says nothing of the rate.
  rated_ |= waited || recorded_ || paced_;
  control_.CountPacket(rated_ ? std::optional(now) : std::nullopt, static_cast<uint64_t>(packet.size));
  const auto timed = output_.GivePacket(packet, reading, arrival.captured);
  if (timed == nullptr) return absl::ResourceExhaustedError("out of memory");
  RETURN_IF_ERROR(Decode(timed.get(), arrival, use));
  return use == PacketUse::kLeaveOut ? absl::OkStatus() : CheckForPictures(now);
}

// Without a packet: what the decoder still holds.
absl::Status Connection::Decode(const AVPacket* packet, const Arrival& arrival, PacketUse use) {
  if (use == PacketUse::kLeaveOut) {
    control_.Update([&](StreamStatus& s) { s.left_out_late = output_.choice.left_out_late(); });
    return absl::OkStatus();
  }
  if (context_.gate && !context_.gate->Enter([this] { return control_.interrupted(); }))
    return absl::CancelledError("given up");
  const double cpu_s = ThreadCpuSeconds();
  frames_.clear();
  absl::Status status = packet != nullptr ? decoder_->Decode(*packet, arrival, use, &output_.choice, &frames_)
                                          : decoder_->Drain(&output_.choice, &frames_);
  const double used_s = ThreadCpuSeconds() - cpu_s;
  if (context_.gate) context_.gate->Leave();
  const uint64_t damaged = decoder_->damaged();
  control_.Update([&](StreamStatus& s) {
    s.decode_cpu_s += used_s;
    s.damaged += damaged - damaged_;
  });
  damaged_ = damaged;
  for (const DecodedFrame& frame : frames_) {
    if (!output_.GiveFrame(frame, hurried_)) return absl::CancelledError("given up");
  }
  if (!frames_.empty()) no_picture_since_.reset();
  frames_.clear();
  return status;
}

absl::Status Connection::CheckForPictures(MonotonicTime now) {
  if (!no_picture_since_) no_picture_since_ = now;
  if (SecondsOf(now) - SecondsOf(*no_picture_since_) < kNoPictureMaxS || recorded_) return absl::OkStatus();
  return absl::DataLossError(
      fmt::format("data comes, but for {:.0f} s no picture could be decoded from it", kNoPictureMaxS));
}

double LiveSeconds(const StreamOutput& output) {
  return output.live_since() ? SecondsOf(MonotonicClock::now()) - SecondsOf(*output.live_since()) : 0;
}

}  // namespace

ConnectionEnd PlaySource(const ingest::Input& input, const SourceOptions& options,
                         const StreamContext& context, bool again, StreamControl* control,
                         StreamOutput* output) {
  ConnectionEnd end;
  {
    Connection connection(input, options, context, again, control, output);
    end.status = connection.Play();
  }
  end.live_s = LiveSeconds(*output);
  return end;
}

}  // namespace sightline::cameras
