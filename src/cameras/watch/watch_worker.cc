// Frames are planned one by one as they are taken. Those whose plan is regions are collected as long as
// frames wait; nothing is waited for, and what needs a look of its own ends the gathering. Then the regions
// of several go onto one picture where that costs less than what each would cost by itself.
#include "cameras/watch/watch_worker.h"

#include <algorithm>

#include "base/clock.h"

namespace sightline::cameras {
namespace {

constexpr auto kGatherMax = std::chrono::milliseconds(4);  // what is taken first must not wait for longer

// On a shared picture things lie otherwise on the model's grid than in their frames, and have strange
// neighbours: some are seen less well. It must cost so much less.
constexpr double kPackedGain = 0.7;

class CpuTimer {
 public:
  explicit CpuTimer(double* sum) : sum_(sum), begin_(ThreadCpuSeconds()) {}
  CpuTimer(const CpuTimer&) = delete;
  ~CpuTimer() { *sum_ += seconds(); }
  double seconds() const { return ThreadCpuSeconds() - begin_; }

 private:
  double* sum_;
  double begin_;
};

}  // namespace

WatchWorker::WatchWorker(WorkBoard* board, int pack_max) : board_(board), pack_max_(std::max(1, pack_max)) {
  for (int i = 0; i <= pack_max_; ++i) jobs_.push_back(std::make_unique<WatchJob>());
}

void WatchWorker::Work() {
  while (carried_ || TakeFirst()) {
    carried_ = false;
    if (jobs_.front()->look->kind == attention::LookKind::kRegions) {
      const size_t count = Gather();
      RunRegions(count);
      if (carried_) std::swap(jobs_.front(), jobs_[count]);
    } else {
      LookAlone(*jobs_.front());
    }
  }
}

bool WatchWorker::TakeFirst() {
  while (true) {
    switch (board_->Take(&engines_seen_, jobs_.front().get())) {
      case WorkBoard::Taken::kEnd:
        return false;
      case WorkBoard::Taken::kEngines:
        runners_.KeepOnly(board_->Engines());
        break;
      case WorkBoard::Taken::kJob:
        Plan(*jobs_.front());
        return true;
    }
  }
}

void WatchWorker::Plan(WatchJob& job) {
  job.cpu_s = 0;
  CpuTimer timer(&job.cpu_s);
  job.result.Clear(static_cast<size_t>(job.stream->setup().engine->steps()));
  job.look = &job.stream->Plan(job.frame);
  job.plan_cpu_s = timer.seconds();
}

void WatchWorker::Finish(WatchJob& job) {
  job.steps = runners_.TakeTimes();
  board_->Finish(&job);
}

void WatchWorker::LookAlone(WatchJob& job) {
  {
    CpuTimer timer(&job.cpu_s);
    switch (job.look->kind) {
      case attention::LookKind::kFull:
        RunWhole(job);
        break;
      case attention::LookKind::kRegions:
        RunParts(job);
        break;
      case attention::LookKind::kPredict:
      case attention::LookKind::kSkip:
        Conclude(job, {false, {}});
        break;
    }
  }
  Finish(job);
}

void WatchWorker::RunWhole(WatchJob& job) {
  job.look = &FullLook();
  pipeline::FixedPixels pixels(job.frame.frame);
  job.result.status = RunnerOf(job).RunUnordered(pixels, &job.result);
  Conclude(job, {});
}

void WatchWorker::RunParts(WatchJob& job) {
  const LookCost cost(DetectStepOf(job));
  const Size picture = job.frame.frame->source_size;
  if (cost.Whole(picture) <= cost.Parts(picture, job.look->regions)) return RunWhole(job);
  const track::Looked looked{false, job.look->regions};
  pipeline::FixedPixels pixels(job.frame.frame);
  job.result.status = RunnerOf(job).RunUnordered(pixels, &job.result, looked);
  Conclude(job, looked);
}

// How many have regions, of one engine; the first included.
size_t WatchWorker::Gather() {
  size_t count = 1;
  const MonotonicTime end = MonotonicClock::now() + kGatherMax;
  for (int taken = 1; taken < pack_max_ && MonotonicClock::now() < end; ++taken) {
    WatchJob& job = *jobs_[count];
    if (!board_->TryTake(&job)) break;
    Plan(job);
    if (job.look->kind == attention::LookKind::kPredict || job.look->kind == attention::LookKind::kSkip) {
      LookAlone(job);
    } else if (job.look->kind == attention::LookKind::kRegions &&
               job.stream->setup().engine == jobs_.front()->stream->setup().engine) {
      ++count;
    } else {
      carried_ = true;
      break;
    }
  }
  return count;
}

void WatchWorker::RunRegions(size_t count) {
  packed_.clear();
  double packing_s = 0;
  if (count > 1) {
    CpuTimer timer(&packing_s);
    Pack(count);
  }
  if (!packed_.empty()) {
    RunPacked(packing_s);
    for (WatchJob* job : packed_) Finish(*job);
  }
  for (size_t i = 0; i < count; ++i) {
    if (std::find(packed_.begin(), packed_.end(), jobs_[i].get()) == packed_.end()) LookAlone(*jobs_[i]);
  }
}

// As many as fit, where it pays; none otherwise.
void WatchWorker::Pack(size_t count) {
  const LookCost cost(DetectStepOf(*jobs_.front()));
  const Size picture = jobs_.front()->frame.frame->source_size;
  double area = 0, apart = 0;
  for (size_t i = 0; i < count; ++i) {
    for (const Box& region : jobs_[i]->look->regions) area += static_cast<double>(region.area());
    apart += CostAlone(cost, *jobs_[i]);
  }
  if (cost.PackedAtLeast(picture, area) >= kPackedGain * apart) return;
  pack_.Begin(*jobs_.front()->frame.frame);
  apart = 0;
  for (size_t i = 0; i < count; ++i) {
    WatchJob& job = *jobs_[i];
    if (!pack_.Add(*job.frame.frame, job.look->regions, &job.result)) continue;
    packed_.push_back(&job);
    apart += CostAlone(cost, job);
  }
  if (cost.Packed(picture, pack_.rows()) >= kPackedGain * apart) packed_.clear();
}

double WatchWorker::CostAlone(const LookCost& cost, const WatchJob& job) {
  const Size picture = job.frame.frame->source_size;
  return std::min(cost.Whole(picture), cost.Parts(picture, job.look->regions));
}

void WatchWorker::RunPacked(double packing_s) {
  const WatchedStream& stream = *packed_.front()->stream;
  const int detect = stream.steps().detect;
  pipeline::StepRunner& runner = RunnerOf(*packed_.front());
  absl::Status status;
  {
    CpuTimer timer(&packing_s);
    status = pack_.Run(detect, runner, static_cast<size_t>(stream.setup().engine->steps()));
  }
  for (size_t i = 0; i < packed_.size(); ++i) {
    WatchJob& job = *packed_[i];
    job.cpu_s += packing_s * pack_.ShareOf(i);
    CpuTimer timer(&job.cpu_s);
    const track::Looked looked{false, job.look->regions};
    pipeline::FixedPixels pixels(job.frame.frame);
    job.result.status = status.ok() ? runner.RunUnordered(pixels, &job.result, looked, detect) : status;
    Conclude(job, looked);
  }
}

pipeline::StepRunner& WatchWorker::RunnerOf(const WatchJob& job) {
  return runners_.For(job.stream->setup().engine);
}

const pipeline::LoadedStep& WatchWorker::DetectStepOf(const WatchJob& job) {
  return job.stream->setup().engine->step(job.stream->steps().detect);
}

void WatchWorker::Conclude(WatchJob& job, const track::Looked& looked) {
  job.stream->Conclude(job.frame, looked, job.topics, RunnerOf(job), &job.result);
}

}  // namespace sightline::cameras
