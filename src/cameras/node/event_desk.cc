#include "cameras/node/event_desk.h"

#include "absl/time/clock.h"
#include "base/log.h"
#include "base/status.h"

namespace sightline::cameras {

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
    const store::StoredEvent stored = StoredForm(*event, node_);
    const absl::Status status = delivery_->Deliver(stored);
    if (status.ok()) {
      ++kept_;
    } else {
      ++failed_;
      spdlog::error("event {} of camera {}: {}", event->id, event->camera, MessageOf(status));
    }
    Tell(stored);
    ++done_;
  }
}

}  // namespace sightline::cameras
