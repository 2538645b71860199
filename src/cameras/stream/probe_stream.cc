#include <algorithm>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "base/text.h"
#include "cameras/stream/camera_stream.h"

namespace sightline::cameras {
namespace {

constexpr double kFirstPictureMaxS = 20;

class ProbeObserver final : public StreamObserver {
 public:
  void OnFrame(const LiveFrame& frame) override {
    absl::MutexLock lock(&mutex_);
    if (!picture_) first_ = MonotonicClock::now();
    picture_ = frame.frame;
  }
  void OnState(const StreamStatus& status) override {
    absl::MutexLock lock(&mutex_);
    if (status.state == StreamState::kBackOff || status.state == StreamState::kEnded) end_ = status;
  }
  // Until a picture came or none will.
  void WaitForPicture(double seconds_max) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(this, &ProbeObserver::decided), absl::Seconds(seconds_max));
  }
  void WaitForEnd(double seconds) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(this, &ProbeObserver::ended), absl::Seconds(seconds));
  }
  FramePtr picture() const {
    absl::MutexLock lock(&mutex_);
    return picture_;
  }
  MonotonicTime first() const {
    absl::MutexLock lock(&mutex_);
    return first_;
  }
  std::optional<StreamStatus> end() const {
    absl::MutexLock lock(&mutex_);
    return end_;
  }

 private:
  bool ended() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return end_.has_value(); }
  bool decided() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return picture_ != nullptr || ended(); }

  mutable absl::Mutex mutex_;
  FramePtr picture_ ABSL_GUARDED_BY(mutex_);
  MonotonicTime first_ ABSL_GUARDED_BY(mutex_);
  std::optional<StreamStatus> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<StreamProbe> ProbeStream(const SourceOptions& options, const StreamContext& context,
                                        double seconds) {
  SourceOptions once = options;
  once.loop = false;
  once.back_off_max_s = 3600;  // the first failure is the answer
  ProbeObserver observer;
  const MonotonicTime begin = MonotonicClock::now();
  ASSIGN_OR_RETURN(auto stream, CameraStream::Create(std::move(once), context, &observer));
  observer.WaitForPicture(kFirstPictureMaxS);
  StreamProbe probe;
  probe.picture = observer.picture();
  if (probe.picture == nullptr) {
    const auto end = observer.end();
    if (end && !end->last_error.ok()) return end->last_error;
    if (end) return absl::DataLossError("it ends without a picture");
    const bool connected = stream->status().connects > 0;
    return absl::DeadlineExceededError(fmt::format(
        "{} in {:.0f} s", connected ? "connected, but no picture came" : "no connection", kFirstPictureMaxS));
  }
  probe.connect_s = std::chrono::duration<double>(observer.first() - begin).count();
  observer.WaitForEnd(std::clamp(seconds, 0., 3600.));
  probe.status = stream->status();
  probe.picture = observer.picture();
  return probe;
}

}  // namespace sightline::cameras
