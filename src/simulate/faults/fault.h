// Faults of cameras, lenses and lines, done to any frames: to rehearse them on one's own footage.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "data/frame_source.h"

namespace sightline::simulate {

// One word everywhere: command line, truth, docs.
enum class FaultKind {
  kSmudge,
  kDroplets,
  kCover,
  kDefocus,
  kShift,
  kRotation,
  kFreeze,
  kLoop,
  kBlack,
  kOverexposure,
  kUnderexposure,
  kGlare,
  kNoise,
  kBanding,
  kCompression,
  kLowResolution,
  kInfrared,
  kRain,
  kFog,
  kFrameDrop,
  kClockJump
};
inline constexpr int kFaultKinds = 21;
std::string_view Name(FaultKind kind);         // "smudge", "low_resolution", ...
std::string_view Description(FaultKind kind);  // one sentence, with what the five severities mean

struct Fault {
  FaultKind kind = FaultKind::kSmudge;
  int severity = 3;             // 1 (hard to see) .. 5 (picture is useless)
  double at_s = 0;              // onset, seconds of video time
  double ramp_s = 0;            // from nothing to full severity
  std::optional<double> for_s;  // how long; none: to the end
  Box region{0, 0, 1, 1};       // part of the picture, 0..1
  uint64_t seed = 1;
};

// "smudge:severity=3,at=20s,ramp=2s,for=30s,region=lower-left,seed=4". Regions: whole, left, right, upper,
// lower, upper-left, ..., center, or x1/y1/x2/y2 in 0..1. Times: 20s, 1500ms, 2m. Errors name the part and
// what is known.
absl::StatusOr<Fault> ParseFault(std::string_view text);
std::string ToText(const Fault& fault);  // ParseFault(ToText(f)) == f

// How far the fault is in at `time_s`: 0 before the onset, to 1 after the ramp.
double StrengthAt(const Fault& fault, double time_s);

// `source` with the faults done to it, in the order given. Deterministic. Frames keep size and format (see
// low_resolution: made small and enlarged again); kFrameDrop leaves frames out, kClockJump moves time_s,
// kFreeze and kLoop repeat earlier pixels under new times.
std::unique_ptr<FrameSource> WithFaults(std::unique_ptr<FrameSource> source, std::vector<Fault> faults);

// A picture as it is at full strength (or at `time_s`); faults that need time leave it alone.
FramePtr ApplyToPicture(FramePtr picture, const std::vector<Fault>& faults, std::optional<double> time_s);

}  // namespace sightline::simulate
