#include <algorithm>

#include "base/status.h"
#include "base/text.h"
#include "cameras/stream/lateness.h"
#include "cameras/stream/stream_connection.h"

namespace sightline::cameras {
namespace {

constexpr int64_t kUnitsPerSecond = 1'000'000;
constexpr int kLostInARowMax = 1000;

class SimulatedConnection {
 public:
  SimulatedConnection(const SourceOptions& options, const StreamContext& context, StreamControl* control,
                      StreamOutput* output)
      : options_(options), context_(context), control_(*control), output_(*output) {}

  absl::Status Play(const ingest::Input& input, bool again) {
    output_.Begin();
    ASSIGN_OR_RETURN(source_, context_.open_simulated(input));
    const double rate = source_->format().frames_per_second;
    control_.Update([](StreamStatus& status) { status.codec = "simulated"; });
    output_.clock.Begin(Timing::kTimestamps, 1, kUnitsPerSecond, rate > 0 ? 1 / rate : 0);
    control_.RestartRate();
    if (!again) control_.Update([](StreamStatus& status) { ++status.connects; });
    while (true) {
      if (control_.interrupted()) return absl::CancelledError("given up");
      auto frame = Next();
      if (absl::IsOutOfRange(frame.status())) return absl::OkStatus();
      if (absl::IsDataLoss(frame.status()) && ++lost_ < kLostInARowMax) {
        control_.Update([](StreamStatus& status) { ++status.damaged; });
        continue;
      }
      if (!frame.ok()) return frame.status();
      lost_ = 0;
      RETURN_IF_ERROR(Give(*frame));
    }
  }

 private:
  // Drawing a frame takes the processor as decoding one does.
  absl::StatusOr<SourceFrame> Next() {
    if (context_.gate && !context_.gate->Enter([this] { return control_.interrupted(); }))
      return absl::CancelledError("given up");
    const double cpu_s = ThreadCpuSeconds();
    auto frame = source_->Next();
    const double used_s = ThreadCpuSeconds() - cpu_s;
    if (context_.gate) context_.gate->Leave();
    control_.Update([&](StreamStatus& status) { status.decode_cpu_s += used_s; });
    return frame;
  }

  absl::Status Give(const SourceFrame& frame) {
    MonotonicTime now = MonotonicClock::now();
    StreamClock::Stamp stamp;
    if (frame.frame->time_s) stamp.pts = stamp.dts = std::llround(*frame.frame->time_s * kUnitsPerSecond);
    const auto reading = output_.clock.Read(stamp, SecondsOf(now));
    if (reading.jumped) output_.Jumped();
    DecodedFrame given;
    given.arrival.stream_s = reading.stream_s;
    given.arrival.epoch = output_.epoch();
    if (options_.real_time) {
      const double due_s = pacer_.Due(reading.stream_s, SecondsOf(now));
      const std::chrono::duration<double> wait(due_s - SecondsOf(now));
      if (!control_.WaitUntil(now + std::chrono::duration_cast<MonotonicClock::duration>(wait)))
        return absl::CancelledError("given up");
      now = MonotonicClock::now();
    }
    given.arrival.arrived = now;
    given.arrival.captured = StreamControl::Wall();
    control_.CountPacket(now, 0);
    output_.choice.SetDemand(control_.demand().economy, control_.demand().interval_s);
    // A simulated camera is never behind: it draws frames when it comes to it.
    (void)output_.choice.Of(true, true, reading.stream_s, 0, output_.clock.frame_s());
    if (output_.choice.IsDue(reading.stream_s)) {
      output_.choice.Given(reading.stream_s);
      given.frame = frame.frame;
    }
    if (!output_.GiveFrame(given, !options_.real_time)) return absl::CancelledError("given up");
    return absl::OkStatus();
  }

  const SourceOptions& options_;
  const StreamContext& context_;
  StreamControl& control_;
  StreamOutput& output_;
  std::unique_ptr<FrameSource> source_;
  Pacer pacer_;
  int lost_ = 0;
};

}  // namespace

ConnectionEnd PlaySimulated(const ingest::Input& input, const SourceOptions& options,
                            const StreamContext& context, bool again, StreamControl* control,
                            StreamOutput* output) {
  ConnectionEnd end;
  {
    SimulatedConnection connection(options, context, control, output);
    end.status = connection.Play(input, again);
  }
  if (output->live_since()) end.live_s = SecondsOf(MonotonicClock::now()) - SecondsOf(*output->live_since());
  return end;
}

}  // namespace sightline::cameras
