#include "cameras/node/camera.h"

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::cameras {
namespace {

constexpr size_t kStatesMax = 4096;  // open at a time

std::vector<SeenBox> HiddenBoxes(const Analysis& analysis) {
  std::vector<SeenBox> boxes;
  for (const rules::Object& object : analysis.objects) AddHidden(object.label, object.id, object.box, &boxes);
  return boxes;
}

// Detections that are no track, or none yet. Evidence does without them: it knows what came after.
void AddUntracked(const Analysis& analysis, std::vector<SeenBox>* boxes) {
  if (analysis.result == nullptr) return;
  const pipeline::Engine& engine = *analysis.setup->engine;
  for (size_t i = 0; i < analysis.result->steps.size(); ++i) {
    if (engine.plan().steps[i].kind != pipeline::StepKind::kDetect) continue;
    const auto& labels = engine.step(static_cast<int>(i)).card.head.labels;
    for (const Detection& detection : analysis.result->steps[i].detections) {
      const auto index = static_cast<size_t>(detection.class_id);
      if (index < labels.size()) AddHidden(labels[index], 0, detection.box, boxes);
    }
  }
}

// Before the first frame says.
Size LikelySize(const CameraConfig& config) {
  if (!config.picture) return {1920, 1080};
  return {static_cast<int>((*config.picture)[0]), static_cast<int>((*config.picture)[1])};
}

}  // namespace

void AddHidden(std::string_view label, int64_t id, const Box& box, std::vector<SeenBox>* boxes) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), label) != names.end();
  };
  if (label == "face") boxes->push_back({SeenBox::Kind::kFace, id, box});
  // Who rides is seen as one with what is ridden.
  if (is_one_of({"person", "pedestrian", "rider", "cyclist", "bicycle", "motorcycle", "motorbike"}))
    boxes->push_back({SeenBox::Kind::kPerson, id, box});
  if (is_one_of({"car", "truck", "bus", "van", "vehicle", "motorcycle", "motorbike"}))
    boxes->push_back({SeenBox::Kind::kVehicle, ~id, box});
}

absl::StatusOr<std::unique_ptr<Camera>> Camera::Create(CameraConfig config, std::string pipeline,
                                                       std::shared_ptr<const pipeline::Engine> engine,
                                                       CameraParts parts) {
  // What is wrong whatever the size of the stream is said now.
  RETURN_IF_ERROR(SceneOf(config, parts.redact, LikelySize(config)).status());
  RETURN_IF_ERROR(SourceOf(config).status());
  return std::unique_ptr<Camera>(
      new Camera(std::move(config), std::move(pipeline), std::move(engine), std::move(parts)));
}

Camera::Camera(CameraConfig config, std::string pipeline, std::shared_ptr<const pipeline::Engine> engine,
               CameraParts parts)
    : config_(std::move(config)),
      pipeline_(std::move(pipeline)),
      engine_(std::move(engine)),
      parts_(std::move(parts)) {
  for (const pipeline::Step& step : engine_->plan().steps)
    if (step.model != nullptr) models_.push_back(step.model->card.Id());
}

Camera::~Camera() {
  Stop();
  if (parts_.evidence != nullptr) parts_.evidence->RemoveCamera(parts_.key);
}

absl::Status Camera::Start(bool paused) {
  ASSIGN_OR_RETURN(SourceOptions source, SourceOf(config_));
  if (parts_.evidence != nullptr) {  // packets come before the first frame, and a clip begins with them
    ASSIGN_OR_RETURN(const Scene scene, SceneOf(config_, parts_.redact, LikelySize(config_)));
    parts_.evidence->AddCamera(parts_.key, config_.name, scene.redaction);
  }
  ASSIGN_OR_RETURN(auto stream, CameraStream::Create(std::move(source), parts_.stream, this));
  // Frames that nobody waits for are decoded only where later ones need them; keyframes alone where those
  // suffice.
  stream->SetDemand(config_.rate > 0 ? decode::Economy::kKeyframes : decode::Economy::kNone,
                    config_.rate > 0 ? 1 / config_.rate : 0);
  stream->SetPaused(paused);
  absl::MutexLock lock(&mutex_);
  paused_ = paused;
  stream_ = std::move(stream);
  return absl::OkStatus();
}

void Camera::Stop() {
  std::unique_ptr<CameraStream> stream;
  {
    absl::MutexLock lock(&mutex_);
    stream = std::move(stream_);
  }
  stream.reset();  // not under the mutex: its thread may be waiting for it
  Unwatch();
}

void Camera::SetPaused(bool paused) {
  absl::MutexLock lock(&mutex_);
  paused_ = paused;
  if (stream_ != nullptr) stream_->SetPaused(paused);
}

void Camera::Publish(const rules::TopicValue& value) {
  const std::optional<int64_t> watched = Watched();
  if (watched) parts_.watcher->Publish(*watched, value);
}

std::optional<int64_t> Camera::Watched() const {
  absl::MutexLock lock(&mutex_);
  return watched_;
}

bool Camera::IsReady(double seconds) {
  const std::optional<int64_t> watched = Watched();
  return !watched || parts_.watcher->WaitForRoom(*watched, seconds);
}

