// Brings the tracks of analysed frames to the track log, on a thread of its own.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "base/queue.h"
#include "cameras/watch/watcher.h"
#include "store/track_log.h"

namespace sightline::cameras {

// Threads: methods from anywhere. Never blocks: a log that is too slow loses the oldest, which is counted.
class TrackWriter {
 public:
  static absl::StatusOr<std::unique_ptr<TrackWriter>> Create(const std::filesystem::path& folder);
  ~TrackWriter() { Finish(); }
  void Put(const Analysis& analysis);
  void Finish();
  uint64_t lost() const { return queue_.dropped() + static_cast<uint64_t>(log_->lost()); }

 private:
  struct Row {
    std::string camera, label;
    store::TrackPoint point;
  };
  explicit TrackWriter(std::unique_ptr<store::TrackLog> log);
  void Run();

  std::unique_ptr<store::TrackLog> log_;
  BoundedQueue<std::vector<Row>> queue_{1024, WhenFull::kDropOldest};
  std::thread thread_;
};

}  // namespace sightline::cameras
