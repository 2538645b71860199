// Opens the height and width of a graph's picture input, so that a letterboxed picture need not be padded to
// the full square.
#pragma once

#include <optional>

#include "absl/types/span.h"
#include "base/file.h"

namespace sightline::infer {

// The same graph with open height and width: the input's extents become symbols, sizes inferred from them are
// forgotten, Reshape targets that spell out a number of positions leave it open (-1), and tables of positions
// are cut to the input's size (position_tables.h). Nothing else changes, so a picture of the original size
// gives the original results: bit for bit, or where there were tables, but for rounding (the runtime then
// fuses other operations). nullopt where the graph has no single four-axis picture input of fixed size, or
// can't be read. Whether an opened graph runs at another size must be tried: one with other tables of
// positions does not.
std::optional<Bytes> OpenInputSize(absl::Span<const uint8_t> model);

}  // namespace sightline::infer
