// For tests only: a node that shows what it is told to.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "cameras/node/node.h"

namespace sightline::serving {

inline FramePtr TestFrame(Size size, uint8_t luma) {
  auto frame = std::make_shared<Frame>();
  frame->Allocate(PixelFormat::kYuv420, size);
  for (int i = 0; i < 3; ++i) {
    const Size plane = PlaneSize(PixelFormat::kYuv420, size, i);
    for (int y = 0; y < plane.height; ++y)
      for (int x = 0; x < plane.width; ++x)
        frame->mutable_plane(i)[y * frame->planes[static_cast<size_t>(i)].stride + x] =
            i > 0 ? 128 : static_cast<uint8_t>(luma + (x / 2 + y / 2) % 2 * 60);
  }
  return frame;
}

class TestNode final : public cameras::Node {
 public:
  absl::Status AddCamera(std::string_view yaml) override {
    auto config = cameras::ParseCameraConfig(yaml, "camera");
    if (!config.ok()) return config.status();
    absl::MutexLock lock(&mutex_);
    if (cameras_.size() >= 3) return absl::ResourceExhaustedError("too many cameras");
    if (cameras_.count(config->name) != 0) return absl::AlreadyExistsError("there is a camera of this name");
    cameras::CameraInfo info;
    info.stored = {config->name, std::string(yaml), false, 1};
    info.config = *config;
    info.stream.state = cameras::StreamState::kLive;
    info.stream.since = std::chrono::system_clock::now();
    info.stream.last_error = absl::UnavailableError("rtsp://admin:hunter2@10.0.0.5/x: no answer");
    cameras_[config->name] = info;
    return absl::OkStatus();
  }
  absl::Status ReplaceCamera(std::string_view name, std::string_view yaml) override {
    auto config = cameras::ParseCameraConfig(yaml, "camera");
    if (!config.ok()) return config.status();
    absl::MutexLock lock(&mutex_);
    const auto found = cameras_.find(std::string(name));
    if (found == cameras_.end()) return absl::NotFoundError("there is no such camera");
    found->second.config = *config;
    ++found->second.stored.revision;
    return absl::OkStatus();
  }
  absl::Status RemoveCamera(std::string_view name) override {
    absl::MutexLock lock(&mutex_);
    return cameras_.erase(std::string(name)) != 0 ? absl::OkStatus()
                                                  : absl::NotFoundError("there is no such camera");
  }
  absl::Status SetPaused(std::string_view name, bool paused) override {
    absl::MutexLock lock(&mutex_);
    const auto found = cameras_.find(std::string(name));
    if (found == cameras_.end()) return absl::NotFoundError("there is no such camera");
    found->second.stored.paused = paused;
    return absl::OkStatus();
  }
  absl::StatusOr<cameras::StreamProbe> TestCamera(std::string_view yaml, double) override {
    auto config = cameras::ParseCameraConfig(yaml, "camera");
    if (!config.ok()) return config.status();
    if (config->source.find("down") != std::string::npos)
      return absl::UnavailableError("rtsp://admin:hunter2@down/x: no answer");
    cameras::StreamProbe probe;
    probe.status.size = {64, 48};
    probe.picture = TestFrame({64, 48}, 100);
    return probe;
  }
  absl::StatusOr<cameras::StreamProbe> TestStoredCamera(std::string_view name, double seconds) override {
    std::string yaml;
    {
      absl::MutexLock lock(&mutex_);
      const auto found = cameras_.find(std::string(name));
      if (found == cameras_.end()) return absl::NotFoundError("there is no such camera");
      yaml = cameras::PrintCameraConfig(found->second.config, false);
    }
    return TestCamera(yaml, seconds);
  }

