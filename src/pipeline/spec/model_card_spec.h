// model.yaml to a ModelCard and back.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "data/model_card.h"
#include "pipeline/spec/diagnostic.h"

namespace sightline::pipeline {

// Every default is filled in; unknown keys, wrong types and ranges are all reported at once (InvalidArgument,
// one a line).
absl::StatusOr<ModelCard> ParseModelCard(std::string_view yaml, std::string_view file);

// A card as people keep it: what differs from the defaults or matters, with comments. `comments`: key path
// (input.color)
// -> remark put beside it, for drafts ("assumed: customary for yolov8"). ParseModelCard(FormatModelCard(c))
// == c.
std::string FormatModelCard(const ModelCard& card, const std::map<std::string, std::string>& comments);

// Sets one value by its key path ("input.color", "head.min_score", "head.labels") from YAML text; the same
// checks as a file.
absl::Status SetCardValue(std::string_view path, std::string_view yaml_value, ModelCard* card);

std::string ModelCardJsonSchema();
std::string ModelCardReference();  // Markdown, for docs/

}  // namespace sightline::pipeline
