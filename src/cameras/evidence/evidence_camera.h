// What is kept of one camera in case an event asks for it, and the clips that wait for their packets.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "cameras/evidence/encode_clip.h"
#include "cameras/evidence/evidence.h"
#include "cameras/evidence/packet_ring.h"
#include "cameras/evidence/rate_limit.h"
#include "cameras/evidence/seen_history.h"

namespace sightline::cameras {

// What clips under way hold, of all cameras together.
struct ClipAccount {
  static constexpr uint64_t kClipsMax = 256;
  static constexpr uint64_t kBytesMax = 512ull << 20;
  std::atomic<uint64_t> clips = 0, bytes = 0;
};

// A clip from the event on until it is written.
class EvidenceClip {
 public:
  EvidenceClip(std::filesystem::path path, Redaction redaction, ClipCut cut, ClipAccount* account);
  ~EvidenceClip();
  EvidenceClip(const EvidenceClip&) = delete;
  EvidenceClip& operator=(const EvidenceClip&) = delete;

  // Takes the packet, unless it is complete or becomes so by it: past the end, of another stretch, beyond
  // memory.
  void Offer(const LivePacket& packet, uint64_t bytes_max);

  const std::filesystem::path path;
  const ClipCut cut;
  Redaction redaction;
  MonotonicTime deadline;
  bool complete = false;
  std::vector<LivePacket> packets;
  std::optional<SeenHistory> seen;  // once it is ready, where there is something to hide
  uint64_t bytes() const { return bytes_; }
  // The last frame that it can show.
  double end_s() const;

 private:
  ClipAccount* const account_;
  uint64_t bytes_ = 0;
};

// Threads: safe. `ready` is called under the camera's mutex, from any of the methods that change something.
class EvidenceCamera {
 public:
  using Ready = std::function<void(std::unique_ptr<EvidenceClip>)>;
  EvidenceCamera(const EvidenceOptions& options, std::string name, Redaction redaction, ClipAccount* account,
                 Ready ready);

  void Update(std::string name, const Redaction& redaction);
  void OnPacket(const LivePacket& packet, uint64_t ring_bytes_max);
  void OnSeen(double stream_s, absl::Span<const SeenBox> boxes);

  enum class Begun { kYes, kNoPackets, kLimited };
  Begun BeginClip(const std::filesystem::path& path, const LiveFrame& frame, MonotonicTime now);
  bool MayTakeSnapshot(MonotonicTime now);

  // Clips that waited long enough are ready with what they have.
  void Expire(MonotonicTime now);
  // All are; nothing comes after.
  void Close();

  std::string name() const;
  Redaction redaction() const;
  bool HasSeen(double stream_s) const;  // the analysis has come so far
  std::optional<std::vector<SeenBox>> SeenAt(double stream_s) const;
  uint64_t ring_bytes() const;

 private:
  bool IsReady(const EvidenceClip& clip) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Advance(MonotonicTime now, bool closing) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const EvidenceOptions options_;
  ClipAccount* const account_;
  const Ready ready_;
  mutable absl::Mutex mutex_;
  std::string name_ ABSL_GUARDED_BY(mutex_);
  Redaction redaction_ ABSL_GUARDED_BY(mutex_);
  PacketRing ring_ ABSL_GUARDED_BY(mutex_);
  SeenHistory seen_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<EvidenceClip>> clips_ ABSL_GUARDED_BY(mutex_);
  RateLimit clip_limit_ ABSL_GUARDED_BY(mutex_), snapshot_limit_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sightline::cameras
