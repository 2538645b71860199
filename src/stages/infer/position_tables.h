// Tables of positions in a detector's graph, cut to the input's size when it runs.
#pragma once

#include <onnx/onnx_pb.h>

#include <array>
#include <string>

namespace sightline::infer {

// Exporters write down, as constants [.., positions], where the cells of the grids of strides 8, 16 and 32
// lie and what strides they have: true at one input size only. Where a table says of each cell something that
// depends on its row, its column and its stride alone, the cells of a smaller input are those of the larger
// one's upper left corner: the table becomes one per grid, cut to size by nodes before all others. Nothing
// else changes, and at the original size the values are the same. `input` is the picture input, `first_axis`
// its height's axis, `size` the original height and width. Gives how many tables there were.
int OpenPositionTables(const std::string& input, int first_axis, std::array<int64_t, 2> size,
                       onnx::GraphProto* graph);

}  // namespace sightline::infer
