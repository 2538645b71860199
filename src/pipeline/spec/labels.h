// Class names: written out, by number, or as the name of a list that everybody uses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/spec/declare.h"

namespace sightline::pipeline {

// A list of names, a map of class number to name without gaps, or the name of a built-in list (coco80).
Typed<std::vector<std::string>> Labels();

// nullptr where there is no such list.
const std::vector<std::string>* BuiltinLabels(std::string_view name);
std::vector<std::string> BuiltinLabelNames();

}  // namespace sightline::pipeline
