#include "cameras/node/node.h"

#include <unistd.h>

#include <map>
#include <thread>

#include "base/log.h"
#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"
#include "base/version.h"
#include "cameras/node/camera.h"
#include "cameras/node/event_desk.h"
#include "cameras/node/event_id.h"
#include "cameras/node/node_metrics.h"
#include "cameras/node/sinks.h"
#include "cameras/node/track_writer.h"

namespace sightline::cameras {
namespace {

constexpr size_t kCamerasMax = 10'000;

std::string MachineName() {
  char name[65] = {};
  gethostname(name, sizeof name - 1);
  std::string out;
  for (const char c : Lower(name))
    out += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ? c : '-';
  const size_t first = out.find_first_not_of('-');
  return first == std::string::npos ? "node" : out.substr(first, 63);
}

class NodeImpl final : public Node, public WatchConsumer {
 public:
  static absl::StatusOr<std::unique_ptr<Node>> Create(NodeConfig config, NodeContext context) {
    auto node = std::unique_ptr<NodeImpl>(new NodeImpl(std::move(config), std::move(context)));
    RETURN_IF_ERROR(node->Open());
    return node;
  }
  ~NodeImpl() override { Drain(5); }

  absl::Status AddCamera(std::string_view yaml) override {
    ASSIGN_OR_RETURN(CameraConfig config, ParseCameraConfig(yaml, "camera"));
    absl::MutexLock changes(&changes_);
    RETURN_IF_ERROR(NotDraining());
    if (Find(config.name) != nullptr)
      return absl::AlreadyExistsError(fmt::format("there is a camera '{}' already", config.name));
    if (Count() >= kCamerasMax) return absl::ResourceExhaustedError("too many cameras");
    const std::string name = config.name;
    ASSIGN_OR_RETURN(const auto camera, Make(std::move(config)));
    RETURN_IF_ERROR(store_->AddCamera({name, std::string(yaml), false, 1}));
    absl::Status status = Begin(name, camera, false);
    if (!status.ok()) store_->RemoveCamera(name).IgnoreError();
    return status;
  }

  absl::Status ReplaceCamera(std::string_view name, std::string_view yaml) override {
    ASSIGN_OR_RETURN(CameraConfig config, ParseCameraConfig(yaml, "camera"));
    if (config.name != name) {
      return absl::InvalidArgumentError(
          fmt::format("the camera is called '{}', its configuration says '{}'", name, config.name));
    }
    absl::MutexLock changes(&changes_);
    RETURN_IF_ERROR(NotDraining());
    ASSIGN_OR_RETURN(store::StoredCamera stored, store_->Camera(name));
    const auto before = ParseCameraConfig(stored.config, "camera");
    stored.config = yaml;
    if (before.ok() && config.source != before->source && config.source == ShownSource(before->source)) {
      config.source = before->source;  // given back as it was shown: what was hidden stays
      stored.config = PrintCameraConfig(config, false);
    }
    ASSIGN_OR_RETURN(const auto camera, Make(std::move(config)));
    RETURN_IF_ERROR(store_->ReplaceCamera(stored));
    End(stored.name);
    absl::Status status = Begin(stored.name, camera, stored.paused);
    if (!status.ok()) NoteBroken(stored.name, status);
    return status;
  }

  absl::Status RemoveCamera(std::string_view name) override {
    absl::MutexLock changes(&changes_);
    RETURN_IF_ERROR(store_->RemoveCamera(name));
    End(std::string(name));
    TellNames();
    return absl::OkStatus();
  }

  absl::Status SetPaused(std::string_view name, bool paused) override {
    absl::MutexLock changes(&changes_);
    ASSIGN_OR_RETURN(store::StoredCamera stored, store_->Camera(name));
    stored.paused = paused;
    RETURN_IF_ERROR(store_->ReplaceCamera(stored));
    if (const auto camera = Find(name)) camera->SetPaused(paused);
    return absl::OkStatus();
  }

  absl::StatusOr<StreamProbe> TestCamera(std::string_view yaml, double seconds) override {
    ASSIGN_OR_RETURN(const CameraConfig config, ParseCameraConfig(yaml, "camera"));
    {
      absl::MutexLock changes(&changes_);
      RETURN_IF_ERROR(Make(config).status());
    }
    ASSIGN_OR_RETURN(const SourceOptions source, SourceOf(config));
    return ProbeStream(source, StreamParts(0), seconds);
  }

