// What is compared, whatever file it came from: truth or results.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/geometry.h"

namespace sightline::evaluate {

struct Property {
  std::string value;            // "female", "31"
  std::optional<double> score;  // of results: 0..1
};

// One object in one picture or frame. Boxes in pixels of the source, continuous coordinates.
struct Annotation {
  std::optional<Box> box;  // none: says something of the whole picture
  std::string label;
  float score = 1;  // of results
  std::optional<int64_t> track_id;
  bool ignore = false;         // truth: neither a miss nor, when found, a false alarm (crowds, unmeasured)
  bool crowd = false;          // truth: a region of many (COCO iscrowd); implies ignore
  std::optional<double> area;  // of the mask, where the truth gives one (COCO sizes go by it)
  std::map<std::string, Property> attributes;
};

struct Picture {
  std::string source;  // file name or video
  int64_t frame = 0;   // 0-based
  std::vector<Annotation> annotations;
};

struct TimedEvent {
  std::string kind;
  std::string source;
  double begin_s = 0, end_s = 0;     // equal for moments
  std::optional<double> reported_s;  // results: when it was said
};

struct DataSet {
  std::vector<Picture> pictures;  // each (source, frame) once
  std::vector<TimedEvent> events;
  std::vector<std::string>
      labels;               // the truth's classes, in its order; empty: whatever stands in the annotations
  bool has_tracks = false;  // annotations with identities (of results: rows of kind track)
  bool has_detections = false;  // boxes
  bool has_events = false;      // an events file was there, even when it is empty
  int64_t errors = 0;           // of results: inputs or frames that failed
  // COCO: what the truth's numbers stand for. Results in its form know only numbers ("#17") until
  // NameByTruth.
  std::map<int64_t, std::string> picture_names, label_names;
};

}  // namespace sightline::evaluate
