// Bodies that go on: live pictures (MJPEG) and events (server-sent events).
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cameras/node/node.h"
#include "serving/http_server.h"
#include "serving/live_pictures.h"

namespace sightline::serving {

// Threads: methods from anywhere; pictures are made on a thread of its own. Lifetime: `node` and `pictures`
// outlive it.
class LiveViewers {
 public:
  static constexpr size_t kViewersMax = 64;
  static constexpr double kRateMax = 10;
  static constexpr std::string_view kBoundary = "sightline-frame";

  LiveViewers(cameras::Node* node, LivePictures* pictures) : node_(*node), pictures_(*pictures) {}
  ~LiveViewers();
  // Pictures as they come, at most `rate` a second; a client that is slow gets fewer. False: too many look
  // on.
  bool Add(std::string camera, const PictureStyle& style, double rate, std::shared_ptr<BodyStream> stream);
  bool full() const;

 private:
  struct Viewer {
    std::string camera;
    PictureStyle style;
    MonotonicClock::duration interval;
    std::shared_ptr<BodyStream> stream;
    MonotonicTime due;
    WallTime captured;
    double stream_s = -1;
  };
  void Run();
  bool Show(Viewer* viewer, MonotonicTime now);  // false: it is over

  cameras::Node& node_;
  LivePictures& pictures_;
  mutable absl::Mutex mutex_;
  std::vector<std::unique_ptr<Viewer>> fresh_ ABSL_GUARDED_BY(mutex_);
  size_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

struct EventFilter {
  std::string camera, kind, rule;  // "" any
  bool Fits(const store::StoredEvent& event) const;
};

// New events to whoever listens, each once and in order; those after `last_id` first, so that nothing is
// missed over a broken connection. A listener that is too slow is ended: it comes back with the last id that
// it has. Threads: methods from anywhere. Lifetime: `node` outlives it.
class EventFeed {
 public:
  static constexpr size_t kListenersMax = 64;
  static constexpr int kReplayMax = 1000;
  static constexpr std::chrono::seconds kHeartbeat{15};

  explicit EventFeed(cameras::Node* node);
  ~EventFeed();
  bool Add(EventFilter filter, std::string last_id, std::shared_ptr<BodyStream> stream);  // false: too many
  bool full() const;

 private:
  struct Listener {
    EventFilter filter;
    std::shared_ptr<BodyStream> stream;
    bool replaying = false;
    std::vector<store::StoredEvent> held;  // came during the replay
  };
  void OnEvent(const store::StoredEvent& event);
  std::vector<store::StoredEvent> Missed(const EventFilter& filter, const std::string& last_id) const;
  void Beat();
  static bool Send(Listener* listener, const store::StoredEvent& event);

  cameras::Node& node_;
  mutable absl::Mutex mutex_;
  std::vector<std::shared_ptr<Listener>> listeners_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<void> subscription_;
  std::thread heart_;
};

}  // namespace sightline::serving