  absl::StatusOr<StreamProbe> TestStoredCamera(std::string_view name, double seconds) override {
    ASSIGN_OR_RETURN(const store::StoredCamera stored, store_->Camera(name));
    return TestCamera(stored.config, seconds);
  }

  NodeInfo info() const override {
    NodeInfo info;
    info.name = config_.name;
    info.version = kVersion;
    info.started = started_;
    info.ready = ready_ && !draining_;
    info.served_share = watcher_->served_share();
    info.workers = config_.workers;
    return info;
  }

  std::vector<CameraInfo> cameras() const override {
    std::vector<CameraInfo> infos;
    const auto stored = store_->Cameras();
    if (!stored.ok()) return infos;
    for (const store::StoredCamera& one : *stored) infos.push_back(InfoOf(one));
    return infos;
  }

  absl::StatusOr<CameraInfo> camera(std::string_view name) const override {
    ASSIGN_OR_RETURN(const store::StoredCamera stored, store_->Camera(name));
    return InfoOf(stored);
  }

  absl::StatusOr<LiveView> view(std::string_view name) const override {
    const auto camera = Find(name);
    if (camera == nullptr) return absl::NotFoundError(fmt::format("there is no camera '{}'", name));
    ASSIGN_OR_RETURN(LiveView view, camera->view());
    view.redaction = camera->redaction();
    return view;
  }

  absl::StatusOr<std::vector<store::StoredEvent>> Events(const store::EventQuery& query) const override {
    return store_->Events(query);
  }
  absl::StatusOr<store::StoredEvent> FindEvent(std::string_view id) const override {
    return store_->FindEvent(id);
  }
  std::vector<SinkCounts> sinks() const override { return delivery_->counts(); }
  std::filesystem::path evidence_folder() const override { return data_ / "evidence"; }

  absl::Status Publish(std::string_view name, const rules::TopicValue& value) override {
    const auto camera = Find(name);
    if (camera == nullptr) return absl::NotFoundError(fmt::format("there is no camera '{}'", name));
    camera->Publish(value);
    return absl::OkStatus();
  }

  std::shared_ptr<void> Subscribe(std::function<void(const store::StoredEvent&)> listener) override {
    return desk_->Subscribe(std::move(listener));
  }

  std::string Metrics() const override {
    NodeCounts counts;
    counts.info = info();
    counts.cameras = cameras();
    counts.sinks = delivery_->counts();
    counts.stages = watcher_->stages();
    if (tracks_ != nullptr) counts.tracks_lost = tracks_->lost();
    if (evidence_ != nullptr) counts.evidence = evidence_->counts();
    counts.events_kept = desk_->kept();
    counts.events_failed = desk_->failed();
    counts.events_lost = desk_->lost();
    counts.events_waiting = desk_->waiting();
    return MetricsOf(counts);
  }

  void Drain(double seconds) override {
    if (draining_.exchange(true)) return;
    absl::MutexLock changes(&changes_);
    if (watcher_ == nullptr) return;
    const MonotonicTime end =
        MonotonicClock::now() + std::chrono::milliseconds(static_cast<int64_t>(seconds * 1e3));
    std::map<std::string, std::shared_ptr<Camera>, std::less<>> cameras;
    {
      absl::MutexLock lock(&mutex_);
      cameras = cameras_;
    }
    for (const auto& [name, camera] : cameras) camera->SetPaused(true);
    watcher_->Drain(std::max(0.5, seconds / 3));
    for (const auto& [name, camera] : cameras) camera->Stop();
    cameras.clear();
    {
      absl::MutexLock lock(&mutex_);
      cameras_.clear();
    }
    if (evidence_ != nullptr) evidence_->Finish();
    desk_->Drain();
    if (tracks_ != nullptr) tracks_->Finish();
    const double left = std::chrono::duration<double>(end - MonotonicClock::now()).count();
    delivery_->Drain(std::max(0.2, left));
  }

  // On the watcher's threads.
  void OnAnalysis(const Analysis& analysis) override {
    const auto camera = Find(analysis.setup->name);
    if (camera == nullptr) return;
    camera->OnAnalysis(analysis);
    if (tracks_ != nullptr && analysis.frame != nullptr) tracks_->Put(analysis);
    for (const Event& event : analysis.events) Take(event, analysis, camera.get());
  }

