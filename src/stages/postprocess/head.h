// Heads: a model's raw outputs to detections, classes, attributes or embeddings. One family a file, one
// visible table.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/detection.h"
#include "data/geometry.h"
#include "data/model_card.h"
#include "data/tensor.h"

namespace sightline::postprocess {

// A box that has passed min_score: source pixels, not yet clipped. `row` is the output row that it came from.
struct Candidate {
  Box box;
  float score = 0;
  int class_id = 0;
  int row = 0;
};

// Threads: const and shared; a Scratch per thread keeps memory between calls.
class Head {
 public:
  struct Scratch {
    std::vector<Candidate> candidates;  // above min_score, before and after suppression
    std::vector<float> converted;       // float16 outputs as float32
    std::vector<float> work;            // a family's own
  };
  virtual ~Head() = default;
  // Reads batch entry `batch` of the outputs (in the session's order; any batch size). Boxes, keypoints and
  // masks come out in source pixels through `transform`, clipped to the picture, after non-maximum
  // suppression, best first. `result` is cleared first. What is not finite, or has no area inside the
  // picture, is dropped. Allocates nothing once `scratch` and `result` are warm, but for masks (one
  // allocation each) and more than 5 keypoints. Errors: InvalidArgument where shapes are not what was created
  // for.
  virtual absl::Status Decode(absl::Span<const TensorView> outputs, int batch,
                              const InputTransform& transform, Scratch* scratch,
                              HeadResult* result) const = 0;
};

enum class Task {
  kDetect,
  kClassify,
  kEmbed
};  // what kind of step a family serves; attributes count as classify

// What recognising a graph yields: the card that a family would draft (input and head filled in with what the
// graph and its metadata say, the rest the family's customary values), why, and what the user still has to
// say.
struct Recognition {
  HeadCard head;
  InputCard input;
  int confidence = 0;                // 0..100; below 50 is a guess that needs --family
  std::string reason;                // "output [1,84,8400]: 4 box values and 80 classes, no objectness"
  std::vector<std::string> unknown;  // "labels: the graph has 12 classes and no names"
};

struct HeadFamily {
  std::string_view name;
  Task task;
  std::string_view summary;  // one line for help and docs
  // Does this graph look like the family? nullopt when it can't be. With `forced` (the user said --family) it
  // explains an impossibility as a status instead.
  absl::StatusOr<std::optional<Recognition>> (*recognise)(const GraphSignature& graph, bool forced);
  // Checks the card against the graph's outputs (in their order) and makes the head. The card outlives it.
  absl::StatusOr<std::unique_ptr<Head>> (*create)(const ModelCard& card, const GraphSignature& graph);
  // The outputs belong to grid cells, so that a graph may run on inputs of any size (a multiple of its
  // strides).
  bool any_size = false;
};

absl::Span<const HeadFamily> HeadFamilies();
const HeadFamily* FindHeadFamily(std::string_view name);

// The best recognition over all families, with its family; nullopt when none fits.
std::optional<std::pair<const HeadFamily*, Recognition>> RecogniseHead(const GraphSignature& graph);

}  // namespace sightline::postprocess
