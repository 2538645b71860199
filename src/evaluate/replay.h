// A camera's rules over recorded tracks: what it would have reported.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "data/event.h"
#include "evaluate/annotation.h"
#include "stages/rules/rule.h"

namespace sightline::evaluate {

// What a topic said, and when.
struct TopicChange {
  double time_s = 0;
  rules::TopicValue value;
};

// What is known of a recording besides its tracks: seqinfo.ini and signals.csv, where they lie beside it.
struct Recording {
  std::optional<double> frames_per_second;
  std::optional<Size> picture;
  int64_t frames = 0;  // 0: up to the last frame that has a track
  std::vector<TopicChange> topics;
};
// `tracks`: a file or folder as ReadTruth and ReadResults take it. Nothing there is no error.
absl::StatusOr<Recording> ReadRecording(const std::filesystem::path& tracks);
// CSV with the header `time_s,topic,value`, or `time_s,signal,colour` (of the simulator: topic signal/N).
absl::StatusOr<std::vector<TopicChange>> ReadTopics(const std::filesystem::path& file);
// Tracks of one source. MOTChallenge (.txt, or a folder with gt.txt), or what `sightline run` wrote.
absl::StatusOr<DataSet> ReadTracks(const std::filesystem::path& tracks);

struct ReplayOptions {
  double frames_per_second = 25;
  double rate = 0;  // analyses a second, as a camera's `rate`; 0: every frame
  Size picture;
  int64_t frames = 0;
  WallTime start;  // when the first frame was filmed: for schedules
  std::vector<TopicChange> topics;
};

// In the order in which they became known; states that are open at the end are ended.
absl::StatusOr<std::vector<Event>> ReplayTracks(const DataSet& tracks,
                                                const std::vector<std::shared_ptr<const rules::Rule>>& rules,
                                                const ReplayOptions& options);

// JSON Lines as `sightline eval --task events` reads them: one for each moment and each state.
std::string EventLines(const std::vector<Event>& events, WallTime start);

}  // namespace sightline::evaluate
