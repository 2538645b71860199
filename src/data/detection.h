// What models say of a picture: detections, classifications, attributes, embeddings.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "data/geometry.h"

namespace sightline {

struct Keypoint {
  float x = 0, y = 0;  // source pixels
  float score = 1;
};

// Run lengths in row-major order over the box `area` (whole source pixels): first a run of 0 (maybe empty),
// then of 1, and so on; they add up to area.width() * area.height().
struct Mask {
  Box area;
  std::vector<uint32_t> runs;
};

// A named property of a detection or picture: age, gender, colour. Text points into the model card, which
// outlives it.
struct Attribute {
  std::string_view name;
  std::string_view value;  // the label, for what is chosen from labels; empty for a number
  float number = std::numeric_limits<float>::quiet_NaN();  // the value, for regression and expectation
  float score = std::numeric_limits<float>::quiet_NaN();   // 0..1; NaN where the head gives none
};

struct Detection {
  Box box;          // source pixels, clipped to the picture
  float score = 0;  // 0..1
  int class_id = 0;
  int64_t track_id = -1;  // -1: not tracked
  absl::InlinedVector<Keypoint, 5> keypoints;
  std::shared_ptr<const Mask> mask;
};

struct Classification {
  int class_id = 0;
  float score = 0;
};

// All that one head can say of one input (a picture or a region). Which parts are filled depends on the
// family.
struct HeadResult {
  std::vector<Detection> detections;            // falling score
  std::vector<Classification> classifications;  // falling score, top-k
  std::vector<Attribute> attributes;            // in the card's order
  std::vector<float> embedding;                 // unit length where the card says so

  void Clear() {
    detections.clear();
    classifications.clear();
    attributes.clear();
    embedding.clear();
  }
};

}  // namespace sightline
