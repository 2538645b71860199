// What is wrong with a YAML file, and where.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace sightline::pipeline {

struct Diagnostic {
  std::string file;
  int line = 0, column = 0;  // 1-based; 0: the file as a whole
  std::string path;          // steps[1].min_score
  std::string message;       // "unknown key 'min_scor'; did you mean 'min_score'?"
  // pipeline.yaml:7:5: steps[1].min_score: message
  std::string Text() const;
};

// InvalidArgument with one diagnostic a line; OK where there is none.
absl::Status ToStatus(const std::vector<Diagnostic>& diagnostics);

}  // namespace sightline::pipeline
