// Freeze, loop, frame drop, clock jump: what a line, a recorder or a clock does to the order of frames.
#include <cmath>
#include <deque>

#include "simulate/faults/effect.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

constexpr size_t kLoopBytesMax = 256u << 20;  // of pixels that a loop holds; a larger picture loops sooner
constexpr double kFreezePeriod = 2;

class TimeFault : public FrameSource {
 public:
  TimeFault(std::unique_ptr<FrameSource> source, const Fault& fault)
      : source_(std::move(source)), fault_(fault), random_(fault.seed, 77) {}
  const SourceFormat& format() const override { return source_->format(); }
  absl::Status Damage() const override { return source_->Damage(); }

 protected:
  double TimeOf(const SourceFrame& frame) const {
    const double rate = source_->format().frames_per_second;
    const double by_index = static_cast<double>(frame.index) / (rate > 0 ? rate : 25);
    return frame.frame == nullptr ? by_index : frame.frame->time_s.value_or(by_index);
  }

  std::unique_ptr<FrameSource> source_;
  Fault fault_;
  Random random_;
  FramePool pool_;
};

class Freeze final : public TimeFault {
 public:
  using TimeFault::TimeFault;
  absl::StatusOr<SourceFrame> Next() override {
    absl::StatusOr<SourceFrame> next = source_->Next();
    if (!next.ok() || next->frame == nullptr) return next;
    const double time = TimeOf(*next), strength = StrengthAt(fault_, time);
    const double share = Pick<double>(fault_, {0.1, 0.25, 0.5, 0.8, 1}) * strength;
    const double phase = std::fmod(time - fault_.at_s, kFreezePeriod) / kFreezePeriod;
    const bool stands = strength > 0 && (share >= 1 || phase < share);
    if (!stands || held_ == nullptr) {
      held_ = next->frame;
      return next;
    }
    next->frame = SamePixels(held_, next->frame->time_s, pool_);
    return next;
  }

 private:
  FramePtr held_;
};

class Loop final : public TimeFault {
 public:
  using TimeFault::TimeFault;
  absl::StatusOr<SourceFrame> Next() override {
    absl::StatusOr<SourceFrame> next = source_->Next();
    if (!next.ok() || next->frame == nullptr) return next;
    const double time = TimeOf(*next);
    const double length = Pick<double>(fault_, {8, 4, 2, 1, 0.5});
    if (!(StrengthAt(fault_, time) > 0)) {
      if (time < fault_.at_s) Record(*next, time, length);
      return next;
    }
    // Begun with the video: what there is of it is recorded first.
    if (!playing_ && (kept_.empty() || kept_.front().time >= fault_.at_s) &&
        Room(time, length, *next->frame)) {
      kept_.push_back({next->frame, time});
      return next;
    }
    playing_ = true;
    next->frame = SamePixels(kept_[play_].frame, next->frame->time_s, pool_);
    play_ = (play_ + 1) % kept_.size();
    return next;
  }

 private:
  struct Kept {
    FramePtr frame;
    double time;
  };

  static size_t Bytes(const Frame& frame) {
    size_t bytes = 0;
    for (int i = 0; i < PlaneCount(frame.format); ++i) {
      const Size size = PlaneSize(frame.format, frame.size, i);
      bytes += static_cast<size_t>(size.width) * static_cast<size_t>(size.height);
    }
    return bytes;
  }
  bool Room(double time, double length, const Frame& frame) const {
    return kept_.empty() ||
           (time - kept_.front().time < length && (kept_.size() + 1) * Bytes(frame) <= kLoopBytesMax);
  }
  void Record(const SourceFrame& next, double time, double length) {
    if (time < fault_.at_s - length) return;
    while (!kept_.empty() && !Room(time, length, *next.frame)) kept_.pop_front();
    kept_.push_back({next.frame, time});
  }

  std::deque<Kept> kept_;
  size_t play_ = 0;
  bool playing_ = false;
};

class FrameDrop final : public TimeFault {
 public:
  using TimeFault::TimeFault;
  absl::StatusOr<SourceFrame> Next() override {
    while (true) {
      absl::StatusOr<SourceFrame> next = source_->Next();
      if (!next.ok()) return next;
      const double strength = StrengthAt(fault_, TimeOf(*next));
      if (!(strength > 0)) return next;
      const double share = Pick<double>(fault_, {0.05, 0.15, 0.35, 0.65, 0.9}) * strength;
      if (!Lost(share)) return next;
    }
  }

 private:
  // Two states, as on a line (Gilbert 1960): losses last three frames on average, or longer where most are
  // lost.
  bool Lost(double share) {
    const double leave = std::min(1.0 / 3, (1 - share) / std::max(share, 1e-9));
    const double enter = std::min(1.0, leave * share / (1 - share));
    lost_ = lost_ ? !random_.Chance(leave) : random_.Chance(enter);
    return lost_;
  }
  bool lost_ = false;
};

class ClockJump final : public TimeFault {
 public:
  using TimeFault::TimeFault;
  absl::StatusOr<SourceFrame> Next() override {
    absl::StatusOr<SourceFrame> next = source_->Next();
    if (!next.ok() || next->frame == nullptr) return next;
    const double time = TimeOf(*next), strength = StrengthAt(fault_, time);
    if (!(strength > 0)) return next;
    const double jump = Pick<double>(fault_, {0.2, 1, 10, 60, 3600}) * (fault_.seed % 2 == 1 ? 1 : -1);
    next->frame = SamePixels(next->frame, time + jump * strength, pool_);
    return next;
  }
};

}  // namespace

std::unique_ptr<FrameSource> WithTimeFault(std::unique_ptr<FrameSource> source, const Fault& fault) {
  if (fault.kind == FaultKind::kFreeze) return std::make_unique<Freeze>(std::move(source), fault);
  if (fault.kind == FaultKind::kLoop) return std::make_unique<Loop>(std::move(source), fault);
  if (fault.kind == FaultKind::kFrameDrop) return std::make_unique<FrameDrop>(std::move(source), fault);
  return std::make_unique<ClockJump>(std::move(source), fault);
}

}  // namespace sightline::simulate
