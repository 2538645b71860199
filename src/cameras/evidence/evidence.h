// What proves an event: a snapshot, and a clip from before to after it. A ring of packets a camera; nothing
// is written before an event asks for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "cameras/stream/camera_stream.h"
#include "data/detection.h"
#include "data/geometry.h"

namespace sightline::cameras {

// What is made unrecognisable before anything is written. Zones: polygons in source pixels.
struct Redaction {
  bool faces = false, people = false, plates = false;
  std::vector<std::vector<Keypoint>> zones;  // Keypoint::x, y
  bool none() const { return !faces && !people && !plates && zones.empty(); }
};

struct EvidenceOptions {
  std::filesystem::path folder;  // FOLDER/CAMERA/YYYY-MM-DD/EVENT.{jpg,mp4}
  double before_s = 5, after_s = 5;
  uint64_t ring_bytes_max = 32 << 20;       // a camera; the oldest group of pictures goes first
  uint64_t rings_bytes_max = 1ull << 30;    // all cameras together, in equal shares
  uint64_t folder_bytes_max = 10ull << 30;  // the oldest files go first
  int snapshot_quality = 85;
  double patience_s = 5;    // how long a clip waits for packets, or the analysis of them, that do not come
  double finish_s_max = 5;  // Finish() leaves out what takes longer
};

// What of a frame may need to be hidden: boxes of people, faces, vehicles, as tracked.
struct SeenBox {
  enum class Kind { kPerson, kFace, kVehicle } kind = Kind::kPerson;
  int64_t id = 0;
  Box box;  // source pixels
};

struct EvidenceNames {
  // Relative to the folder; "" where it cannot be had (raw frames have no clip) or a limit forbids it.
  std::string snapshot, clip;
};

// Threads: methods from anywhere; work is done on the recorder's own thread, clips one at a time. Redacted
// clips are decoded and encoded anew; those without redaction are remuxed as they came.
// Limits: a camera has 20 snapshots at once and 2 a second, 8 clips at once and one each 5 s; the recorder
// 256 clips and 512 MiB of packets for them under way, and 32 snapshots waiting. Errors: what cannot be
// written is counted and said once; nothing waits for a disk but the recorder's thread.
class EvidenceRecorder {
 public:
  static absl::StatusOr<std::unique_ptr<EvidenceRecorder>> Create(const EvidenceOptions& options);
  virtual ~EvidenceRecorder() = default;  // finishes clips with what has come so far
  // Again: another name or redaction; its packets stay, and clips under way hide what either says.
  virtual void AddCamera(int64_t camera, const std::string& name, const Redaction& redaction) = 0;
  virtual void RemoveCamera(int64_t camera) = 0;
  virtual void OnPacket(int64_t camera, const LivePacket& packet) = 0;  // never blocks
  // What was seen at `stream_s`; between two of them boxes go straight, beyond they stay for a second. Grown
  // by a margin before they are hidden.
  virtual void OnSeen(int64_t camera, double stream_s, absl::Span<const SeenBox> boxes) = 0;
  // Names at once; files appear when they are complete (snapshot within moments, the clip after `after_s`).
  virtual EvidenceNames Record(int64_t camera, const std::string& event_id, const LiveFrame& frame) = 0;
  // Completes what was begun, with the packets that are there; nothing comes after.
  virtual void Finish() = 0;
  struct Counts {
    uint64_t snapshots = 0, clips = 0, failed = 0, bytes = 0, removed = 0;
    uint64_t dropped = 0;  // snapshots and clips that a limit forbade, or Finish() left out
    uint64_t ring_bytes = 0, clip_bytes = 0;  // held in memory: of the rings, for clips under way
  };
  virtual Counts counts() const = 0;
};

// Hides `boxes` and zones on a copy: pixelated to at most 8 blocks along the longer side and blurred, so that
// no detail comes back. Boxes are grown by 15 % of their sides, on each side. Faces: of a person the upper
// part; plates: of a vehicle the lower two thirds. Without anything to hide, `frame` itself.
FramePtr Redacted(const FramePtr& frame, const Redaction& redaction, absl::Span<const SeenBox> boxes);

}  // namespace sightline::cameras
