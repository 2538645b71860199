#include "cameras/evidence/evidence_camera.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "cameras/evidence/redact.h"

namespace sightline::cameras {
namespace {

constexpr double kLateMax = 3;        // seconds that an event may be behind the stream
constexpr double kSeenMore = 10;      // seconds of history beyond a clip
constexpr size_t kBoxesMax = 16'384;  // of history, a camera

MonotonicTime After(MonotonicTime now, double seconds) {
  return now + std::chrono::duration_cast<MonotonicClock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

EvidenceClip::EvidenceClip(std::filesystem::path file, Redaction hidden, ClipCut part, ClipAccount* account)
    : path(std::move(file)), cut(part), redaction(std::move(hidden)), account_(account) {
  ++account_->clips;
}

EvidenceClip::~EvidenceClip() {
  --account_->clips;
  account_->bytes -= bytes_;
}

void EvidenceClip::Offer(const LivePacket& packet, uint64_t bytes_max) {
  if (complete) return;
  const uint64_t size = BytesOf(packet);
  const bool past = OrderOf(packet) > cut.to_s || (packet.key && packet.stream_s > cut.to_s);
  const bool other = !packets.empty() && !BelongTogether(packets.front(), packet);
  if (past || other || bytes_ + size > bytes_max || account_->bytes + size > ClipAccount::kBytesMax) {
    complete = true;
    return;
  }
  packets.push_back(packet);
  bytes_ += size;
  account_->bytes += size;
}

double EvidenceClip::end_s() const {
  double end_s = cut.from_s;
  for (const LivePacket& packet : packets) end_s = std::max(end_s, packet.stream_s);
  return std::min(end_s, cut.to_s);
}

EvidenceCamera::EvidenceCamera(const EvidenceOptions& options, std::string name, Redaction redaction,
                               ClipAccount* account, Ready ready)
    : options_(options),
      account_(account),
      ready_(std::move(ready)),
      name_(std::move(name)),
      redaction_(std::move(redaction)),
      seen_(options.before_s + options.after_s + kSeenMore, kBoxesMax),
      clip_limit_(8, 0.2),
      snapshot_limit_(20, 2) {}

void EvidenceCamera::Update(std::string name, const Redaction& redaction) {
  absl::MutexLock lock(&mutex_);
  name_ = std::move(name);
  redaction_ = redaction;
  for (const auto& clip : clips_) Join(redaction, &clip->redaction);
}

void EvidenceCamera::OnPacket(const LivePacket& packet, uint64_t ring_bytes_max) {
  if (!IsUsable(packet)) return;
  absl::MutexLock lock(&mutex_);
  if (closed_) return;
  ring_.Add(packet, options_.before_s + kLateMax, ring_bytes_max);
  if (clips_.empty()) return;
  for (const auto& clip : clips_) clip->Offer(packet, options_.ring_bytes_max);
  Advance(MonotonicTime::min(), false);
}

void EvidenceCamera::OnSeen(double stream_s, absl::Span<const SeenBox> boxes) {
  absl::MutexLock lock(&mutex_);
  if (redaction_.none() || closed_) return;
  seen_.Add(stream_s, boxes);
  if (!clips_.empty()) Advance(MonotonicTime::min(), false);
}

EvidenceCamera::Begun EvidenceCamera::BeginClip(const std::filesystem::path& path, const LiveFrame& frame,
                                                MonotonicTime now) {
  absl::MutexLock lock(&mutex_);
  if (closed_ || !std::isfinite(frame.stream_s)) return Begun::kNoPackets;
  const ClipCut cut{frame.stream_s - options_.before_s, frame.stream_s + options_.after_s};
  const std::vector<LivePacket> packets = ring_.From(frame.epoch, frame.stream_s, cut.from_s);
  if (packets.empty()) return Begun::kNoPackets;
  if (account_->clips >= ClipAccount::kClipsMax || account_->bytes >= ClipAccount::kBytesMax ||
      !clip_limit_.Take(now))
    return Begun::kLimited;
  auto clip = std::make_unique<EvidenceClip>(path, redaction_, cut, account_);
  clip->deadline = After(now, std::max(0.0, cut.to_s - ring_.latest_s()) + options_.patience_s);
  for (const LivePacket& packet : packets) clip->Offer(packet, options_.ring_bytes_max);
  if (clip->packets.empty()) return Begun::kLimited;
  clips_.push_back(std::move(clip));
  Advance(MonotonicTime::min(), false);
  return Begun::kYes;
}

bool EvidenceCamera::MayTakeSnapshot(MonotonicTime now) {
  absl::MutexLock lock(&mutex_);
  return !closed_ && snapshot_limit_.Take(now);
}

// What is to be hidden must be known up to the last frame.
bool EvidenceCamera::IsReady(const EvidenceClip& clip) const {
  return clip.complete && (clip.redaction.none() || seen_.last_s() >= clip.end_s());
}

void EvidenceCamera::Advance(MonotonicTime now, bool closing) {
  for (auto& clip : clips_) {
    if (!closing && now < clip->deadline && !IsReady(*clip)) continue;
    if (!clip->redaction.none()) clip->seen = seen_.Between(clip->cut.from_s, clip->cut.to_s);
    ready_(std::move(clip));
  }
  std::erase(clips_, nullptr);
}

void EvidenceCamera::Expire(MonotonicTime now) {
  absl::MutexLock lock(&mutex_);
  if (!clips_.empty()) Advance(now, false);
}

void EvidenceCamera::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  Advance(MonotonicTime::max(), true);
  ring_ = PacketRing();
}

std::string EvidenceCamera::name() const {
  absl::MutexLock lock(&mutex_);
  return name_;
}

Redaction EvidenceCamera::redaction() const {
  absl::MutexLock lock(&mutex_);
  return redaction_;
}

bool EvidenceCamera::HasSeen(double stream_s) const {
  absl::MutexLock lock(&mutex_);
  return seen_.last_s() >= stream_s;
}

std::optional<std::vector<SeenBox>> EvidenceCamera::SeenAt(double stream_s) const {
  absl::MutexLock lock(&mutex_);
  return seen_.At(stream_s);
}

uint64_t EvidenceCamera::ring_bytes() const {
  absl::MutexLock lock(&mutex_);
  return ring_.bytes();
}

}  // namespace sightline::cameras