  cameras::NodeInfo info() const override {
    cameras::NodeInfo info;
    info.name = "edge-7";
    info.version = "1";
    info.ready = ready;
    return info;
  }
  std::vector<cameras::CameraInfo> cameras() const override {
    absl::MutexLock lock(&mutex_);
    std::vector<cameras::CameraInfo> list;
    for (const auto& [name, info] : cameras_) list.push_back(info);
    return list;
  }
  absl::StatusOr<cameras::CameraInfo> camera(std::string_view name) const override {
    absl::MutexLock lock(&mutex_);
    const auto found = cameras_.find(std::string(name));
    if (found == cameras_.end()) return absl::NotFoundError("there is no such camera");
    return found->second;
  }
  absl::StatusOr<cameras::LiveView> view(std::string_view name) const override {
    if (auto known = camera(name); !known.ok()) return known.status();
    absl::MutexLock lock(&mutex_);
    if (view_.frame == nullptr) return absl::UnavailableError("no frame yet");
    return view_;
  }
  absl::StatusOr<std::vector<store::StoredEvent>> Events(const store::EventQuery& query) const override {
    absl::MutexLock lock(&mutex_);
    std::vector<store::StoredEvent> list;
    for (auto event = events_.rbegin(); event != events_.rend(); ++event) {
      if (!query.camera.empty() && query.camera != event->camera) continue;
      if (!query.before_id.empty() && event->id >= query.before_id) continue;
      if (query.from_us && event->captured_us < *query.from_us) continue;
      if (static_cast<int>(list.size()) < query.limit) list.push_back(*event);
    }
    return list;
  }
  absl::StatusOr<store::StoredEvent> FindEvent(std::string_view id) const override {
    absl::MutexLock lock(&mutex_);
    for (const auto& event : events_)
      if (event.id == id) return event;
    return absl::NotFoundError("there is no such event");
  }
  std::vector<cameras::SinkCounts> sinks() const override {
    cameras::SinkCounts sink;
    sink.name = "webhook";
    sink.shown = "https://user:hunter2@example.org/";
    return {sink};
  }
  std::filesystem::path evidence_folder() const override { return evidence; }
  absl::Status Publish(std::string_view name, const rules::TopicValue& value) override {
    if (auto known = camera(name); !known.ok()) return known.status();
    absl::MutexLock lock(&mutex_);
    published = value.topic + "=" + value.value;
    return absl::OkStatus();
  }
  std::shared_ptr<void> Subscribe(std::function<void(const store::StoredEvent&)> listener) override {
    absl::MutexLock lock(&mutex_);
    auto kept = std::make_shared<std::function<void(const store::StoredEvent&)>>(std::move(listener));
    listener_ = kept;
    return kept;
  }
  std::string Metrics() const override {
    return "# HELP sightline_x X.\n# TYPE sightline_x gauge\nsightline_x 1\n";
  }
  void Drain(double) override {}

  void Happen(const std::string& id, const std::string& camera, const std::string& snapshot = "") {
    store::StoredEvent event;
    event.id = id;
    event.camera = camera;
    event.kind = "dwell";
    event.json = fmt::format(R"({{"id":"{}","data":{{"camera":"{}","kind":"dwell","snapshot":"{}"}}}})", id,
                             camera, snapshot);
    std::shared_ptr<std::function<void(const store::StoredEvent&)>> listener;
    {
      absl::MutexLock lock(&mutex_);
      events_.push_back(event);
      listener = listener_.lock();
    }
    if (listener != nullptr) (*listener)(event);
  }
  void Show(cameras::LiveView view) {
    absl::MutexLock lock(&mutex_);
    view_ = std::move(view);
  }

  std::filesystem::path evidence;
  std::atomic<bool> ready{true};
  std::string published;

 private:
  mutable absl::Mutex mutex_;
  std::map<std::string, cameras::CameraInfo> cameras_;
  std::vector<store::StoredEvent> events_;
  std::weak_ptr<std::function<void(const store::StoredEvent&)>> listener_;
  cameras::LiveView view_;
};

}  // namespace sightline::serving
