// What one fault does to one picture: inside this folder only.
#pragma once

#include <memory>

#include "simulate/faults/fault.h"
#include "simulate/faults/picture.h"

namespace sightline::simulate {

struct Moment {
  double strength = 1;  // > 0 .. 1, as StrengthAt says
  double time_s = 0;    // since the onset, finite
  uint64_t number = 0;  // of the frame: what noise is drawn from
};

// Threads: one at a time. Keeps masks for the size seen last and scratch memory, so that frames of one size
// need no allocation.
class Effect {
 public:
  virtual ~Effect() = default;
  // Writes all of `out`, which has the layout of `in` and does not overlap it. The region is the caller's
  // affair, but shapes (a patch, a lamp) are placed within it.
  virtual void Apply(const Picture& in, const Moment& moment, MutablePicture& out) = 0;
};

// By severity 1..5.
template <typename T>
T Pick(const Fault& fault, const std::array<T, 5>& steps) {
  return steps[static_cast<size_t>(std::clamp(fault.severity, 1, 5) - 1)];
}

std::unique_ptr<Effect> MakeSmudge(const Fault& fault);
std::unique_ptr<Effect> MakeDroplets(const Fault& fault);
std::unique_ptr<Effect> MakeCover(const Fault& fault);
std::unique_ptr<Effect> MakeDefocus(const Fault& fault);
std::unique_ptr<Effect> MakeShift(const Fault& fault);
std::unique_ptr<Effect> MakeRotation(const Fault& fault);
std::unique_ptr<Effect> MakeBlack(const Fault& fault);
std::unique_ptr<Effect> MakeOverexposure(const Fault& fault);
std::unique_ptr<Effect> MakeUnderexposure(const Fault& fault);
std::unique_ptr<Effect> MakeGlare(const Fault& fault);
std::unique_ptr<Effect> MakeNoise(const Fault& fault);
std::unique_ptr<Effect> MakeBanding(const Fault& fault);
std::unique_ptr<Effect> MakeInfrared(const Fault& fault);
std::unique_ptr<Effect> MakeCompression(const Fault& fault);
std::unique_ptr<Effect> MakeLowResolution(const Fault& fault);
std::unique_ptr<Effect> MakeRain(const Fault& fault);
std::unique_ptr<Effect> MakeFog(const Fault& fault);

// The effect of a kind; nullptr for those that need time (freeze, loop, frame_drop, clock_jump).
std::unique_ptr<Effect> MakeEffect(const Fault& fault);

// Faults of time, done to a source (time.cc).
std::unique_ptr<FrameSource> WithTimeFault(std::unique_ptr<FrameSource> source, const Fault& fault);

}  // namespace sightline::simulate
