// What is compared, whatever file it came from: truth or results.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/geometry.h"

namespace sightline::evaluate {

// One object in one picture or frame. Boxes in pixels of the source, continuous coordinates.
struct Annotation {
  Box box;
  std::string label;
  float score = 1;                  // of results
  std::optional<int64_t> track_id;
  bool ignore = false;              // truth: neither a miss nor, when found, a false alarm (crowds, unmeasured)
  bool crowd = false;               // truth: a region of many (COCO iscrowd); implies ignore
  std::optional<double> area;       // of the mask, where the truth gives one (COCO sizes go by it)
  std::map<std::string, std::string> attributes;  // age "31", gender "female"
};

struct Picture {
  std::string source;  // file name or video
  int64_t frame = 0;   // 0-based
  std::optional<double> time_s;
  Size size;           // empty where not known
  std::vector<Annotation> annotations;
};

struct TimedEvent {
  std::string kind;
  std::string source;
  double begin_s = 0, end_s = 0;  // equal for moments
  std::optional<double> reported_s;  // results: when it was said
  std::vector<int64_t> tracks;
};

// Ordered by (source, frame). Labels are those of the files, mapped by --map where asked.
struct DataSet {
  std::vector<Picture> pictures;
  std::vector<TimedEvent> events;
  std::vector<std::string> labels;  // in the order of the truth's classes
};

}  // namespace sightline::evaluate
