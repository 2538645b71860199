#include "stages/infer/open_size.h"

#include <google/protobuf/io/coded_stream.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <unordered_set>

#include "stages/infer/position_tables.h"

namespace sightline::infer {
namespace {

constexpr int kNestingMax = 64;

std::vector<int64_t> Integers(const onnx::TensorProto& tensor) {
  if (tensor.data_type() != onnx::TensorProto::INT64) return {};
  if (!tensor.has_raw_data()) return {tensor.int64_data().begin(), tensor.int64_data().end()};
  std::vector<int64_t> values(tensor.raw_data().size() / sizeof(int64_t));
  std::memcpy(values.data(), tensor.raw_data().data(), values.size() * sizeof(int64_t));
  return values;
}

void SetIntegers(const std::vector<int64_t>& values, onnx::TensorProto* tensor) {
  tensor->clear_raw_data();
  tensor->clear_int64_data();
  for (const int64_t value : values) tensor->add_int64_data(value);
}

// The graph's one input that is no initializer; nullptr where there are none or several.
onnx::ValueInfoProto* OnlyInput(onnx::GraphProto* graph) {
  std::unordered_set<std::string> initialized;
  for (const auto& initializer : graph->initializer()) initialized.insert(initializer.name());
  onnx::ValueInfoProto* only = nullptr;
  for (auto& input : *graph->mutable_input()) {
    if (initialized.count(input.name()) > 0) continue;
    if (only != nullptr) return nullptr;
    only = &input;
  }
  return only;
}

// The axis of the height; -1 where there is no fixed height and width to open. `size` gets them.
int OpenAxes(onnx::ValueInfoProto* input, std::array<int64_t, 2>* size) {
  if (!input->type().has_tensor_type()) return -1;
  auto* shape = input->mutable_type()->mutable_tensor_type()->mutable_shape();
  if (shape->dim_size() != 4) return -1;
  const auto is_channels = [&](int axis) {
    return shape->dim(axis).dim_value() == 1 || shape->dim(axis).dim_value() == 3;
  };
  const int first = is_channels(1) ? 2 : is_channels(3) ? 1 : -1;
  if (first < 0 || shape->dim(first).dim_value() <= 0 || shape->dim(first + 1).dim_value() <= 0) return -1;
  *size = {shape->dim(first).dim_value(), shape->dim(first + 1).dim_value()};
  shape->mutable_dim(first)->set_dim_param("height");
  shape->mutable_dim(first + 1)->set_dim_param("width");
  return first;
}

// [1, 85, 2704] names the number of positions of one size; [1, 85, -1] leaves it to the data.
void OpenReshapeTargets(onnx::GraphProto* graph) {
  std::map<std::string, onnx::TensorProto*> constants;
  for (auto& initializer : *graph->mutable_initializer()) constants[initializer.name()] = &initializer;
  for (auto& node : *graph->mutable_node()) {
    if (node.op_type() != "Constant" || node.output_size() != 1) continue;
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.name() == "value" && attribute.has_t()) constants[node.output(0)] = attribute.mutable_t();
    }
  }
  for (const auto& node : graph->node()) {
    if (node.op_type() != "Reshape" || node.input_size() < 2) continue;
    const auto found = constants.find(node.input(1));
    if (found == constants.end()) continue;
    std::vector<int64_t> target = Integers(*found->second);
    if (target.size() != 3 || *std::min_element(target.begin(), target.end()) < 1) continue;
    target.back() = -1;
    SetIntegers(target, found->second);
  }
}

}  // namespace

std::optional<Bytes> OpenInputSize(absl::Span<const uint8_t> model) {
  if (model.size() > static_cast<size_t>(std::numeric_limits<int>::max()) / 2) return std::nullopt;
  google::protobuf::io::CodedInputStream stream(model.data(), static_cast<int>(model.size()));
  stream.SetRecursionLimit(kNestingMax);
  onnx::ModelProto proto;
  if (!proto.ParseFromCodedStream(&stream) || !proto.has_graph()) return std::nullopt;
  onnx::GraphProto* graph = proto.mutable_graph();
  onnx::ValueInfoProto* input = OnlyInput(graph);
  if (input == nullptr) return std::nullopt;
  std::array<int64_t, 2> size{};
  const int first_axis = OpenAxes(input, &size);
  if (first_axis < 0) return std::nullopt;
  graph->clear_value_info();
  for (auto& output : *graph->mutable_output()) {
    if (output.type().has_tensor_type()) output.mutable_type()->mutable_tensor_type()->clear_shape();
  }
  OpenReshapeTargets(graph);
  // Slice with its ends as an input came with operator set 10.
  const bool can_slice =
      std::any_of(proto.opset_import().begin(), proto.opset_import().end(),
                  [](const auto& set) { return set.domain().empty() && set.version() >= 10; });
  if (can_slice) OpenPositionTables(input->name(), first_axis, size, graph);
  Bytes opened(proto.ByteSizeLong());
  if (!proto.SerializeToArray(opened.data(), static_cast<int>(opened.size()))) return std::nullopt;
  return opened;
}

}  // namespace sightline::infer