 private:
  NodeImpl(NodeConfig config, NodeContext context)
      : config_(std::move(config)), context_(std::move(context)) {}

  absl::Status Open() {
    if (config_.name.empty()) config_.name = MachineName();
    if (config_.workers == 0)
      config_.workers = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    data_ = DataFolder(config_);
    std::error_code error;
    std::filesystem::create_directories(data_, error);
    if (error)
      return absl::FailedPreconditionError(fmt::format("data_dir {}: {}", data_.string(), error.message()));
    ASSIGN_OR_RETURN(store_, store::NodeStore::Open(data_ / "node.sqlite"));
    ASSIGN_OR_RETURN(auto sinks, MakeSinks(config_.sinks, config_.name, data_));
    delivery_ = Delivery::Create(store_.get(), std::move(sinks));
    desk_ = std::make_unique<EventDesk>(delivery_.get(), config_.name);
    if (config_.evidence.enabled) {
      EvidenceOptions options;
      options.folder = evidence_folder();
      options.before_s = config_.evidence.before_s;
      options.after_s = config_.evidence.after_s;
      options.folder_bytes_max = static_cast<uint64_t>(config_.evidence.megabytes_max * 1e6);
      ASSIGN_OR_RETURN(evidence_, EvidenceRecorder::Create(options));
    }
    if (config_.tracks) {
      ASSIGN_OR_RETURN(tracks_, TrackWriter::Create(data_ / "tracks"));
    }
    // More turns than cores: while whom a turn was given to wakes up, nobody else would decode.
    gate_ = DecodeGate::Create(2 * config_.workers + 2);
    watcher_ = Watcher::Create({.workers = config_.workers}, this);
    return StartCameras();
  }

  // Those of the store, as the file has them where it has them.
  absl::Status StartCameras() {
    absl::MutexLock changes(&changes_);
    for (const CameraConfig& declared : config_.cameras) {
      const std::string yaml = PrintCameraConfig(declared, false);
      auto stored = store_->Camera(declared.name);
      if (absl::IsNotFound(stored.status())) {
        RETURN_IF_ERROR(store_->AddCamera({declared.name, yaml, false, 1}));
      } else {
        RETURN_IF_ERROR(stored.status());
        if (stored->config == yaml) continue;
        stored->config = yaml;
        RETURN_IF_ERROR(store_->ReplaceCamera(*stored));
      }
    }
    ASSIGN_OR_RETURN(const auto stored, store_->Cameras());
    for (const store::StoredCamera& one : stored) {
      auto config = ParseCameraConfig(one.config, one.name);
      auto camera = config.ok() ? Make(*std::move(config)) : config.status();
      absl::Status status = camera.status();
      if (status.ok()) status = Begin(one.name, *std::move(camera), one.paused);
      // One camera that cannot be must not keep the others from being watched.
      if (!status.ok()) {
        spdlog::error("camera {}: {}", one.name, MessageOf(status));
        NoteBroken(one.name, status);
      }
    }
    ready_ = true;
    return absl::OkStatus();
  }

  absl::Status NotDraining() const {
    return draining_ ? absl::UnavailableError("the node is going down") : absl::OkStatus();
  }

  StreamContext StreamParts(uint64_t seed) const { return {gate_, context_.open_simulated, seed}; }

  absl::StatusOr<std::shared_ptr<Camera>> Make(CameraConfig config) ABSL_EXCLUSIVE_LOCKS_REQUIRED(changes_) {
    const std::string pipeline = config.pipeline.empty() ? config_.pipeline : config.pipeline;
    auto& engine = engines_[pipeline];
    std::shared_ptr<const pipeline::Engine> shared = engine.lock();
    if (shared == nullptr) {
      auto opened = context_.open_pipeline(pipeline);
      if (!opened.ok()) return Annotate(opened.status(), "pipeline");
      shared = *std::move(opened);
      engine = shared;
    }
    CameraParts parts;
    parts.watcher = watcher_.get();
    parts.evidence = evidence_.get();
    parts.key = ++last_key_;
    parts.redact = config_.redact;
    parts.stream = StreamParts(static_cast<uint64_t>(parts.key));
    ASSIGN_OR_RETURN(std::unique_ptr<Camera> camera,
                     Camera::Create(std::move(config), shared->plan().name, shared, std::move(parts)));
    return std::shared_ptr<Camera>(std::move(camera));
  }

