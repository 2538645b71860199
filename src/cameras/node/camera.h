// One camera of a node: its stream, what it shows now, and its place among the watched.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cameras/evidence/evidence.h"
#include "cameras/node/node.h"
#include "cameras/node/scene.h"
#include "cameras/stream/camera_stream.h"
#include "cameras/watch/watcher.h"

namespace sightline::cameras {

// What cameras share; outlives them.
struct CameraParts {
  Watcher* watcher = nullptr;
  EvidenceRecorder* evidence = nullptr;  // null: none is kept
  int64_t key = 0;                       // its number at the recorder
  std::vector<std::string> redact;
  StreamContext stream;
};

// The size of a stream is known from its first frame on: only then are zones, calibration and rules made to
// measure and the camera is watched; again when the size changes. Threads: methods from anywhere.
class Camera final : public StreamObserver {
 public:
  // Starts nothing. Fails for what is wrong in the configuration.
  static absl::StatusOr<std::unique_ptr<Camera>> Create(CameraConfig config, std::string pipeline,
                                                        std::shared_ptr<const pipeline::Engine> engine,
                                                        CameraParts parts);
  ~Camera() override;
  absl::Status Start(bool paused);
  void Stop();  // for good; rules' last events come before it returns

  const CameraConfig& config() const { return config_; }
  void SetPaused(bool paused);
  void Publish(const rules::TopicValue& value);

  // On the watcher's threads. Boxes that evidence must hide, and the picture for pages.
  void OnAnalysis(const Analysis& analysis);
  void CountEvent(WallTime captured);

  CameraInfo info() const;
  absl::StatusOr<LiveView> view() const;
  Redaction redaction() const;
  const std::vector<std::string>& models() const { return models_; }
  int64_t key() const { return parts_.key; }

  // The id of the event that began a state, by the rule's own id of it. `event_id` is of the event at hand.
  std::string StateOf(const Event& event, const std::string& event_id);

 private:
  Camera(CameraConfig config, std::string pipeline, std::shared_ptr<const pipeline::Engine> engine,
         CameraParts parts);
  bool IsReady(double seconds) override;
  void OnFrame(const LiveFrame& frame) override;
  void OnPacket(const LivePacket& packet) override;
  void OnState(const StreamStatus& status) override;
  void Watch(Size size);
  std::optional<int64_t> Watched() const;  // its id with the watcher
  void Unwatch();

  const CameraConfig config_;
  const std::string pipeline_;
  const std::shared_ptr<const pipeline::Engine> engine_;
  const CameraParts parts_;
  std::vector<std::string> models_;

  mutable absl::Mutex mutex_;
  Size size_ ABSL_GUARDED_BY(mutex_);
  std::optional<int64_t> watched_ ABSL_GUARDED_BY(mutex_);
  absl::Status scene_error_ ABSL_GUARDED_BY(mutex_);
  Redaction redaction_ ABSL_GUARDED_BY(mutex_);
  std::optional<double> error_px_ ABSL_GUARDED_BY(mutex_);
  LiveView view_ ABSL_GUARDED_BY(mutex_);
  std::optional<WallTime> last_event_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<std::string, std::string>> states_ ABSL_GUARDED_BY(mutex_);  // rule/state, event
  bool paused_ ABSL_GUARDED_BY(mutex_) = false;
  std::string told_error_ ABSL_GUARDED_BY(mutex_);  // the trouble that was logged last
  std::unique_ptr<CameraStream> stream_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sightline::cameras
