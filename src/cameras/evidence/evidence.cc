#include "cameras/evidence/evidence.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"
#include "cameras/evidence/evidence_camera.h"
#include "cameras/evidence/evidence_names.h"
#include "cameras/evidence/folder_budget.h"
#include "cameras/evidence/redact.h"
#include "cameras/evidence/remux.h"
#include "cameras/evidence/snapshot.h"
#include "stages/ingest/libav_log.h"

namespace sightline::cameras {
namespace {

constexpr uint64_t kSnapshotsWaitingMax = 32;  // each keeps a frame
constexpr uint64_t kSnapshotBytes = 1 << 20;   // room made for one that is not yet encoded
constexpr double kSnapshotPatience = 2;        // seconds for the analysis of its frame to be told
constexpr int kNice = 10;                      // analysis goes before evidence
constexpr std::chrono::minutes kSilence{10};   // between words on the same trouble

MonotonicTime Now() { return Clock::Real().Now(); }
MonotonicTime In(double seconds) {
  return Now() + std::chrono::duration_cast<MonotonicClock::duration>(std::chrono::duration<double>(seconds));
}

class Recorder final : public EvidenceRecorder {
 public:
  Recorder(const EvidenceOptions& options, std::unique_ptr<FolderBudget> budget)
      : options_(options), budget_(std::move(budget)), thread_([this] { Run(); }) {}
  ~Recorder() override { Finish(); }

  void AddCamera(int64_t camera, const std::string& name, const Redaction& redaction) override {
    if (const auto known = Find(camera)) return known->Update(name, redaction);
    auto added = std::make_shared<EvidenceCamera>(
        options_, name, redaction, &account_,
        [this](std::unique_ptr<EvidenceClip> clip) { Put(std::move(clip)); });
    absl::MutexLock lock(&cameras_mutex_);
    if (!finished_) cameras_.emplace(camera, std::move(added));
  }

  void RemoveCamera(int64_t camera) override {
    std::shared_ptr<EvidenceCamera> removed;
    {
      absl::MutexLock lock(&cameras_mutex_);
      const auto found = cameras_.find(camera);
      if (found == cameras_.end()) return;
      removed = std::move(found->second);
      cameras_.erase(found);
    }
    removed->Close();
  }

  void OnPacket(int64_t camera, const LivePacket& packet) override {
    uint64_t share = 0;
    if (const auto known = Find(camera, &share)) known->OnPacket(packet, share);
  }

  void OnSeen(int64_t camera, double stream_s, absl::Span<const SeenBox> boxes) override {
    const auto known = Find(camera);
    if (known == nullptr) return;
    known->OnSeen(stream_s, boxes);
    if (snapshots_waiting_ > 0) Stir();
  }

  EvidenceNames Record(int64_t camera, const std::string& event_id, const LiveFrame& frame) override {
    EvidenceNames names;
    const auto known = Find(camera);
    if (known == nullptr) return names;
    const std::string stem = EvidenceStem(known->name(), event_id, frame.captured);
    if (frame.frame != nullptr && TakeSnapshot(known, options_.folder / (stem + ".jpg"), frame))
      names.snapshot = stem + ".jpg";
    const auto begun = known->BeginClip(options_.folder / (stem + ".mp4"), frame, Now());
    if (begun == EvidenceCamera::Begun::kYes) names.clip = stem + ".mp4";
    if (begun == EvidenceCamera::Begun::kLimited) ++dropped_;
    Stir();
    return names;
  }

  void Finish() override {
    std::map<int64_t, std::shared_ptr<EvidenceCamera>> cameras;
    {
      absl::MutexLock lock(&cameras_mutex_);
      finished_ = true;
      cameras.swap(cameras_);
    }
    for (const auto& [key, camera] : cameras) camera->Close();
    {
      absl::MutexLock lock(&mutex_);
      if (!closing_) give_up_at_ = In(options_.finish_s_max);
      closing_ = stirred_ = true;
    }
    absl::MutexLock lock(&finish_mutex_);
    if (thread_.joinable()) thread_.join();
  }

  Counts counts() const override {
    Counts counts;
    counts.snapshots = snapshots_written_;
    counts.clips = clips_written_;
    counts.failed = failed_;
    counts.dropped = dropped_;
    counts.bytes = budget_->bytes();
    counts.removed = budget_->removed();
    counts.clip_bytes = account_.bytes;
    for (const auto& camera : Cameras()) counts.ring_bytes += camera->ring_bytes();
    return counts;
  }

