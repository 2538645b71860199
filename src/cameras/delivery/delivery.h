// Brings events to sinks: each sink has a thread and a durable queue of its own, so that one that is slow or
// down holds up nobody.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "stages/sinks/events/event_sink.h"
#include "store/node_store.h"

namespace sightline::cameras {

struct NamedSink {
  std::string name;
  std::unique_ptr<sinks::EventSink> sink;
  std::vector<std::string> kinds, cameras;  // only these; empty: all
};

struct SinkCounts {
  std::string name, shown, last_error;
  uint64_t sent = 0, failed = 0, refused = 0;  // refused: never to be taken; put aside and counted
  int64_t waiting = 0, dropped = 0;
  double delay_p95_s = 0;  // from capture to acknowledgement, over the last minutes
};

// As it is kept, delivered and shown: a CloudEvent of `node`.
store::StoredEvent StoredForm(const Event& event, std::string_view node);

// Threads: methods from anywhere.
class Delivery {
 public:
  // `store` outlives it. Retries back off from 0.2 s to 30 s, jittered; what waits at start is sent first.
  static std::unique_ptr<Delivery> Create(store::NodeStore* store, std::vector<NamedSink> sinks);
  virtual ~Delivery() = default;
  // Durable when it returns, with one sync of the disk for all; never waits for a sink. A status each: a full
  // disk is an error, and the event is still offered to the sinks from memory.
  virtual std::vector<absl::Status> DeliverAll(absl::Span<const store::StoredEvent> events) = 0;
  absl::Status Deliver(const store::StoredEvent& event) { return DeliverAll({&event, 1}).front(); }
  virtual void OnCameras(const std::vector<std::string>& names) = 0;
  virtual std::vector<SinkCounts> counts() const = 0;
  virtual bool Drain(double seconds) = 0;  // true: nothing waits
};

}  // namespace sightline::cameras