  // It is found by its name before its stream begins: results come from then on.
  absl::Status Begin(const std::string& name, const std::shared_ptr<Camera>& camera, bool paused) {
    {
      absl::MutexLock lock(&mutex_);
      cameras_[name] = camera;
      broken_.erase(name);
    }
    absl::Status status = camera->Start(paused);
    if (!status.ok()) End(name);
    TellNames();
    return status;
  }

  void NoteBroken(const std::string& name, const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    broken_[name] = status;
  }

  void End(const std::string& name) {
    const std::shared_ptr<Camera> camera = Find(name);
    if (camera != nullptr) camera->Stop();  // with the last events of its rules, which find it by name
    absl::MutexLock lock(&mutex_);
    broken_.erase(name);
    cameras_.erase(name);
  }

  std::shared_ptr<Camera> Find(std::string_view name) const {
    absl::ReaderMutexLock lock(&mutex_);
    const auto found = cameras_.find(name);
    return found == cameras_.end() ? nullptr : found->second;
  }
  size_t Count() const {
    absl::ReaderMutexLock lock(&mutex_);
    return cameras_.size();
  }

  void TellNames() {
    std::vector<std::string> names;
    {
      absl::ReaderMutexLock lock(&mutex_);
      for (const auto& [name, camera] : cameras_) names.push_back(name);
    }
    delivery_->OnCameras(names);
  }

  CameraInfo InfoOf(const store::StoredCamera& stored) const {
    CameraInfo info;
    if (const auto camera = Find(stored.name)) {
      info = camera->info();
    } else if (auto config = ParseCameraConfig(stored.config, stored.name); config.ok()) {
      info.config = *std::move(config);
      info.stream.state = StreamState::kEnded;
    }
    if (absl::ReaderMutexLock lock(&mutex_); broken_.count(stored.name) != 0)
      info.stream.last_error = broken_.at(stored.name);
    info.config.name = stored.name;
    info.config.source = ShownSource(info.config.source);
    info.stored = stored;
    info.stored.config = PrintCameraConfig(info.config, true);
    return info;
  }

  void Take(Event event, const Analysis& analysis, Camera* camera) {
    event.camera = analysis.setup->name;
    event.pipeline = analysis.setup->pipeline;
    event.models = camera->models();
    std::string id = ids_.Next(event.captured);
    event.state = camera->StateOf(event, id);
    event.id = std::move(id);
    if (evidence_ != nullptr && analysis.frame != nullptr && event.phase != EventPhase::kEnd) {
      EvidenceNames names = evidence_->Record(camera->key(), event.id, *analysis.frame);
      event.snapshot = std::move(names.snapshot);
      event.clip = std::move(names.clip);
    }
    camera->CountEvent(event.captured);
    desk_->Put(std::move(event));
  }

  NodeConfig config_;
  const NodeContext context_;
  const WallTime started_ = std::chrono::system_clock::now();
  std::filesystem::path data_;
  std::unique_ptr<store::NodeStore> store_;
  std::unique_ptr<Delivery> delivery_;
  std::unique_ptr<EventDesk> desk_;
  std::unique_ptr<EvidenceRecorder> evidence_;
  std::unique_ptr<TrackWriter> tracks_;
  std::shared_ptr<DecodeGate> gate_;
  std::unique_ptr<Watcher> watcher_;
  EventIds ids_;
  std::atomic<bool> ready_{false}, draining_{false};

  absl::Mutex changes_;  // one change of the cameras at a time; held while threads end
  std::map<std::string, std::weak_ptr<const pipeline::Engine>> engines_ ABSL_GUARDED_BY(changes_);
  int64_t last_key_ ABSL_GUARDED_BY(changes_) = 0;
  mutable absl::Mutex mutex_ ABSL_ACQUIRED_AFTER(changes_);
  std::map<std::string, std::shared_ptr<Camera>, std::less<>> cameras_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, absl::Status> broken_ ABSL_GUARDED_BY(mutex_);  // stored, but cannot be watched
};

}  // namespace

absl::StatusOr<std::unique_ptr<Node>> Node::Create(NodeConfig config, NodeContext context) {
  return NodeImpl::Create(std::move(config), std::move(context));
}

}  // namespace sightline::cameras
