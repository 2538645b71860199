// What was seen when, and so what may be where between: what redaction goes by.
#pragma once

#include <deque>
#include <limits>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "cameras/evidence/evidence.h"

namespace sightline::cameras {

// Threads: one at a time. Copies are values of their own.
class SeenHistory {
 public:
  // Keeps so many seconds, and so many boxes: the oldest moments go.
  SeenHistory(double keep_s, size_t boxes_max) : keep_s_(keep_s), boxes_max_(boxes_max) {}

  void Add(double stream_s, absl::Span<const SeenBox> boxes);

  // Everything that may be in the picture at this time: tracks go straight between two sightings that are at
  // most 5 s apart, and stay for a second before the first and after the last, drawn out the way they went.
  // Boxes without a track (id <= 0) are there for a second around their moment.
  // nullopt: nobody looked within a second of it, so that anything may be there.
  std::optional<std::vector<SeenBox>> At(double stream_s) const;

  // The part that matters for times from..to.
  SeenHistory Between(double from_s, double to_s) const;

  // The latest moment; minus infinity without any.
  double last_s() const {
    return moments_.empty() ? -std::numeric_limits<double>::infinity() : moments_.back().at_s;
  }
  size_t boxes() const { return boxes_; }

 private:
  struct Moment {
    double at_s;
    std::vector<SeenBox> boxes;
  };
  double keep_s_;
  size_t boxes_max_;
  size_t boxes_ = 0;
  std::deque<Moment> moments_;  // rising
};

}  // namespace sightline::cameras
