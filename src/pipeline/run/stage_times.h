// Where the CPU time of a run goes, per stage and step.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace sightline::pipeline {

enum class Stage { kRead, kDecode, kPreprocess, kInfer, kPostprocess, kTrack, kWrite };
inline constexpr int kStageCount = 7;
constexpr const char* Name(Stage stage) {
  constexpr const char* kNames[kStageCount] = {"read",        "decode", "preprocess", "infer",
                                               "postprocess", "track",  "write"};
  return kNames[static_cast<int>(stage)];
}

struct StageTime {
  double cpu_s = 0;
  double wall_s = 0;
  int64_t calls = 0;
  void Add(const StageTime& other) {
    cpu_s += other.cpu_s;
    wall_s += other.wall_s;
    calls += other.calls;
  }
};

// Threads: one per thread, added up at the end. Cells without a step (read, decode, write) use step -1.
class StageTimes {
 public:
  explicit StageTimes(int steps) : cells_(static_cast<size_t>(steps + 1)) {}
  StageTime& at(Stage stage, int step = -1) {
    return cells_[static_cast<size_t>(step + 1)][static_cast<size_t>(stage)];
  }
  const StageTime& at(Stage stage, int step = -1) const {
    return cells_[static_cast<size_t>(step + 1)][static_cast<size_t>(stage)];
  }
  int steps() const { return static_cast<int>(cells_.size()) - 1; }
  void Add(const StageTimes& other) {
    for (size_t i = 0; i < cells_.size(); ++i) {
      for (size_t j = 0; j < kStageCount; ++j) cells_[i][j].Add(other.cells_[i][j]);
    }
  }

 private:
  std::vector<std::array<StageTime, kStageCount>> cells_;
};

// Charges the time between its construction and destruction to one cell.
class StageTimer {
 public:
  explicit StageTimer(StageTime* cell)
      : cell_(cell), cpu_(ThreadCpuSeconds()), wall_(MonotonicClock::now()) {}
  StageTimer(const StageTimer&) = delete;
  ~StageTimer() {
    cell_->cpu_s += ThreadCpuSeconds() - cpu_;
    cell_->wall_s += std::chrono::duration<double>(MonotonicClock::now() - wall_).count();
    ++cell_->calls;
  }

 private:
  StageTime* cell_;
  double cpu_;
  MonotonicTime wall_;
};

}  // namespace sightline::pipeline