 private:
  struct Snapshot {
    std::filesystem::path path;
    std::shared_ptr<const EvidenceCamera> camera;
    Redaction redaction;
    FramePtr frame;
    double stream_s = 0;
    MonotonicTime deadline;
  };

  // `share`: of the memory for rings.
  std::shared_ptr<EvidenceCamera> Find(int64_t camera, uint64_t* share = nullptr) const {
    absl::ReaderMutexLock lock(&cameras_mutex_);
    const auto found = cameras_.find(camera);
    if (found == cameras_.end()) return nullptr;
    if (share != nullptr)
      *share = std::min(options_.ring_bytes_max, options_.rings_bytes_max / cameras_.size());
    return found->second;
  }

  std::vector<std::shared_ptr<EvidenceCamera>> Cameras() const {
    std::vector<std::shared_ptr<EvidenceCamera>> cameras;
    absl::ReaderMutexLock lock(&cameras_mutex_);
    for (const auto& [key, camera] : cameras_) cameras.push_back(camera);
    return cameras;
  }

  bool TakeSnapshot(const std::shared_ptr<EvidenceCamera>& camera, std::filesystem::path path,
                    const LiveFrame& frame) {
    Snapshot snapshot{std::move(path), camera,         camera->redaction(),
                      frame.frame,     frame.stream_s, In(std::min(options_.patience_s, kSnapshotPatience))};
    const bool allowed = camera->MayTakeSnapshot(Now());
    absl::MutexLock lock(&mutex_);
    if (closing_) return false;
    if (!allowed || snapshots_waiting_ >= kSnapshotsWaitingMax) {
      ++dropped_;
      return false;
    }
    ++snapshots_waiting_;
    snapshots_.push_back(std::move(snapshot));
    return true;
  }

  void Put(std::unique_ptr<EvidenceClip> clip) {
    absl::MutexLock lock(&mutex_);
    if (closing_) return;  // the thread may be gone
    clips_.push_back(std::move(clip));
    stirred_ = true;
  }

  void Stir() {
    absl::MutexLock lock(&mutex_);
    stirred_ = true;
  }

  // --- the recorder's thread ---

  void Run() {
    setpriority(PRIO_PROCESS, 0, kNice);  // of this thread
    while (true) {
      for (const auto& camera : Cameras()) camera->Expire(Now());
      WriteSnapshots();
      if (const auto clip = NextClip()) {
        WriteClip(*clip);
      } else if (!Wait()) {
        return;
      }
    }
  }

  // False when there will be nothing more.
  bool Wait() {
    absl::MutexLock lock(&mutex_);
    if (closing_ && clips_.empty() && snapshots_.empty()) return false;
    const bool timed = account_.clips > 0 || !snapshots_.empty();
    mutex_.AwaitWithTimeout(absl::Condition(&stirred_),
                            timed ? absl::Milliseconds(100) : absl::InfiniteDuration());
    stirred_ = false;
    return true;
  }

  bool GivesUp() const {
    absl::MutexLock lock(&mutex_);
    return closing_ && Now() > give_up_at_;
  }

  std::unique_ptr<EvidenceClip> NextClip() {
    absl::MutexLock lock(&mutex_);
    if (clips_.empty()) return nullptr;
    auto clip = std::move(clips_.front());
    clips_.pop_front();
    return clip;
  }

  void WriteSnapshots() {
    if (snapshots_waiting_ == 0) return;
    std::deque<Snapshot> waiting;
    bool closing = false;
    {
      absl::MutexLock lock(&mutex_);
      waiting.swap(snapshots_);
      closing = closing_;
    }
    std::deque<Snapshot> rest;
    for (Snapshot& snapshot : waiting) {
      const bool known = snapshot.redaction.none() || snapshot.camera->HasSeen(snapshot.stream_s);
      if (!known && !closing && Now() < snapshot.deadline) {
        rest.push_back(std::move(snapshot));
        continue;
      }
      Write(snapshot, known);
      --snapshots_waiting_;
    }
    absl::MutexLock lock(&mutex_);
    snapshots_.insert(snapshots_.begin(), std::make_move_iterator(rest.begin()),
                      std::make_move_iterator(rest.end()));
  }

  // What is not known to be harmless is hidden whole.
  static FramePtr Hidden(const Snapshot& snapshot, bool known) {
    if (snapshot.redaction.none()) return snapshot.frame;
    const auto boxes = known ? snapshot.camera->SeenAt(snapshot.stream_s) : std::nullopt;
    if (boxes) return Redacted(snapshot.frame, snapshot.redaction, *boxes);
    std::shared_ptr<Frame> copy = CopyOf(*snapshot.frame);
    HideWhole(copy.get());
    return copy;
  }

