// One thread's work for a watcher: takes frames, looks where their plans say, and concludes.
#pragma once

#include <memory>
#include <vector>

#include "cameras/watch/engine_runners.h"
#include "cameras/watch/look_cost.h"
#include "cameras/watch/packed_look.h"
#include "cameras/watch/watched_stream.h"

namespace sightline::cameras {

// A frame that was taken to be analysed. The stream is the worker's own until it is finished.
struct WatchJob {
  int64_t camera = 0;
  WatchedStream* stream = nullptr;
  LiveFrame frame;
  std::vector<rules::TopicValue> topics;
  const attention::Look* look = nullptr;  // that was done
  pipeline::FrameResult result;
  double cpu_s = 0;
  double plan_cpu_s = 0;
  EngineRunners::Times steps;  // of this frame and, where it shared a picture, of what it shared
};

// Where frames come from, and what is known of them goes to. Threads: safe.
class WorkBoard {
 public:
  enum class Taken { kJob, kEngines, kEnd };
  virtual ~WorkBoard() = default;
  // Waits for a frame. kEngines: engines are not used any more; `engines_seen` is the worker's own count.
  virtual Taken Take(uint64_t* engines_seen, WatchJob* job) = 0;
  virtual bool TryTake(WatchJob* job) = 0;  // false: no frame waits now
  virtual void Finish(WatchJob* job) = 0;   // delivers
  virtual std::vector<std::shared_ptr<const pipeline::Engine>> Engines() const = 0;
};

class WatchWorker {
 public:
  WatchWorker(WorkBoard* board, int pack_max);
  void Work();  // until the board ends

 private:
  bool TakeFirst();
  void Plan(WatchJob& job);
  size_t Gather();
  void RunRegions(size_t count);
  void Pack(size_t count);
  void RunPacked(double packing_s);
  void LookAlone(WatchJob& job);  // and finishes it
  void Finish(WatchJob& job);
  void RunWhole(WatchJob& job);
  void RunParts(WatchJob& job);
  void Conclude(WatchJob& job, const track::Looked& looked);
  pipeline::StepRunner& RunnerOf(const WatchJob& job);
  static const pipeline::LoadedStep& DetectStepOf(const WatchJob& job);
  static double CostAlone(const LookCost& cost, const WatchJob& job);

  WorkBoard* board_;
  const int pack_max_;
  EngineRunners runners_;
  PackedLook pack_;
  uint64_t engines_seen_ = 0;
  std::vector<std::unique_ptr<WatchJob>> jobs_;
  std::vector<WatchJob*> packed_;  // those that share a picture
  bool carried_ = false;           // one is planned already, for the next round
};

}  // namespace sightline::cameras
