#include "cameras/watch/watcher.h"

#include <array>
#include <map>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/check.h"
#include "base/log.h"
#include "base/status.h"
#include "cameras/watch/delay_meter.h"
#include "cameras/watch/fair_scheduler.h"
#include "cameras/watch/watch_worker.h"

namespace sightline::cameras {
namespace {

constexpr size_t kTopicsMax = 64;       // published between two analyses; the oldest go
constexpr double kDegradedShare = 0.9;  // of what was asked for
constexpr double kLateMaxShare = 0.5;  // of the age limit: so much of it at most is taken by what came before
constexpr uint64_t kFailuresTold = 100;  // the first, and then each so many

double Seconds(MonotonicTime time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

struct Watched {
  explicit Watched(WatchedCamera setup) : stream(std::move(setup)) {}
  WatchedStream stream;  // the worker's while busy
  std::optional<LiveFrame> waiting;
  uint64_t ticket = 0;  // of `waiting`
  std::vector<rules::TopicValue> topics;
  bool busy = false;
  bool removed = false;
  CameraCounts counts;  // what the scheduler does not count
  DelayMeter delays;
};

class SharedWatcher final : public Watcher, private WorkBoard {
 public:
  SharedWatcher(const WatchOptions& options, WatchConsumer* consumer)
      : options_(options), consumer_(consumer), scheduler_(FairScheduler::Create({options.age_max_s})) {
    for (int i = 0; i < std::max(1, options.workers); ++i) {
      threads_.emplace_back([this] { WatchWorker(this, options_.pack_max).Work(); });
    }
  }

  ~SharedWatcher() override {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
    work_.SignalAll();
  }

  int64_t Add(WatchedCamera camera) override {
    CHECK(camera.engine != nullptr) << "a camera needs an engine";
    const double weight = camera.weight, rate = camera.rate;
    auto watched = std::make_unique<Watched>(std::move(camera));
    absl::MutexLock lock(&mutex_);
    const int64_t id = ++last_id_;
    scheduler_->Add(id, weight, rate);
    cameras_[id] = std::move(watched);
    return id;
  }

  void Remove(int64_t id) override {
    Watched* camera = nullptr;
    {
      absl::MutexLock lock(&mutex_);
      camera = Find(id);
      if (camera == nullptr || camera->removed) {
        while (cameras_.count(id) != 0) done_.Wait(&mutex_);  // somebody else is about it
        return;
      }
      camera->removed = true;
      camera->waiting.reset();
      room_.SignalAll();
      while (camera->busy) done_.Wait(&mutex_);
      scheduler_->Remove(id);
    }
    camera->stream.End();
    if (!camera->stream.events().empty()) {
      Analysis analysis;
      analysis.camera = id;
      analysis.setup = &camera->stream.setup();
      analysis.events = camera->stream.events();
      consumer_->OnAnalysis(analysis);
    }
    absl::MutexLock lock(&mutex_);
    cameras_.erase(id);
    ++engines_version_;
    work_.SignalAll();
    done_.SignalAll();
  }

  void Offer(int64_t id, const LiveFrame& frame) override {
    if (frame.frame == nullptr) return;
    std::optional<LiveFrame> replaced;  // let go of outside the mutex
    absl::MutexLock lock(&mutex_);
    Watched* camera = Find(id);
    if (camera == nullptr || camera->removed) return;
    const uint64_t ticket = camera->ticket + 1;
    const auto haste = frame.patient ? FairScheduler::Haste::kPatient : FairScheduler::Haste::kLive;
    if (!scheduler_->Offer(id, ticket, OfferTime(frame), haste)) return;
    replaced = std::move(camera->waiting);
    camera->waiting = frame;
    camera->ticket = ticket;
    idle_ = false;
    if (!camera->busy) work_.Signal();
  }

  bool WaitForRoom(int64_t id, double seconds) override {
    const absl::Time end = absl::Now() + absl::Seconds(std::clamp(seconds, 0.0, 1e6));
    absl::MutexLock lock(&mutex_);
    while (true) {
      const Watched* camera = Find(id);
      if (camera == nullptr || camera->removed || !camera->waiting) return true;
      if (room_.WaitWithDeadline(&mutex_, end)) return false;
    }
  }

  void Publish(int64_t id, const rules::TopicValue& value) override {
    absl::MutexLock lock(&mutex_);
    Watched* camera = Find(id);
    if (camera == nullptr || camera->removed) return;
    if (camera->topics.size() == kTopicsMax) camera->topics.erase(camera->topics.begin());
    camera->topics.push_back(value);
  }

  CameraCounts counts(int64_t id) const override {
    absl::MutexLock lock(&mutex_);
    const auto found = cameras_.find(id);
    if (found == cameras_.end()) return {};
    CameraCounts counts = found->second->counts;
    const FairScheduler::Counts picks = scheduler_->counts(id);
    counts.frames = picks.offered;
    counts.dropped = picks.replaced + picks.too_old;
    counts.rate = picks.rate;
    counts.wanted_rate = picks.wanted_rate;
    counts.waiting = found->second->waiting.has_value();
    counts.degraded = picks.share < kDegradedShare;
    const int64_t second = static_cast<int64_t>(Now());
    counts.delay_p50_s = found->second->delays.Quantile(second, 0.5);
    counts.delay_p99_s = found->second->delays.Quantile(second, 0.99);
    return counts;
  }

  double served_share() const override {
    absl::MutexLock lock(&mutex_);
    return scheduler_->served_share();
  }

  std::vector<WatchStage> stages() const override {
    constexpr std::string_view kNames[] = {"plan",  "preprocess", "infer", "postprocess",
                                           "track", "rules",      "tell"};
    std::vector<WatchStage> stages;
    absl::MutexLock lock(&mutex_);
    for (size_t i = 0; i < stages_.size(); ++i)
      stages.push_back({kNames[i], stages_[i].cpu_s, static_cast<uint64_t>(stages_[i].calls)});
    return stages;
  }

  bool Drain(double seconds) override {
    const absl::Time end = absl::Now() + absl::Seconds(std::clamp(seconds, 0.0, 1e6));
    absl::MutexLock lock(&mutex_);
    while (!idle_ || busy_ > 0) {
      if (done_.WaitWithDeadline(&mutex_, end)) return idle_ && busy_ == 0;
    }
    return true;
  }

 private:
  double Now() const { return Seconds(options_.clock->Now()); }

  // A frame is as old as its packet. Where decoding lags, so much is left of the age limit that it can still
  // be taken: late results are better than none.
  double OfferTime(const LiveFrame& frame) const {
    const double now = Now();
    return std::clamp(Seconds(frame.arrived), now - kLateMaxShare * options_.age_max_s, now);
  }

  Watched* Find(int64_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = cameras_.find(id);
    return found == cameras_.end() ? nullptr : found->second.get();
  }

  bool TakeNext(WatchJob* job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (const auto pick = scheduler_->Next(Now())) {
      Watched* camera = Find(pick->camera);
      if (camera == nullptr || camera->removed || !camera->waiting || camera->ticket != pick->ticket) {
        scheduler_->Charge(pick->camera, 0);
        continue;
      }
      camera->busy = true;
      ++busy_;
      job->camera = pick->camera;
      job->stream = &camera->stream;
      job->frame = *std::move(camera->waiting);
      camera->waiting.reset();
      if (job->frame.patient) room_.SignalAll();
      job->topics.swap(camera->topics);
      camera->topics.clear();
      return true;
    }
    idle_ = true;  // but for cameras whose frame is being analysed: those are looked at again after it
    if (busy_ == 0) done_.SignalAll();
    return false;
  }

  Taken Take(uint64_t* engines_seen, WatchJob* job) override {
    absl::MutexLock lock(&mutex_);
    while (true) {
      if (ending_) return Taken::kEnd;
      if (*engines_seen != engines_version_) {
        *engines_seen = engines_version_;
        return Taken::kEngines;
      }
      if (TakeNext(job)) return Taken::kJob;
      work_.Wait(&mutex_);
    }
  }

  bool TryTake(WatchJob* job) override {
    absl::MutexLock lock(&mutex_);
    return !ending_ && TakeNext(job);
  }

  std::vector<std::shared_ptr<const pipeline::Engine>> Engines() const override {
    std::vector<std::shared_ptr<const pipeline::Engine>> engines;
    absl::MutexLock lock(&mutex_);
    for (const auto& [id, camera] : cameras_) engines.push_back(camera->stream.setup().engine);
    return engines;
  }

  void Finish(WatchJob* job) override {
    const double begin_s = ThreadCpuSeconds();
    Analysis analysis;
    analysis.camera = job->camera;
    analysis.setup = &job->stream->setup();
    analysis.frame = &job->frame;
    analysis.look = job->look;
    analysis.objects = job->stream->objects();
    analysis.result = Looked(*job) ? &job->result : nullptr;
    analysis.events = job->stream->events();
    analysis.delay_s = std::max(0.0, Now() - Seconds(job->frame.arrived));
    consumer_->OnAnalysis(analysis);
    const double tell_s = ThreadCpuSeconds() - begin_s;
    job->cpu_s += tell_s;
    Count(*job, analysis, tell_s);
    job->frame.frame.reset();  // goes back to its pool now
    job->result.pixels.reset();
  }

  static bool Looked(const WatchJob& job) {
    return job.look->kind == attention::LookKind::kFull || job.look->kind == attention::LookKind::kRegions;
  }

  void CountStages(const WatchJob& job, double tell_s) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    using pipeline::Stage;
    const auto step = [&](Stage stage) { return job.steps[static_cast<size_t>(stage)]; };
    const auto once = [](double cpu_s) { return pipeline::StageTime{cpu_s, 0, 1}; };
    const pipeline::StageTime times[] = {
        once(job.plan_cpu_s), step(Stage::kPreprocess),        step(Stage::kInfer), step(Stage::kPostprocess),
        step(Stage::kTrack),  once(job.stream->rules_cpu_s()), once(tell_s)};
    for (size_t i = 0; i < stages_.size(); ++i) stages_[i].Add(times[i]);
  }

  void Count(const WatchJob& job, const Analysis& analysis, double tell_s) {
    uint64_t failed = 0;
    std::string name;  // the camera may be gone once it is not busy
    if (!job.result.status.ok()) name = job.stream->setup().name;
    {
      absl::MutexLock lock(&mutex_);
      Watched& camera = *Find(job.camera);
      CameraCounts& counts = camera.counts;
      ++counts.analysed;
      uint64_t* const looks[] = {&counts.looks_full, &counts.looks_regions, &counts.looks_predicted,
                                 &counts.looks_skipped};
      ++*looks[static_cast<size_t>(job.look->kind)];
      counts.events += analysis.events.size();
      counts.cpu_s += job.cpu_s;
      CountStages(job, tell_s);
      if (!job.result.status.ok()) failed = ++counts.failed;
      camera.delays.Add(static_cast<int64_t>(Now()), analysis.delay_s);
      scheduler_->Charge(job.camera, job.cpu_s);
      camera.busy = false;
      --busy_;
      if (camera.waiting) idle_ = false;
      if (camera.waiting) work_.Signal();
      if (camera.removed || busy_ == 0) done_.SignalAll();
    }
    if (failed % kFailuresTold == 1) {
      spdlog::warn("camera {}: a frame could not be analysed ({} so far): {}", name, failed,
                   MessageOf(job.result.status));
    }
  }

  const WatchOptions options_;
  WatchConsumer* const consumer_;
  mutable absl::Mutex mutex_;
  absl::CondVar work_, done_, room_;
  std::unique_ptr<FairScheduler> scheduler_ ABSL_GUARDED_BY(mutex_);
  std::map<int64_t, std::unique_ptr<Watched>> cameras_ ABSL_GUARDED_BY(mutex_);
  int64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t engines_version_ ABSL_GUARDED_BY(mutex_) =
      0;  // rises when an engine may have lost its last camera
  std::array<pipeline::StageTime, 7> stages_ ABSL_GUARDED_BY(mutex_);  // as stages() names them
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;
  bool idle_ ABSL_GUARDED_BY(mutex_) = true;  // nothing waits, but for cameras that are busy
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;  // last: they end before what they use
};

}  // namespace

std::unique_ptr<Watcher> Watcher::Create(const WatchOptions& options, WatchConsumer* consumer) {
  return std::make_unique<SharedWatcher>(options, consumer);
}

}  // namespace sightline::cameras