  void Write(const Snapshot& snapshot, bool known) {
    if (GivesUp()) {
      ++dropped_;
      return;
    }
    absl::Status status = Prepare(snapshot.path, kSnapshotBytes);
    if (status.ok())
      status = WriteSnapshot(*Hidden(snapshot, known), options_.snapshot_quality, snapshot.path).status();
    Count(status, snapshot.path, &snapshots_written_);
  }

  void WriteClip(const EvidenceClip& clip) {
    if (GivesUp()) {
      ++dropped_;
      return;
    }
    absl::Status status = Prepare(clip.path, clip.bytes());
    if (status.ok() && clip.redaction.none() && CanRemux(*clip.packets.front().track)) {
      status = Remux(clip.packets, clip.path);
    } else if (status.ok()) {
      const SeenHistory nothing(0, 0);
      // Snapshots do not wait for a long clip.
      const auto go_on = [this] {
        WriteSnapshots();
        return !GivesUp();
      };
      status = EncodeClip(clip.packets, clip.cut, clip.redaction, clip.seen ? *clip.seen : nothing, clip.path,
                          go_on);
    }
    if (absl::IsCancelled(status)) {
      ++dropped_;
    } else {
      Count(status, clip.path, &clips_written_);
    }
  }

  absl::Status Prepare(const std::filesystem::path& path, uint64_t bytes) {
    budget_->MakeRoom(bytes);
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (!error) return absl::OkStatus();
    return ErrnoStatus(error.value(), fmt::format("cannot make the folder {}", path.parent_path().string()));
  }

  void Count(const absl::Status& status, const std::filesystem::path& path, std::atomic<uint64_t>* written) {
    if (status.ok()) {
      ++*written;
      std::error_code error;
      const uint64_t bytes = std::filesystem::file_size(path, error);
      if (!error) budget_->Add(path, bytes);
      return;
    }
    ++failed_;
    const MonotonicTime now = Now();
    const auto [said, first] = said_at_.try_emplace(status.code(), now);
    if (!first && now - said->second < kSilence) return;
    said->second = now;
    spdlog::error("evidence: {} (told once in {} minutes, counted each time)", MessageOf(status),
                  kSilence.count());
  }

  const EvidenceOptions options_;
  const std::unique_ptr<FolderBudget> budget_;
  ClipAccount account_;
  std::atomic<uint64_t> snapshots_written_ = 0, clips_written_ = 0, failed_ = 0, dropped_ = 0;
  std::atomic<uint64_t> snapshots_waiting_ = 0;
  std::map<absl::StatusCode, MonotonicTime> said_at_;  // of the recorder's thread

  mutable absl::Mutex cameras_mutex_;
  std::map<int64_t, std::shared_ptr<EvidenceCamera>> cameras_ ABSL_GUARDED_BY(cameras_mutex_);
  bool finished_ ABSL_GUARDED_BY(cameras_mutex_) = false;

  mutable absl::Mutex mutex_ ABSL_ACQUIRED_AFTER(cameras_mutex_);  // and after a camera's
  std::deque<Snapshot> snapshots_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::unique_ptr<EvidenceClip>> clips_ ABSL_GUARDED_BY(mutex_);
  bool stirred_ ABSL_GUARDED_BY(mutex_) = false, closing_ ABSL_GUARDED_BY(mutex_) = false;
  MonotonicTime give_up_at_ ABSL_GUARDED_BY(mutex_);

  absl::Mutex finish_mutex_;
  std::jthread thread_;  // the last: it uses all the others
};

}  // namespace

absl::StatusOr<std::unique_ptr<EvidenceRecorder>> EvidenceRecorder::Create(const EvidenceOptions& options) {
  const bool sane =
      options.before_s >= 0 && options.before_s <= 600 && options.after_s >= 0 && options.after_s <= 600;
  if (!sane) return absl::InvalidArgumentError("evidence: seconds before and after an event are 0 to 600");
  if (options.snapshot_quality < 1 || options.snapshot_quality > 100)
    return absl::InvalidArgumentError("evidence: the quality of snapshots is 1 to 100");
  ingest::SetUpLibav();
  ASSIGN_OR_RETURN(auto budget, FolderBudget::Create(options.folder, options.folder_bytes_max));
  return std::make_unique<Recorder>(options, std::move(budget));
}

}  // namespace sightline::cameras
