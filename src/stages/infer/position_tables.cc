#include "stages/infer/position_tables.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "base/text.h"

namespace sightline::infer {
namespace {

constexpr std::array<int64_t, 3> kStrides = {8, 16, 32};
constexpr int64_t kChannelsMax = 8;

struct Table {
  std::string name;
  std::vector<int64_t> lead;  // its extents but the last
  int64_t channels = 1;
  std::vector<float> values;  // channels * positions
};

std::vector<float> Floats(const onnx::TensorProto& tensor) {
  if (tensor.data_type() != onnx::TensorProto::FLOAT) return {};
  if (!tensor.has_raw_data()) return {tensor.float_data().begin(), tensor.float_data().end()};
  std::vector<float> values(tensor.raw_data().size() / sizeof(float));
  std::memcpy(values.data(), tensor.raw_data().data(), values.size() * sizeof(float));
  return values;
}

// value(row, column) = value(0, 0) + a * column + b * row, a and b one of 0, 1 and the stride.
bool IsGrid(const float* values, int64_t rows, int64_t columns, int64_t stride) {
  const float first = values[0], across = columns > 1 ? values[1] - first : 0,
              down = rows > 1 ? values[columns] - first : 0;
  for (const float step : {across, down}) {
    if (step != 0 && step != 1 && step != static_cast<float>(stride)) return false;
  }
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      const float wanted = first + across * static_cast<float>(column) + down * static_cast<float>(row);
      if (!(std::abs(values[row * columns + column] - wanted) <= 1e-3f)) return false;
    }
  }
  return true;
}

bool ReadTable(const onnx::TensorProto& tensor, const std::string& name, std::array<int64_t, 2> size,
               Table* table) {
  int64_t positions = 0;
  for (const int64_t stride : kStrides) positions += (size[0] / stride) * (size[1] / stride);
  const int rank = tensor.dims_size();
  if (rank < 1 || rank > 4 || tensor.dims(rank - 1) != positions) return false;
  *table = {name, {}, 1, {}};
  for (int i = 0; i + 1 < rank; ++i) {
    if (tensor.dims(i) < 1 || tensor.dims(i) > kChannelsMax) return false;
    table->lead.push_back(tensor.dims(i));
    table->channels *= tensor.dims(i);
  }
  if (table->channels > kChannelsMax) return false;
  table->values = Floats(tensor);
  if (static_cast<int64_t>(table->values.size()) != table->channels * positions) return false;
  for (int64_t channel = 0; channel < table->channels; ++channel) {
    const float* values = table->values.data() + channel * positions;
    for (const int64_t stride : kStrides) {
      const int64_t rows = size[0] / stride, columns = size[1] / stride;
      if (!IsGrid(values, rows, columns, stride)) return false;
      values += rows * columns;
    }
  }
  return true;
}

// Takes the tables out of the graph.
std::vector<Table> TakeTables(std::array<int64_t, 2> size, onnx::GraphProto* graph) {
  std::vector<Table> tables;
  Table table;
  auto& initializers = *graph->mutable_initializer();
  for (int i = initializers.size() - 1; i >= 0; --i) {
    if (!ReadTable(initializers[i], initializers[i].name(), size, &table)) continue;
    tables.push_back(table);
    initializers.DeleteSubrange(i, 1);
  }
  auto& nodes = *graph->mutable_node();
  for (int i = nodes.size() - 1; i >= 0; --i) {
    if (nodes[i].op_type() != "Constant" || nodes[i].output_size() != 1 || nodes[i].attribute_size() != 1)
      continue;
    if (!ReadTable(nodes[i].attribute(0).t(), nodes[i].output(0), size, &table)) continue;
    tables.push_back(table);
    nodes.DeleteSubrange(i, 1);
  }
  return tables;
}

class Writer {
 public:
  explicit Writer(onnx::GraphProto* graph) : graph_(graph) {}

  std::string Integers(const std::vector<int64_t>& values) {
    onnx::TensorProto* tensor = graph_->add_initializer();
    tensor->set_name(NewName());
    tensor->set_data_type(onnx::TensorProto::INT64);
    tensor->add_dims(static_cast<int64_t>(values.size()));
    for (const int64_t value : values) tensor->add_int64_data(value);
    return tensor->name();
  }

  std::string Grid(const Table& table, int64_t from, int64_t rows, int64_t columns) {
    onnx::TensorProto* tensor = graph_->add_initializer();
    tensor->set_name(NewName());
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    for (const int64_t extent : {table.channels, rows, columns}) tensor->add_dims(extent);
    const int64_t positions = static_cast<int64_t>(table.values.size()) / table.channels;
    for (int64_t channel = 0; channel < table.channels; ++channel) {
      for (int64_t i = 0; i < rows * columns; ++i) {
        tensor->add_float_data(table.values[static_cast<size_t>(channel * positions + from + i)]);
      }
    }
    return tensor->name();
  }

  std::string Node(std::string_view kind, const std::vector<std::string>& inputs, std::string output = {}) {
    onnx::NodeProto& node = nodes_.emplace_back();
    node.set_op_type(std::string(kind));
    for (const std::string& input : inputs) node.add_input(input);
    node.add_output(output.empty() ? NewName() : std::move(output));
    node.set_name(node.output(0) + "_node");
    return node.output(0);
  }

  void SetAxis(int64_t axis) {
    onnx::AttributeProto* attribute = nodes_.back().add_attribute();
    attribute->set_name("axis");
    attribute->set_type(onnx::AttributeProto::INT);
    attribute->set_i(axis);
  }

  // Before all other nodes.
  void Finish() {
    for (const auto& node : graph_->node()) nodes_.push_back(node);
    graph_->clear_node();
    for (auto& node : nodes_) graph_->add_node()->Swap(&node);
  }

 private:
  std::string NewName() { return fmt::format("position_table_{}", count_++); }
  onnx::GraphProto* graph_;
  std::vector<onnx::NodeProto> nodes_;
  int count_ = 0;
};

}  // namespace

int OpenPositionTables(const std::string& input, int first_axis, std::array<int64_t, 2> size,
                       onnx::GraphProto* graph) {
  const std::vector<Table> tables = TakeTables(size, graph);
  if (tables.empty()) return 0;
  Writer writer(graph);
  const std::string shape = writer.Node("Shape", {input});
  const std::string sides =
      writer.Node("Slice", {shape, writer.Integers({first_axis}), writer.Integers({first_axis + 2})});
  const std::string zeros = writer.Integers({0, 0}), axes = writer.Integers({1, 2});
  std::array<std::string, kStrides.size()> ends;
  for (size_t i = 0; i < ends.size(); ++i) {
    ends[i] = writer.Node("Div", {sides, writer.Integers({kStrides[i]})});
  }
  for (const Table& table : tables) {
    std::vector<int64_t> target = table.lead;
    target.push_back(-1);
    const std::string target_name = writer.Integers(target);
    std::vector<std::string> parts;
    int64_t from = 0;
    for (size_t i = 0; i < ends.size(); ++i) {
      const int64_t rows = size[0] / kStrides[i], columns = size[1] / kStrides[i];
      const std::string cut =
          writer.Node("Slice", {writer.Grid(table, from, rows, columns), zeros, ends[i], axes});
      parts.push_back(writer.Node("Reshape", {cut, target_name}));
      from += rows * columns;
    }
    writer.Node("Concat", parts, table.name);
    writer.SetAxis(static_cast<int64_t>(table.lead.size()));
  }
  writer.Finish();
  return static_cast<int>(tables.size());
}

}  // namespace sightline::infer
