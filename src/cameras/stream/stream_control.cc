#include "cameras/stream/stream_control.h"

#include "absl/time/time.h"

namespace sightline::cameras {

double SecondsOf(MonotonicTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

// Both are set under the mutex, so that whoever waits for them wakes.
void StreamControl::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
}
void StreamControl::SetPaused(bool paused) {
  absl::MutexLock lock(&mutex_);
  paused_ = paused;
}

void StreamControl::SetDemand(decode::Economy economy, double interval_s) {
  absl::MutexLock lock(&mutex_);
  demand_ = {economy, interval_s};
}
StreamControl::Demand StreamControl::demand() const {
  absl::MutexLock lock(&mutex_);
  return demand_;
}

StreamStatus StreamControl::status() const {
  const double now_s = SecondsOf(MonotonicClock::now());
  absl::MutexLock lock(&mutex_);
  StreamStatus status = status_;
  status.frames_per_second = rate_.PerSecond(now_s);
  return status;
}

bool StreamControl::WaitUntil(MonotonicTime time) {
  const auto left = time - MonotonicClock::now();
  if (left <= MonotonicClock::duration::zero()) return !interrupted();
  absl::MutexLock lock(&mutex_);
  return !mutex_.AwaitWithTimeout(absl::Condition(this, &StreamControl::is_interrupted),
                                  absl::FromChrono(left));
}
void StreamControl::WaitWhilePaused() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](StreamControl* self) { return self->stopped() || !self->paused(); }, this));
}
void StreamControl::WaitForChange() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &StreamControl::is_interrupted));
}

void StreamControl::SetState(StreamState state, const absl::Status& error) {
  {
    absl::MutexLock lock(&mutex_);
    if (!error.ok()) status_.last_error = error;
    if (status_.state == state && error.ok() && told_) return;
    told_ = true;
    status_.state = state;
    status_.since = Wall();
  }
  observer_->OnState(status());
}

void StreamControl::Update(absl::FunctionRef<void(StreamStatus&)> change) {
  absl::MutexLock lock(&mutex_);
  change(status_);
}
void StreamControl::CountPacket(std::optional<MonotonicTime> came, uint64_t bytes) {
  absl::MutexLock lock(&mutex_);
  if (came) rate_.Add(SecondsOf(*came));
  ++status_.packets;
  status_.bytes += bytes;
}
void StreamControl::RestartRate() {
  absl::MutexLock lock(&mutex_);
  rate_.Clear();
}

}  // namespace sightline::cameras
