// Where a region of the picture lies in a model's input, and how far it is averaged on the way. The one
// definition of the geometry; the kernels and the reference only sample.
#pragma once

#include "data/frame.h"
#include "data/geometry.h"
#include "data/model_card.h"

namespace sightline::preprocess {

// The region is averaged over at most 2^kShiftMax x 2^kShiftMax source samples (sums of 16 x 16 bytes fit 16
// bits).
inline constexpr int kShiftMax = 4;

// The region (source pixels, made safe) and its place in the input (whole pixels). The place overlaps the
// input; only with center_crop does it hang over.
struct Placement {
  double region_x = 0, region_y = 0, region_width = 1, region_height = 1;
  int x = 0, y = 0, width = 1, height = 1;
};

// letterbox: scale = min(input / region); the place has round(region * scale) pixels, or with the top-left
// anchor floor(region * scale), as the model families that use these anchors do; what is left over is split
// with the smaller half on the left and above. stretch: the place is the input. center_crop: scale =
// max(input / region), round(region * scale) pixels, cut evenly. The scale of each axis is place / region
// exactly, so that boxes go back without rounding error.
//
// Any region will do: one that is not a number means the whole picture; sides shorter than 1 pixel grow to 1
// around their middle; what reaches further than a picture's size over the edge is cut.
Placement Place(const InputCard& card, const Box& region, Size source, Size input);

InputTransform ToTransform(const Placement& placement, Size source, Size input);

// Largest k in 0..kShiftMax with both scales <= 1 / 2^k: averaging over 2^k leaves the region no smaller than
// its place.
int ShiftFor(float scale_x, float scale_y);

// How the stored samples lie in the source: stored = source * scale. Where the stored size is source / 2^k
// rounded up in both axes, each sample covers 2^k source pixels exactly; otherwise the scale is the ratio of
// the sizes.
struct StoredScale {
  double x = 1, y = 1;
  int shift = 0;  // k; 0 for other ratios
};
StoredScale ScaleOf(const Frame& frame);

// log2 of how many luma samples share a chroma sample, per axis. 0 for plane 0.
int ChromaShiftX(PixelFormat format, int plane);
int ChromaShiftY(PixelFormat format, int plane);

// Grey that is stored as luma needs no colour at all.
bool NeedsLumaOnly(const Frame& frame, ColorOrder color);

}  // namespace sightline::preprocess
