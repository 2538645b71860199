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
  while (true) {
    // What came while the disk was busy with the last ones goes together.
    const std::vector<Event> events = queue_.PopSome(kTogetherMax);
    if (events.empty()) return;
    std::vector<store::StoredEvent> stored;
    for (const Event& event : events) stored.push_back(StoredForm(event, node_));
    const std::vector<absl::Status> statuses = delivery_->DeliverAll(stored);
    for (size_t i = 0; i < events.size(); ++i) {
      if (statuses[i].ok()) {
        ++kept_;
      } else {
        ++failed_;
        spdlog::error("event {} of camera {}: {}", events[i].id, events[i].camera, MessageOf(statuses[i]));
      }
      Tell(stored[i]);
      ++done_;
    }
  }
}

}  // namespace sightline::cameras