void Camera::OnFrame(const LiveFrame& frame) {
  const Size size = frame.frame->source_size;
  std::optional<int64_t> watched;
  bool changed = false;
  {
    absl::MutexLock lock(&mutex_);
    changed = size.width != size_.width || size.height != size_.height;
  }
  if (changed) Watch(size);
  {
    absl::MutexLock lock(&mutex_);
    watched = watched_;
    if (!watched) {  // nothing can be analysed, but people may look
      view_.frame = frame.frame;
      view_.stream_s = frame.stream_s;
      view_.captured = frame.captured;
    }
  }
  if (watched) parts_.watcher->Offer(*watched, frame);
}

void Camera::OnPacket(const LivePacket& packet) {
  if (parts_.evidence != nullptr) parts_.evidence->OnPacket(parts_.key, packet);
}

// A camera that is down tries again and again: what is wrong is said once, until it is something else.
void Camera::OnState(const StreamStatus& status) {
  const std::string error(status.last_error.ok() ? "" : MessageOf(status.last_error));
  const bool trouble = status.state == StreamState::kBackOff;
  bool news = status.state != StreamState::kConnecting;
  {
    absl::MutexLock lock(&mutex_);
    if (trouble) news = error != told_error_;
    if (trouble) told_error_ = error;
    if (status.state == StreamState::kLive) told_error_.clear();
  }
  const auto level = !news ? spdlog::level::debug : trouble ? spdlog::level::warn : spdlog::level::info;
  spdlog::log(level, "camera {}: {}{}", config_.name, Name(status.state), trouble ? ": " + error : "");
}

// The watcher waits for calls that are under way, and those take the mutex: it is never held here.
void Camera::Watch(Size size) {
  Unwatch();
  auto scene = SceneOf(config_, parts_.redact, size);
  std::optional<int64_t> watched;
  if (scene.ok()) {
    if (parts_.evidence != nullptr) parts_.evidence->AddCamera(parts_.key, config_.name, scene->redaction);
    WatchedCamera setup;
    setup.name = config_.name;
    setup.engine = engine_;
    setup.pipeline = pipeline_;
    setup.attention = config_.attention;
    setup.rate = config_.rate;
    setup.weight = config_.weight;
    setup.geometry = scene->geometry;
    setup.rules = scene->rules;
    watched = parts_.watcher->Add(std::move(setup));
  } else {
    spdlog::error("camera {}: {}", config_.name, MessageOf(scene.status()));
  }
  absl::MutexLock lock(&mutex_);
  size_ = size;
  watched_ = watched;
  scene_error_ = scene.status();
  view_ = {};
  error_px_.reset();
  if (!scene.ok()) return;
  redaction_ = scene->redaction;
  view_.geometry = scene->geometry;
  if (scene->geometry.ground) error_px_ = scene->geometry.ground->error_px();
}

void Camera::Unwatch() {
  const std::optional<int64_t> watched = Watched();
  if (!watched) return;
  parts_.watcher->Remove(*watched);
  absl::MutexLock lock(&mutex_);
  watched_.reset();
}

void Camera::OnAnalysis(const Analysis& analysis) {
  if (analysis.frame == nullptr) return;
  std::vector<SeenBox> hidden = HiddenBoxes(analysis);
  if (parts_.evidence != nullptr) parts_.evidence->OnSeen(parts_.key, analysis.frame->stream_s, hidden);
  AddUntracked(analysis, &hidden);
  absl::MutexLock lock(&mutex_);
  view_.frame = analysis.frame->frame;
  view_.stream_s = analysis.frame->stream_s;
  view_.captured = analysis.frame->captured;
  view_.marks.clear();
  for (const rules::Object& object : analysis.objects)
    view_.marks.push_back({object.id, std::string(object.label), object.score, object.box, object.seen});
  view_.hidden = std::move(hidden);
}

void Camera::CountEvent(WallTime captured) {
  absl::MutexLock lock(&mutex_);
  last_event_ = captured;
}

std::string Camera::StateOf(const Event& event, const std::string& event_id) {
  if (event.phase == EventPhase::kMoment) return "";
  const std::string key = fmt::format("{}/{}", event.rule, event.id);
  absl::MutexLock lock(&mutex_);
  const auto found =
      std::find_if(states_.begin(), states_.end(), [&](const auto& state) { return state.first == key; });
  if (event.phase == EventPhase::kBegin) {
    if (states_.size() == kStatesMax) states_.erase(states_.begin());
    states_.emplace_back(key, event_id);
    return event_id;
  }
  if (found == states_.end()) return event_id;
  std::string began = std::move(found->second);
  states_.erase(found);
  return began;
}

CameraInfo Camera::info() const {
  CameraInfo info;
  info.config = config_;
  absl::MutexLock lock(&mutex_);
  if (stream_ != nullptr) info.stream = stream_->status();
  if (!scene_error_.ok()) info.stream.last_error = scene_error_;
  if (watched_) info.counts = parts_.watcher->counts(*watched_);
  info.calibration_error_px = error_px_.value_or(0);
  info.last_event = last_event_;
  info.stored.paused = paused_;
  return info;
}

absl::StatusOr<LiveView> Camera::view() const {
  absl::MutexLock lock(&mutex_);
  if (view_.frame == nullptr) return absl::UnavailableError(fmt::format("{}: no frame yet", config_.name));
  return view_;
}

Redaction Camera::redaction() const {
  absl::MutexLock lock(&mutex_);
  return redaction_;
}

}  // namespace sightline::cameras
