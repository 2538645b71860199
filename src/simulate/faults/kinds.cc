// The one table of faults: what each is called, what it means, and what makes it.
#include <vector>

#include "base/check.h"
#include "simulate/faults/effect.h"

namespace sightline::simulate {
namespace {

struct Row {
  FaultKind kind;
  std::string_view name, description;
  std::unique_ptr<Effect> (*make)(const Fault&);
};

constexpr Row kRows[] = {
    {FaultKind::kSmudge, "smudge",
     "A greasy patch on the lens that dims, blurs and veils what lies behind it; it grows from its middle "
     "outwards: a "
     "thumb's touch at 1, most of the region at 5.",
     MakeSmudge},
    {FaultKind::kDroplets, "droplets",
     "Drops of water on the lens, each showing the scene small and upside down: 5 drops at 1, 170 at 5.",
     MakeDroplets},
    {FaultKind::kCover, "cover",
     "Something dark and out of focus moves in front of the lens: a tenth of the region at 1, all of it at "
     "5.",
     MakeCover},
    {FaultKind::kDefocus, "defocus",
     "The lens is out of focus; points become discs with a radius of 0.4 % of the picture's height at 1, 5 % "
     "at 5.",
     MakeDefocus},
    {FaultKind::kShift, "shift",
     "The camera was turned aside: by 1.5 % of the picture's width at 1, 25 % at 5; what it had not seen "
     "before is "
     "mirrored.",
     MakeShift},
    {FaultKind::kRotation, "rotation",
     "The camera was tilted on its axis: by 1 degree at 1, 30 degrees at 5.", MakeRotation},
    {FaultKind::kFreeze, "freeze",
     "The picture stands still while time goes on: 0.2 s in every 2 s at 1, all the time at 5.", nullptr},
    {FaultKind::kLoop, "loop",
     "The last seconds before the onset are played again and again: 8 s at 1, half a second at 5.", nullptr},
    {FaultKind::kBlack, "black",
     "The picture goes dark evenly: a quarter of its light is lost at 1, all at 5.", MakeBlack},
    {FaultKind::kOverexposure, "overexposure",
     "Too much light, bright parts burn out to white: half a stop too much at 1, 5.5 stops at 5.",
     MakeOverexposure},
    {FaultKind::kUnderexposure, "underexposure",
     "Too little light, dark parts drown in black and noise: half a stop too little at 1, 5.5 stops at 5.",
     MakeUnderexposure},
    {FaultKind::kGlare, "glare",
     "The sun or a lamp shines into the lens, with rays, a bloom and a veil: a faint gleam at 1, blinding at "
     "5.",
     MakeGlare},
    {FaultKind::kNoise, "noise",
     "Noise of the sensor, in light and colour, new in each frame: deviation of 3 levels at 1, 70 at 5.",
     MakeNoise},
    {FaultKind::kBanding, "banding",
     "Dark bars of mains flicker roll through the picture: 6 % deep at 1, to black at 5.", MakeBanding},
    {FaultKind::kCompression, "compression",
     "Too few bits on the line, blocks and smeared colours: JPEG of quality 30 at 1, quality 5 and an eighth "
     "of the pixels at 5.",
     MakeCompression},
    {FaultKind::kLowResolution, "low_resolution",
     "The picture is made smaller and enlarged again: by 1.5 in each direction at 1, by 20 at 5.",
     MakeLowResolution},
    {FaultKind::kInfrared, "infrared",
     "The camera went to night view: colours fade at 1; grey with a hot spot, dark corners and noise to 5.",
     MakeInfrared},
    {FaultKind::kRain, "rain", "Streaks of rain and a grey veil: drizzle at 1, a cloudburst at 5.", MakeRain},
    {FaultKind::kFog, "fog",
     "Contrast is lost with distance, towards the top of the picture: haze at 1, dense fog at 5.", MakeFog},
    {FaultKind::kFrameDrop, "frame_drop", "Frames are lost, in bursts: 5 % of them at 1, 90 % at 5.",
     nullptr},
    {FaultKind::kClockJump, "clock_jump",
     "Times of frames jump: by 0.2 s at 1, by an hour at 5; forwards for odd seeds, backwards for even ones.",
     nullptr},
};
static_assert(std::size(kRows) == kFaultKinds);

const Row& RowOf(FaultKind kind) {
  for (const Row& row : kRows) {
    if (row.kind == kind) return row;
  }
  CHECK(false) << "no such kind of fault: " << static_cast<int>(kind);
  return kRows[0];
}

}  // namespace

std::string_view Name(FaultKind kind) { return RowOf(kind).name; }
std::string_view Description(FaultKind kind) { return RowOf(kind).description; }

std::unique_ptr<Effect> MakeEffect(const Fault& fault) {
  const Row& row = RowOf(fault.kind);
  return row.make == nullptr ? nullptr : row.make(fault);
}

}  // namespace sightline::simulate
