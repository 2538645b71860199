// Our own decoder for plain baseline files: the ones that cameras, phones and data sets are made of.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "data/frame.h"
#include "stages/decode/jpeg/head.h"
#include "stages/decode/jpeg/scan.h"
#include "stages/decode/jpeg/tables.h"

namespace sightline::decode::jpeg {

// One interleaved scan of 8-bit sequential Huffman coding; grey, or YCbCr with 4:4:4, 4:2:2 or 4:2:0
// sampling.
bool IsPlain(const Head& head);

// Threads: one at a time. Memory: scratch that grows to the largest file and is kept; nothing else.
class BaselineDecoder {
 public:
  // Fills `frame` (as stored, not turned) at 1 / 2^scale_log2 (0..3). `head`: of these bytes, plain, its size
  // within the limits. False for anything that is not exactly as it should be, down to the last byte before
  // EOI: libjpeg-turbo shall judge.
  bool Decode(absl::Span<const uint8_t> bytes, const Head& head, int scale_log2, Frame* frame);

 private:
  bool Plan(const Head& head, int scale_log2);

  TableCache tables_;
  std::vector<uint8_t> clean_;  // the scan without stuffing
  std::vector<Segment> segments_;
  std::vector<uint8_t> strip_;  // one row of MCUs of each component
  ScanPlan plan_;
  std::array<ScanComponent, 3> components_;
};

}  // namespace sightline::decode::jpeg
