#include "cameras/delivery/sink_worker.h"

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::cameras {
namespace {

// How long an acknowledgement may wait for others to be written with it. What a crash loses of it is sent
// twice.
constexpr auto kUnsavedMax = std::chrono::milliseconds(200);

constexpr auto kQuiet = std::chrono::seconds(10);

WallTime FromUs(int64_t us) { return WallTime(std::chrono::microseconds(us)); }

bool Names(const std::vector<std::string>& list, const std::string& name) {
  return list.empty() || std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

SinkWorker::SinkWorker(store::NodeStore* store, NamedSink sink, uint64_t seed)
    : store_(store), sink_(std::move(sink)), pause_(seed) {
  counts_.name = sink_.name;
  counts_.shown = sink_.sink->Shown();
  thread_ = std::jthread([this] { Run(); });
}

SinkWorker::~SinkWorker() {
  Cancel();
  thread_.join();
}

void SinkWorker::Cancel() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  sink_.sink->Cancel();
}

bool SinkWorker::Takes(const store::StoredEvent& event) const {
  return Names(sink_.kinds, event.kind) && Names(sink_.cameras, event.camera);
}

void SinkWorker::Wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    idle_ = false;
  }
  changed_.notify_all();
}

void SinkWorker::Offer(sinks::EventMessage message, WallTime captured) {
  {
    const std::lock_guard lock(mutex_);
    memory_.push_back({std::move(message), captured});
    if (memory_.size() > kMemoryMax) {
      memory_.pop_front();
      ++counts_.dropped;
    }
  }
  Wake();
}

void SinkWorker::SetCameras(const std::vector<std::string>& names) {
  {
    const std::lock_guard lock(mutex_);
    cameras_ = names;
    tell_cameras_ = true;
  }
  changed_.notify_all();
}

void SinkWorker::Hurry() {
  {
    const std::lock_guard lock(mutex_);
    hurry_ = true;
  }
  changed_.notify_all();
}

bool SinkWorker::WaitIdle(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, until, [this] { return idle_; });
}

SinkCounts SinkWorker::counts() const {
  const auto state = store_->State(sink_.name);
  const std::lock_guard lock(mutex_);
  SinkCounts counts = counts_;
  counts.waiting = static_cast<int64_t>(memory_.size());
  counts.delay_p95_s = delays_.P95(MonotonicClock::now());
  if (state.ok()) {
    counts.waiting += state->items;
    counts.dropped += state->dropped;
  }
  return counts;
}

void SinkWorker::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (tell_cameras_) {
      const std::vector<std::string> names = cameras_;
      tell_cameras_ = false;
      lock.unlock();
      sink_.sink->OnCameras(names);
      lock.lock();
      continue;
    }
    if (hurry_) pause_.Reset();
    woken_ = hurry_ = false;
    lock.unlock();
    const Round round = SendWhatWaits();
    lock.lock();
    if (round == Round::kMore) continue;
    if (round == Round::kFailed || round == Round::kUnsaved) {
      changed_.wait_for(lock, pause_.Next(), [&] {
        return stop_ || hurry_ || tell_cameras_ || (woken_ && round == Round::kUnsaved);
      });
      continue;
    }
    pause_.Reset();
    idle_ = !woken_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return stop_ || woken_ || hurry_ || tell_cameras_; });
  }
}

SinkWorker::Round SinkWorker::SendWhatWaits() {
  const auto parcels = Take();
  if (!parcels.ok()) {
    Note(parcels.status());
    return Round::kFailed;
  }
  if (parcels->empty()) return Acknowledge() ? Round::kNothingLeft : Round::kUnsaved;
  const bool sent = SendAll(*parcels);
  const bool saved = Acknowledge();
  if (!sent) return Round::kFailed;
  return saved ? Round::kMore : Round::kUnsaved;
}

