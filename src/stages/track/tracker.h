// Detections to tracks: the same object keeps its id from frame to frame.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "data/detection.h"

namespace sightline::track {

struct TrackerOptions {
  float high_score = 0.5f;  // detections at or above: first association, may start tracks
  float low_score = 0.1f;   // between low and high: second association only
  float match_iou = 0.2f;   // least overlap for a match
  double lost_s_max = 1.0;  // a track that is not seen for so long ends
  int confirm_hits = 2;     // matched frames before a track is reported
  bool per_class = true;    // match only within a class, or among those that are alike
  // Classes that detectors take for each other (car and truck). Of two boxes of alike classes on one thing
  // the better one counts, and a track has the class that was seen most.
  std::vector<std::vector<int>> alike = {};
  float appearance_weight = 0;  // 0..1, needs embeddings
};

// What of the picture a detector looked at. Tracks elsewhere go on as predicted, and are not missed.
struct Looked {
  bool whole = true;
  absl::Span<const Box> regions;  // where not whole; source pixels
};

// A live track, for whoever plans or draws between detections.
struct TrackState {
  // Detectors flicker: what was looked for in vain once is mostly still there.
  static constexpr int kMissesHeld = 1;
  bool held() const { return confirmed && misses <= kMissesHeld; }

  int64_t id = 0;
  int class_id = 0;
  float score = 0;       // of its last detection
  Box box;               // predicted for the time asked
  float speed_px_s = 0;  // of its centre
  double seen_s = 0;     // when it was last matched
  double looked_s = 0;   // when its place was last looked at
  bool confirmed = false;
  int misses = 0;  // looks at its place since
};

// Pure per-stream state: the same calls give the same ids. Time steps may vary; time never goes back (an
// earlier time starts afresh). Threads: one at a time.
class Tracker {
 public:
  static std::unique_ptr<Tracker> Create(const TrackerOptions& options);
  virtual ~Tracker() = default;
  // Sets track_id (>= 1) on detections that belong to a confirmed track, and their class to the track's;
  // others keep -1 and theirs. `embeddings` is empty or one per detection (unit length). Detections keep
  // their order and number.
  virtual void Update(double time_s, absl::Span<Detection> detections,
                      absl::Span<const absl::Span<const float>> embeddings) = 0;
  // As Update, where only a part of the picture was looked at.
  virtual void UpdatePart(double time_s, absl::Span<Detection> detections,
                          absl::Span<const absl::Span<const float>> embeddings, const Looked& looked) = 0;
  // All live tracks as they should be at `time_s`, not earlier than the last update; changes nothing.
  virtual void Predict(double time_s, std::vector<TrackState>* tracks) const = 0;
  virtual void Reset() = 0;
};

}  // namespace sightline::track
