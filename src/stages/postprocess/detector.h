// What all detector families share: reading the outputs, collecting candidates, suppressing, and going to the
// picture.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stages/postprocess/head.h"
#include "stages/postprocess/outputs.h"

namespace sightline::postprocess {

// Takes candidates in input pixels to source pixels. Lifetime: of one Decode call.
class CandidateSink {
 public:
  CandidateSink(const InputTransform& transform, std::vector<Candidate>* candidates)
      : transform_(transform), candidates_(candidates) {}
  // Drops what is not finite or lies outside the picture.
  void Add(const Box& input_box, float score, int class_id, int64_t row);
  void AddCentered(float x, float y, float width, float height, float score, int class_id, int64_t row) {
    Add({x - width / 2, y - height / 2, x + width / 2, y + height / 2}, score, class_id, row);
  }

 private:
  const InputTransform& transform_;
  std::vector<Candidate>* candidates_;
};

enum class Suppression { kGreedy, kInGraph };

// Threads: const. A family fills in Collect, and Complete where its detections are more than boxes.
class DetectorHead : public Head {
 public:
  absl::Status Decode(absl::Span<const TensorView> outputs, int batch, const InputTransform& transform,
                      Scratch* scratch, HeadResult* result) const final;

 protected:
  // `outputs` are those that it reads, in the order in which Collect gets them.
  DetectorHead(const ModelCard& card, const GraphSignature& graph, OutputUses uses,
               Suppression suppression = Suppression::kGreedy)
      : head_(card.head),
        graph_outputs_(graph.outputs.size()),
        uses_(std::move(uses)),
        suppression_(suppression) {}

  // Checks the shapes and adds whatever reaches min_score.
  virtual absl::Status Collect(const Outputs& outputs, const InputTransform& transform, Scratch* scratch,
                               CandidateSink* sink) const = 0;
  // Keypoints and masks of a detection that stays; Collect has accepted the same outputs.
  virtual void Complete(const Outputs&, const InputTransform&, const Candidate&, Scratch*, Detection*) const {
  }

  float min_score() const { return head_.min_score; }
  const HeadCard& head() const { return head_; }

 private:
  const HeadCard& head_;
  size_t graph_outputs_;
  OutputUses uses_;
  Suppression suppression_;
};

// Adds a keypoint given in input pixels; one that is not finite is added with score 0 at the box's centre, so
// that the order of the points keeps its meaning.
void AddKeypoint(const InputTransform& transform, float x, float y, float score, Detection* detection);

// The common values of a detector's card are in range. `strides` also when empty (the family's own are used).
absl::Status CheckDetectorCard(const HeadCard& head);

// The number of classes: `graph_classes` (negative: open in the graph), which the card's labels must match.
absl::StatusOr<int> ClassCount(const HeadCard& head, int64_t graph_classes);

std::vector<int> StridesOr(const HeadCard& head, const std::vector<int>& customary);

struct BestClass {
  int id = 0;
  float score = 0;
};
// The largest of `count` scores that lie `step` apart, the first of equals; what is not a number counts as
// nothing. The score is -infinity when none is a number.
BestClass FindBestClass(const float* scores, int count, int64_t step = 1);

float Sigmoid(float x);

}  // namespace sightline::postprocess
