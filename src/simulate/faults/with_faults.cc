// Frames through faults of the picture; those of time are in time.cc.
#include <cmath>

#include "simulate/faults/effect.h"

namespace sightline::simulate {
namespace {

// One fault of the picture with what it keeps between frames.
struct Step {
  Fault fault;
  std::unique_ptr<Effect> effect;
  SoftRegion region;
};

class Chain {
 public:
  explicit Chain(const std::vector<Fault>& faults) {
    for (const Fault& fault : faults) {
      if (auto effect = MakeEffect(fault))
        steps_.push_back({fault, std::move(effect), SoftRegion(fault.region)});
    }
  }

  // `time_s` none: all at full strength. Where no fault is in, the frame itself.
  FramePtr Apply(const FramePtr& frame, std::optional<double> time_s, uint64_t number) {
    FramePtr first, current;
    for (Step& step : steps_) {
      const double strength = time_s ? StrengthAt(step.fault, *time_s) : 1;
      if (!(strength > 0)) continue;
      if (current == nullptr) first = current = Start(frame);
      std::shared_ptr<Frame> next = pool_.Acquire();
      AllocateLike(*current, current->format, next.get());
      const Picture in = View(*current);
      MutablePicture out = MutableView(*next);
      const double since = time_s ? *time_s - step.fault.at_s : 0;
      step.effect->Apply(in, {strength, std::isfinite(since) ? std::min(since, 1e9) : 0, number}, out);
      step.region.Restrict(in, out);
      current = std::move(next);
    }
    if (current == nullptr) return frame;
    if (IsPlanar(frame->format)) return current;
    std::shared_ptr<Frame> last = pool_.Acquire();
    FromPlanar(*frame, *first, *current, last.get());
    return last;
  }

 private:
  FramePtr Start(const FramePtr& frame) {
    if (IsPlanar(frame->format)) return frame;
    std::shared_ptr<Frame> planar = pool_.Acquire();
    ToPlanar(*frame, planar.get());
    return planar;
  }

  FramePool pool_;
  std::vector<Step> steps_;
};

class PictureFaults final : public FrameSource {
 public:
  PictureFaults(std::unique_ptr<FrameSource> source, const std::vector<Fault>& faults)
      : source_(std::move(source)), chain_(faults) {}

  const SourceFormat& format() const override { return source_->format(); }
  absl::Status Damage() const override { return source_->Damage(); }
  absl::StatusOr<SourceFrame> Next() override {
    absl::StatusOr<SourceFrame> next = source_->Next();
    if (!next.ok() || next->frame == nullptr) return next;
    const double rate = source_->format().frames_per_second;
    const double time =
        next->frame->time_s.value_or(static_cast<double>(next->index) / (rate > 0 ? rate : 25));
    next->frame = chain_.Apply(next->frame, time, static_cast<uint64_t>(next->index));
    return next;
  }

 private:
  std::unique_ptr<FrameSource> source_;
  Chain chain_;
};

bool NeedsTime(FaultKind kind) {
  return kind == FaultKind::kFreeze || kind == FaultKind::kLoop || kind == FaultKind::kFrameDrop ||
         kind == FaultKind::kClockJump;
}

}  // namespace

std::unique_ptr<FrameSource> WithFaults(std::unique_ptr<FrameSource> source, std::vector<Fault> faults) {
  std::vector<Fault> run;  // faults of the picture that follow one another share a chain
  const auto end_run = [&] {
    if (!run.empty()) source = std::make_unique<PictureFaults>(std::move(source), run);
    run.clear();
  };
  for (const Fault& fault : faults) {
    if (NeedsTime(fault.kind)) {
      end_run();
      source = WithTimeFault(std::move(source), fault);
    } else {
      run.push_back(fault);
    }
  }
  end_run();
  return source;
}

FramePtr ApplyToPicture(FramePtr picture, const std::vector<Fault>& faults, std::optional<double> time_s) {
  if (picture == nullptr || picture->size.empty()) return picture;
  return Chain(faults).Apply(
      picture, time_s,
      time_s && std::abs(*time_s) < 1e9 ? static_cast<uint64_t>(std::abs(*time_s) * 1000) : 0);
}

}  // namespace sightline::simulate