absl::StatusOr<std::vector<SinkWorker::Parcel>> SinkWorker::Take() {
  std::vector<Parcel> parcels;
  auto items = store_->Outbox(sink_.name, kReadMax + static_cast<int>(done_.size()));
  if (items.ok()) {
    for (store::OutboxItem& item : *items) {
      if (done_.count(item.sequence) != 0) continue;
      parcels.push_back(
          {{std::move(item.id), std::move(item.kind), std::move(item.camera), std::move(item.payload)},
           FromUs(item.captured_us),
           item.sequence,
           item.attempts});
    }
  }
  std::stable_partition(parcels.begin(), parcels.end(),
                        [](const Parcel& parcel) { return parcel.attempts < kPatience; });
  if (!parcels.empty()) return parcels;
  const std::lock_guard lock(mutex_);
  if (memory_.empty() && !items.ok()) return items.status();
  return std::vector<Parcel>(memory_.begin(), memory_.end());
}

bool SinkWorker::SendAll(const std::vector<Parcel>& parcels) {
  const size_t together_max = std::max<size_t>(1, sink_.sink->together_max());
  absl::Span<const Parcel> left(parcels);
  while (!left.empty()) {
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return false;
    }
    if (!SendTogether(left.subspan(0, together_max))) return false;
    left.remove_prefix(std::min(together_max, left.size()));
    if (!done_.empty() && MonotonicClock::now() - unsaved_since_ > kUnsavedMax) Acknowledge();
  }
  return true;
}

bool SinkWorker::SendTogether(absl::Span<const Parcel> parcels) {
  std::vector<sinks::EventMessage> messages;
  for (const Parcel& parcel : parcels) messages.push_back(parcel.message);
  const auto statuses = sink_.sink->SendTogether(messages);
  const absl::Status* failure = nullptr;
  for (size_t i = 0; i < parcels.size(); ++i) {
    if (statuses[i].ok() || absl::IsInvalidArgument(statuses[i])) {
      Settle(parcels[i], statuses[i]);
    } else if (failure == nullptr && !absl::IsCancelled(statuses[i])) {
      failure = &statuses[i];
      if (parcels[i].sequence != 0) store_->CountAttempt(sink_.name, parcels[i].sequence).IgnoreError();
    }
  }
  if (failure != nullptr) Note(*failure);
  return std::all_of(statuses.begin(), statuses.end(),
                     [](const absl::Status& one) { return one.ok() || absl::IsInvalidArgument(one); });
}

// Taken, or never to be taken.
void SinkWorker::Settle(const Parcel& parcel, const absl::Status& status) {
  pause_.Reset();
  if (!status.ok()) {
    spdlog::error("sink '{}' will never take event {}: {}; it is put aside", sink_.name, parcel.message.id,
                  MessageOf(status));
  }
  if (parcel.sequence != 0) {
    if (done_.empty()) unsaved_since_ = MonotonicClock::now();
    done_.insert(parcel.sequence);
  }
  const std::lock_guard lock(mutex_);
  if (parcel.sequence == 0)
    std::erase_if(memory_, [&](const Parcel& one) { return one.message.id == parcel.message.id; });
  counts_.last_error = MessageOf(status);
  if (!status.ok()) {
    ++counts_.refused;
    return;
  }
  ++counts_.sent;
  counts_.last_error.clear();
  const auto delay = std::chrono::system_clock::now() - parcel.captured;
  delays_.Add(std::chrono::duration<double>(delay).count(), MonotonicClock::now());
}

bool SinkWorker::Acknowledge() {
  if (done_.empty()) return true;
  unsaved_since_ = MonotonicClock::now();
  const absl::Status status = store_->Acknowledge(sink_.name, {done_.begin(), done_.end()});
  if (status.ok()) {
    done_.clear();
    return true;
  }
  Note(status);
  return false;
}

void SinkWorker::Note(const absl::Status& failure) {
  std::string message(MessageOf(failure));
  {
    const std::lock_guard lock(mutex_);
    ++counts_.failed;
    counts_.last_error = message;
  }
  const MonotonicTime now = MonotonicClock::now();
  if (now < quiet_until_) return;  // one that comes and goes would fill the log
  quiet_until_ = now + kQuiet;
  spdlog::warn("sink '{}': {}; what waits is kept and tried again", sink_.name, message);
}

}  // namespace sightline::cameras
