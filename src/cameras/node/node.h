// A node: its cameras, their analysis, events, evidence and sinks, together; what `serve` runs and the HTTP
// doors show.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cameras/delivery/delivery.h"
#include "cameras/evidence/evidence.h"
#include "cameras/node/node_config.h"
#include "cameras/stream/camera_stream.h"
#include "cameras/watch/watcher.h"
#include "store/node_store.h"

namespace sightline::cameras {

struct NodeContext {
  // Opens a pipeline by file or built-in name; errors name what is wrong.
  std::function<absl::StatusOr<std::shared_ptr<const pipeline::Engine>>(const std::string&)> open_pipeline;
  std::function<absl::StatusOr<std::unique_ptr<FrameSource>>(const ingest::Input&)> open_simulated;
};

struct CameraInfo {
  store::StoredCamera stored;
  CameraConfig config;  // credentials hidden
  StreamStatus stream;
  CameraCounts counts;
  double calibration_error_px = 0;  // 0: none
  uint64_t ring_bytes = 0;
  std::optional<WallTime> last_event;
};

struct NodeInfo {
  std::string name, version;
  WallTime started;
  bool ready = false;  // models loaded, store open, not draining
  double served_share = 1;
  int workers = 0;
};

// One picture with what was found on it, for pages.
struct LiveView {
  FramePtr frame;
  double stream_s = 0;
  WallTime captured;
  struct Mark {
    int64_t id = 0;
    std::string label;
    float score = 0;
    Box box;  // source pixels
    bool seen = true;
  };
  std::vector<Mark> marks;
  std::vector<SeenBox> hidden;  // where redaction must hide something: also what is no track yet
  rules::SceneGeometry geometry;
  Redaction redaction;  // of the camera: for what leaves the machine
};

// What redaction must hide of something with this label: nothing, a person, a vehicle, or (motorcycles) both.
void AddHidden(std::string_view label, int64_t id, const Box& box, std::vector<SeenBox>* boxes);

// Threads: methods from anywhere.
class Node {
 public:
  static absl::StatusOr<std::unique_ptr<Node>> Create(NodeConfig config, NodeContext context);
  virtual ~Node() = default;  // as Drain

  // Changes while it runs; each is stored before it returns.
  virtual absl::Status AddCamera(std::string_view yaml) = 0;
  // A source that is given as info() shows it keeps the credentials that it has.
  virtual absl::Status ReplaceCamera(std::string_view name, std::string_view yaml) = 0;
  virtual absl::Status RemoveCamera(std::string_view name) = 0;
  virtual absl::Status SetPaused(std::string_view name, bool paused) = 0;
  virtual absl::StatusOr<StreamProbe> TestCamera(std::string_view yaml, double seconds) = 0;
  // As it is stored, over a second connection.
  virtual absl::StatusOr<StreamProbe> TestStoredCamera(std::string_view name, double seconds) = 0;

  virtual NodeInfo info() const = 0;
  virtual std::vector<CameraInfo> cameras() const = 0;
  virtual absl::StatusOr<CameraInfo> camera(std::string_view name) const = 0;
  virtual absl::StatusOr<LiveView> view(std::string_view name) const = 0;  // Unavailable: no frame yet
  virtual absl::StatusOr<std::vector<store::StoredEvent>> Events(const store::EventQuery& query) const = 0;
  virtual absl::StatusOr<store::StoredEvent> FindEvent(std::string_view id) const = 0;
  virtual std::vector<SinkCounts> sinks() const = 0;
  virtual std::filesystem::path evidence_folder() const = 0;
  virtual absl::Status Publish(std::string_view camera, const rules::TopicValue& value) = 0;

  // New events as CloudEvents JSON, in order; called on the node's threads, must not block. Ends when what it
  // gives back goes.
  virtual std::shared_ptr<void> Subscribe(std::function<void(const store::StoredEvent&)> listener) = 0;

  // Prometheus text format: every queue, drop, stage time, camera state.
  virtual std::string Metrics() const = 0;

  // Stops taking frames, finishes what was begun, delivers for at most so long.
  virtual void Drain(double seconds) = 0;
};

}  // namespace sightline::cameras
