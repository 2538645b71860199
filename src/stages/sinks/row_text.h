// A result row as text: one JSON object, or one CSV record. The fields and their order are those of
// docs/results.md.
#pragma once

#include <string>

#include "data/result.h"

namespace sightline::sinks {

// Each appends one line with its end to `text`, and allocates nothing once `text` has grown to the longest
// row. Text that is no UTF-8 has its bad bytes replaced; numbers that JSON cannot say (nan, inf) and absent
// fields become null (CSV: an empty cell).
void AppendJsonRow(const ResultRow& row, std::string* text);

void AppendCsvHeader(std::string* text);
// `scratch` is reused between calls.
void AppendCsvRow(const ResultRow& row, std::string* scratch, std::string* text);

// Names of attributes are keys: of two with the same name the first is written.
bool IsFirstOfItsName(absl::Span<const Attribute> attributes, size_t index);

}  // namespace sightline::sinks
