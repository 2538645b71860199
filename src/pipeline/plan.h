// A pipeline, resolved and fully checked: what the executor runs and `pipeline show` prints.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/limits.h"
#include "data/model_card.h"
#include "stages/track/tracker.h"

namespace sightline::pipeline {

enum class StepKind { kDetect, kClassify, kEmbed, kTrack };
std::string_view Name(StepKind kind);

// A model as found: its folder, card (with file defaults), the graph's signature.
struct CatalogModel {
  std::filesystem::path folder;
  std::filesystem::path graph_file;  // FOLDER/model.onnx
  ModelCard card;
  GraphSignature graph;
};

// Where models are looked up; implemented by registry. Threads: safe.
class ModelCatalog {
 public:
  virtual ~ModelCatalog() = default;
  // `name` is NAME or NAME@VERSION. NotFound says where it looked and suggests near names.
  virtual absl::StatusOr<std::shared_ptr<const CatalogModel>> Find(std::string_view name) const = 0;
};

struct Step {
  std::string id;
  StepKind kind = StepKind::kDetect;
  int on = -1;  // index of the step whose boxes this works on; -1: the whole picture
  // detect, classify, embed:
  std::shared_ptr<const CatalogModel> model;
  HeadCard head;  // the card's, with the step's overrides (min_score, iou, max_detections, top_k)
  std::vector<int> keep_classes;  // detect: class ids that are kept; empty: all. Of `on`: see on_classes
  std::vector<int> on_classes;    // class ids of `on` that this step looks at; empty: all
  float margin = 0;     // classify, embed with `on`: grow the box by this share of its size on each side
  bool square = false;  // and make it square (longer side)
  float min_box = 0;    // skip boxes whose shorter side is below this many source pixels
  // track:
  track::TrackerOptions tracker;
  int appearance = -1;  // index of the embed step that gives appearance; -1: none
};

struct Plan {
  std::string name;
  std::string file;
  std::vector<Step> steps;  // in an order in which each stands after what it works on
};

}  // namespace sightline::pipeline
