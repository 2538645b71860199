#include "cameras/delivery/delivery.h"

#include <random>

#include "base/status.h"
#include "cameras/delivery/sink_worker.h"

namespace sightline::cameras {
namespace {

WallTime ToWall(int64_t us) { return WallTime(std::chrono::microseconds(us)); }

class OutboxDelivery final : public Delivery {
 public:
  OutboxDelivery(store::NodeStore* store, std::vector<NamedSink> sinks) : store_(store) {
    std::random_device random;
    for (NamedSink& sink : sinks)
      workers_.push_back(std::make_unique<SinkWorker>(store_, std::move(sink), random()));
  }

  ~OutboxDelivery() override {
    for (const auto& worker : workers_) worker->Cancel();  // together, then each is waited for
  }

  std::vector<absl::Status> DeliverAll(absl::Span<const store::StoredEvent> events) override {
    std::vector<store::NewEvent> added;
    for (const store::StoredEvent& event : events) {
      added.push_back({event});
      for (const auto& worker : workers_)
        if (worker->Takes(event)) added.back().outbox.emplace_back(worker->name(), event.json);
    }
    std::vector<absl::Status> statuses = store_->AddEvents(added);
    for (size_t i = 0; i < events.size(); ++i) {
      if (absl::IsAlreadyExists(statuses[i])) continue;
      for (const auto& worker : workers_)
        if (worker->Takes(events[i])) HandOn(events[i], statuses[i].ok(), worker.get());
    }
    return statuses;
  }

  void OnCameras(const std::vector<std::string>& names) override {
    for (const auto& worker : workers_) worker->SetCameras(names);
  }

  std::vector<SinkCounts> counts() const override {
    std::vector<SinkCounts> counts;
    for (const auto& worker : workers_) counts.push_back(worker->counts());
    return counts;
  }

  bool Drain(double seconds) override {
    const auto until =
        MonotonicClock::now() + std::chrono::milliseconds(static_cast<int64_t>(std::max(seconds, 0.) * 1e3));
    for (const auto& worker : workers_) worker->Hurry();
    bool all = true;
    for (const auto& worker : workers_) all = worker->WaitIdle(until) && all;
    return all;
  }

 private:
  static void HandOn(const store::StoredEvent& event, bool is_kept, SinkWorker* worker) {
    if (is_kept) return worker->Wake();
    worker->Offer({event.id, event.kind, event.camera, event.json}, ToWall(event.captured_us));
  }

  store::NodeStore* const store_;
  std::vector<std::unique_ptr<SinkWorker>> workers_;
};

}  // namespace

store::StoredEvent StoredForm(const Event& event, std::string_view node) {
  store::StoredEvent stored;
  stored.id = event.id;
  stored.camera = event.camera;
  stored.kind = event.kind;
  stored.rule = event.rule;
  stored.phase = Name(event.phase);
  stored.captured_us = Microseconds(event.captured);
  stored.json = sinks::ToCloudEvent(event, node);
  return stored;
}

std::unique_ptr<Delivery> Delivery::Create(store::NodeStore* store, std::vector<NamedSink> sinks) {
  return std::make_unique<OutboxDelivery>(store, std::move(sinks));
}

}  // namespace sightline::cameras
