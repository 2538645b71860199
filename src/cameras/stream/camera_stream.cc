#include "cameras/stream/camera_stream.h"

#include <thread>

#include "base/check.h"
#include "base/status.h"
#include "base/text.h"
#include "cameras/stream/back_off.h"
#include "cameras/stream/source_address.h"
#include "cameras/stream/stream_connection.h"
#include "cameras/stream/stream_control.h"
#include "cameras/stream/stream_output.h"

namespace sightline::cameras {
namespace {

class SupervisedStream final : public CameraStream {
 public:
  SupervisedStream(ingest::Input input, SourceOptions options, StreamContext context,
                   StreamObserver* observer)
      : input_(std::move(input)),
        options_(std::move(options)),
        context_(std::move(context)),
        control_(observer),
        output_(&control_),
        back_off_(options_.back_off_max_s, context_.seed),
        thread_([this] { Run(); }) {}
  ~SupervisedStream() override { control_.Stop(); }

  void SetPaused(bool paused) override { control_.SetPaused(paused); }
  void SetDemand(decode::Economy economy, double interval_s) override {
    control_.SetDemand(economy, interval_s);
  }
  StreamStatus status() const override { return control_.status(); }

 private:
  void Run() {
    control_.SetState(StreamState::kConnecting);
    while (!control_.stopped()) {
      if (control_.paused()) {
        control_.SetState(StreamState::kPaused);
        back_off_.Reset();
        control_.WaitWhilePaused();
        continue;
      }
      Attempt();
    }
  }

  void Attempt() {
    if (!again_) control_.SetState(StreamState::kConnecting);
    const auto play = input_.kind == ingest::InputKind::kSimulated ? &PlaySimulated : &PlaySource;
    const ConnectionEnd end = play(input_, options_, context_, again_, &control_, &output_);
    again_ = false;
    if (control_.interrupted()) return;
    const absl::Status status = WithoutSecrets(end.status, options_.address);
    const bool gave_frames = output_.frames_of_connection() > 0 && end.live_s > 0;
    const bool recording = input_.kind != ingest::InputKind::kUrl;
    if (status.ok() && !gave_frames) return Wait(absl::DataLossError("it ends without a picture"), 0);
    // A recording that breaks off is at its end all the same.
    if (!status.ok() && !(recording && gave_frames && absl::IsDataLoss(status)))
      return Wait(status, end.live_s);
    if (!status.ok()) control_.Update([&](StreamStatus& s) { s.last_error = status; });
    if (options_.loop) {
      again_ = true;
    } else {
      control_.SetState(StreamState::kEnded, status);
      control_.WaitForChange();
    }
  }

  void Wait(const absl::Status& error, double live_s) {
    control_.SetState(StreamState::kBackOff, error);
    const std::chrono::duration<double> pause(back_off_.Next(live_s));
    control_.WaitUntil(MonotonicClock::now() + std::chrono::duration_cast<MonotonicClock::duration>(pause));
  }

  const ingest::Input input_;
  const SourceOptions options_;
  const StreamContext context_;
  StreamControl control_;
  StreamOutput output_;
  BackOff back_off_;
  bool again_ = false;   // the recording is played once more
  std::jthread thread_;  // the last member: ends first
};

}  // namespace

std::string_view Name(StreamState state) {
  switch (state) {
    case StreamState::kConnecting:
      return "connecting";
    case StreamState::kLive:
      return "live";
    case StreamState::kBackOff:
      return "back-off";
    case StreamState::kPaused:
      return "paused";
    case StreamState::kEnded:
      return "ended";
  }
  return "unknown";
}

absl::StatusOr<std::unique_ptr<CameraStream>> CameraStream::Create(SourceOptions options,
                                                                   StreamContext context,
                                                                   StreamObserver* observer) {
  CHECK(observer != nullptr) << "a stream that nobody watches";
  ASSIGN_OR_RETURN(ingest::Input input, ParseSource(options, context));
  return std::make_unique<SupervisedStream>(std::move(input), std::move(options), std::move(context),
                                            observer);
}

}  // namespace sightline::cameras
