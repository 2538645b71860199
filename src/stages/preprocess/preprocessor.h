// From a frame (or a region of it) to a model's input: crop, resize, letterbox, colour, normalise, layout, in
// one pass.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "data/frame.h"
#include "data/geometry.h"
#include "data/model_card.h"
#include "data/tensor.h"

namespace sightline::preprocess {

// Resampling, defined so that decoding at a smaller scale and resizing a full picture agree: the region is
// first averaged over 2^k x 2^k samples, with the largest k (0..4 including what the decoder did, the same
// for both axes) that leaves it no smaller than its place in the input; then sampled bilinearly with
// half-pixel centres (sample position (x + 0.5) / scale - 0.5), edges repeated. Chroma is sampled the same
// way at its own resolution. YCbCr becomes R'G'B' by the frame's matrix and range, clamped to 0..255, not
// rounded. Grey is BT.601 luma: the luma plane itself where the frame has it. Rounding to float16 (limited to
// its finite range) and uint8 (limited to 0..255) is to nearest. Where the region lies: placement.h.
//
// With Padding::kCut, where the card allows it (cut_padding, letterbox), whole multiples of the card's
// size_multiple of padding are left out of the input, all but one: for graphs that run at any size.
//
// Threads: const and shared by all; each thread brings its own Scratch. Allocates nothing once the Scratch is
// warm.
enum class Padding { kWhole, kCut };

class Preprocessor {
 public:
  struct Scratch {
    std::vector<float> rows;         // interpolated between two picture rows; finished rows
    std::vector<int32_t> positions;  // where each input column samples
    std::vector<float> weights;
    std::vector<uint16_t> sums;  // averaged rows, not yet divided
  };

  // InvalidArgument for what no tensor can hold (type, sizes, std of 0).
  static absl::StatusOr<Preprocessor> Create(const InputCard& card, Padding padding = Padding::kWhole);

  // The tensor's width and height for a region of this size: the card's (with Padding::kCut less the padding
  // that can be left out), or for open sizes the region's.
  Size InputSize(Size region) const;
  // Where `region` (source pixels; may hang over the picture's edge, which then repeats) lies in the input.
  InputTransform Transform(const Box& region, Size source) const;
  // Whether a part of the picture can be looked at in an input of just its size (Padding::kCut).
  bool CanTakeParts() const { return cut_padding_ && card_.width > 0 && card_.height > 0; }
  // Where a part of the picture lies in an input of its own, at the scale that the whole picture has. `part`
  // (source pixels, within the picture) grows to a window of the whole picture's input whose sides lie at
  // multiples of size_multiple, so that grids of cells fall where they do in the whole. Needs CanTakeParts().
  InputTransform TransformPart(Size source, Box* part) const;
  // The smallest whole-picture size at which sampling this region loses nothing; DecodeRequest::need.
  Size Need(const InputTransform& transform) const;
  // [1, C, H, W] or [1, H, W, C], as Run writes it.
  Shape TensorShape(Size input) const;

  // Fills one batch slot at `slot` (the card's type and layout, transform.input size). `frame` may be stored
  // at a smaller scale than its source_size. Outside the region's place in the input: the card's pad value,
  // normalised.
  void Run(const Frame& frame, const InputTransform& transform, const Box& region, void* slot,
           Scratch* scratch) const;

  const InputCard& card() const { return card_; }

 private:
  Preprocessor(const InputCard& card, bool cut_padding) : card_(card), cut_padding_(cut_padding) {}
  InputCard card_;
  bool cut_padding_;
};

}  // namespace sightline::preprocess
