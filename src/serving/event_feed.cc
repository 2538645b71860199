#include "base/text.h"
#include "serving/live_streams.h"

namespace sightline::serving {

bool EventFilter::Fits(const store::StoredEvent& event) const {
  return (camera.empty() || camera == event.camera) && (kind.empty() || kind == event.kind) &&
         (rule.empty() || rule == event.rule);
}

EventFeed::EventFeed(cameras::Node* node) : node_(*node), heart_([this] { Beat(); }) {
  subscription_ = node->Subscribe([this](const store::StoredEvent& event) { OnEvent(event); });
}

EventFeed::~EventFeed() {
  subscription_.reset();
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  heart_.join();
}

bool EventFeed::full() const {
  absl::MutexLock lock(&mutex_);
  return listeners_.size() >= kListenersMax;
}

bool EventFeed::Send(Listener* listener, const store::StoredEvent& event) {
  return listener->stream->Write(fmt::format("id: {}\nevent: event\ndata: {}\n\n", event.id, event.json));
}

void EventFeed::OnEvent(const store::StoredEvent& event) {
  absl::MutexLock lock(&mutex_);
  std::erase_if(listeners_, [&](const std::shared_ptr<Listener>& listener) {
    if (!listener->filter.Fits(event)) return false;
    if (!listener->replaying) return !Send(listener.get(), event);
    listener->held.push_back(event);
    return listener->held.size() > kReplayMax;
  });
}

// Oldest first; of more than can be replayed, the newest.
std::vector<store::StoredEvent> EventFeed::Missed(const EventFilter& filter,
                                                  const std::string& last_id) const {
  store::EventQuery query;
  query.camera = filter.camera;
  query.kind = filter.kind;
  query.rule = filter.rule;
  query.limit = kReplayMax;
  auto found = node_.Events(query);
  if (!found.ok()) return {};
  std::erase_if(*found, [&](const store::StoredEvent& event) { return event.id <= last_id; });
  std::reverse(found->begin(), found->end());
  return *std::move(found);
}

bool EventFeed::Add(EventFilter filter, std::string last_id, std::shared_ptr<BodyStream> stream) {
  auto listener = std::make_shared<Listener>();
  listener->filter = std::move(filter);
  listener->stream = std::move(stream);
  listener->replaying = !last_id.empty();
  if (!listener->stream->Write("retry: 2000\n: connected\n\n")) return false;
  {
    absl::MutexLock lock(&mutex_);
    if (stop_ || listeners_.size() >= kListenersMax) return false;
    listeners_.push_back(listener);
  }
  if (last_id.empty()) return true;
  for (const store::StoredEvent& event : Missed(listener->filter, last_id)) {
    if (!Send(listener.get(), event)) break;
    last_id = event.id;
  }
  absl::MutexLock lock(&mutex_);
  bool taken = true;
  for (const store::StoredEvent& event : listener->held)
    if (event.id > last_id) taken = taken && Send(listener.get(), event);
  listener->held.clear();
  listener->replaying = false;
  if (!taken) std::erase(listeners_, listener);
  return true;
}

// A comment now and then keeps proxies from closing what is quiet, and finds out who is gone.
void EventFeed::Beat() {
  absl::MutexLock lock(&mutex_);
  while (!mutex_.AwaitWithTimeout(absl::Condition(&stop_), absl::Seconds(kHeartbeat.count()))) {
    std::erase_if(listeners_, [](const std::shared_ptr<Listener>& listener) {
      return listener->stream->closed() || !listener->stream->Write(": still here\n\n");
    });
  }
}

}  // namespace sightline::serving
