#include "cameras/node/event_desk.h"

#include "absl/time/clock.h"
#include "base/log.h"
#include "base/status.h"

namespace sightline::cameras {
namespace {

std::string_view PhaseName(EventPhase phase) {
  constexpr std::string_view kNames[] = {"moment", "begin", "end"};
  return kNames[static_cast<size_t>(phase)];
}

}  // namespace

EventDesk::EventDesk(Delivery* delivery, std::string node)
    : delivery_(delivery), node_(std::move(node)), thread_([this] { Run(); }) {}

EventDesk::~EventDesk() {
  queue_.Close();
  thread_.join();
}

void EventDesk::Put(Event event) {
  ++put_;
  queue_.Push(std::move(event));
}

std::shared_ptr<void> EventDesk::Subscribe(Listener listener) {
  auto kept = std::make_shared<Listener>(std::move(listener));
  absl::MutexLock lock(&mutex_);
  std::erase_if(listeners_, [](const auto& weak) { return weak.expired(); });
  listeners_.push_back(kept);
  return kept;
}

void EventDesk::Drain() {
  while (done_ + queue_.dropped() < put_) absl::SleepFor(absl::Milliseconds(5));
}

void EventDesk::Tell(const store::StoredEvent& event) {
  std::vector<std::shared_ptr<Listener>> listeners;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& weak : listeners_)
      if (auto listener = weak.lock()) listeners.push_back(std::move(listener));
  }
  for (const auto& listener : listeners) (*listener)(event);
}

void EventDesk::Run() {
  while (auto event = queue_.Pop()) {
    const absl::Status status = delivery_->Deliver(*event);
    if (status.ok()) {
      ++kept_;
    } else {
      ++failed_;
      spdlog::error("event {} of camera {}: {}", event->id, event->camera, MessageOf(status));
    }
    store::StoredEvent stored;
    stored.id = event->id;
    stored.camera = event->camera;
    stored.kind = event->kind;
    stored.rule = event->rule;
    stored.phase = PhaseName(event->phase);
    stored.captured_us =
        std::chrono::duration_cast<std::chrono::microseconds>(event->captured.time_since_epoch()).count();
    stored.json = sinks::ToCloudEvent(*event, node_);
    Tell(stored);
    ++done_;
  }
}

}  // namespace sightline::cameras
