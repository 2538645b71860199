// Frames are planned one by one as they are taken. Regions go onto one picture as long as frames wait and
// there is room; nothing is waited for, and what needs a run of its own ends the gathering.
#include "cameras/watch/watch_worker.h"

#include <algorithm>

#include "base/clock.h"

namespace sightline::cameras {
namespace {

constexpr auto kGatherMax = std::chrono::milliseconds(4);  // what is taken first must not wait for longer
constexpr float kFilledAlone = 0.85f;  // one frame's regions so high: the whole frame costs the same

class CpuTimer {
 public:
  explicit CpuTimer(double* sum) : sum_(sum), begin_(ThreadCpuSeconds()) {}
  CpuTimer(const CpuTimer&) = delete;
  ~CpuTimer() { *sum_ += ThreadCpuSeconds() - begin_; }

 private:
  double* sum_;
  double begin_;
};

const attention::Look& FullLook() {
  static const auto* look = new attention::Look();
  return *look;
}

}  // namespace

WatchWorker::WatchWorker(WorkBoard* board, int pack_max) : board_(board), pack_max_(std::max(1, pack_max)) {
  for (int i = 0; i <= pack_max_; ++i) jobs_.push_back(std::make_unique<WatchJob>());
}

void WatchWorker::Work() {
  while (carried_ || TakeFirst()) {
    WatchJob& first = *jobs_.front();
    carried_ = false;
    if (first.look->kind == attention::LookKind::kRegions && BeginPack(first)) {
      const size_t count = Gather();
      RunPack(count);
      for (size_t i = 0; i < count; ++i) board_->Finish(jobs_[i].get());
      if (carried_) std::swap(jobs_.front(), jobs_[count]);
    } else {
      LookAlone(first);
      board_->Finish(&first);
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
}

void WatchWorker::LookAlone(WatchJob& job) {
  CpuTimer timer(&job.cpu_s);
  const bool blind =
      job.look->kind == attention::LookKind::kPredict || job.look->kind == attention::LookKind::kSkip;
  if (!blind) RunWhole(job);
  Conclude(job, {!blind, {}});
}

void WatchWorker::RunWhole(WatchJob& job) {
  job.look = &FullLook();
  pipeline::FixedPixels pixels(job.frame.frame);
  job.result.status = runners_.For(job.stream->setup().engine).RunUnordered(pixels, &job.result);
}

bool WatchWorker::BeginPack(WatchJob& job) {
  CpuTimer timer(&job.cpu_s);
  pack_.Begin(*job.frame.frame);
  return pack_.Add(*job.frame.frame, job.look->regions, &job.result) && pack_.filled() <= kFilledAlone;
}

bool WatchWorker::AddToPack(const WatchJob& first, WatchJob& job) {
  CpuTimer timer(&job.cpu_s);
  return job.stream->setup().engine == first.stream->setup().engine &&
         pack_.Add(*job.frame.frame, job.look->regions, &job.result);
}

// How many share the picture, the first included.
size_t WatchWorker::Gather() {
  size_t count = 1;
  const MonotonicTime end = MonotonicClock::now() + kGatherMax;
  for (int taken = 1; taken < pack_max_ && MonotonicClock::now() < end; ++taken) {
    WatchJob& job = *jobs_[count];
    if (!board_->TryTake(&job)) break;
    Plan(job);
    if (job.look->kind == attention::LookKind::kPredict || job.look->kind == attention::LookKind::kSkip) {
      LookAlone(job);
      board_->Finish(&job);
    } else if (job.look->kind == attention::LookKind::kRegions && AddToPack(*jobs_.front(), job)) {
      ++count;
    } else {
      carried_ = true;
      break;
    }
  }
  return count;
}

void WatchWorker::RunPack(size_t count) {
  const WatchedStream& stream = *jobs_.front()->stream;
  const int detect = stream.steps().detect;
  pipeline::StepRunner& runner = runners_.For(stream.setup().engine);
  double cpu_s = 0;
  absl::Status status;
  {
    CpuTimer timer(&cpu_s);
    status = pack_.Run(detect, runner, static_cast<size_t>(stream.setup().engine->steps()));
  }
  for (size_t i = 0; i < count; ++i) {
    WatchJob& job = *jobs_[i];
    job.cpu_s += cpu_s * pack_.ShareOf(i);
    CpuTimer timer(&job.cpu_s);
    pipeline::FixedPixels pixels(job.frame.frame);
    job.result.status = status.ok() ? runner.RunUnordered(pixels, &job.result, {}, detect) : status;
    Conclude(job, {false, job.look->regions});
  }
}

void WatchWorker::Conclude(WatchJob& job, const track::Looked& looked) {
  job.stream->Conclude(job.frame, looked, job.topics, runners_.For(job.stream->setup().engine), &job.result);
}

}  // namespace sightline::cameras
