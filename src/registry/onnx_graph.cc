#include "registry/onnx_graph.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include <set>
#include <unordered_map>

#include "base/status.h"
#include "base/text.h"
#include "registry/graph_flops.h"
#include "stages/infer/external_data.h"
#include "stages/infer/model_file.h"

namespace sightline::registry {
namespace {

constexpr int kDepthMax = 100;

ElementType FromOnnx(int32_t type) {
  switch (type) {
    case onnx::TensorProto::FLOAT:
      return ElementType::kFloat32;
    case onnx::TensorProto::FLOAT16:
      return ElementType::kFloat16;
    case onnx::TensorProto::UINT8:
      return ElementType::kUint8;
    case onnx::TensorProto::INT8:
      return ElementType::kInt8;
    case onnx::TensorProto::INT32:
      return ElementType::kInt32;
    case onnx::TensorProto::INT64:
      return ElementType::kInt64;
    case onnx::TensorProto::BOOL:
      return ElementType::kBool;
    case onnx::TensorProto::DOUBLE:
      return ElementType::kFloat64;
    default:
      return ElementType::kOther;
  }
}

TensorSpec ToSpec(const onnx::ValueInfoProto& value) {
  TensorSpec spec;
  spec.name = value.name();
  const auto& tensor = value.type().tensor_type();
  spec.type = value.type().has_tensor_type() ? FromOnnx(tensor.elem_type()) : ElementType::kOther;
  for (const auto& dimension : tensor.shape().dim()) {
    const bool fixed = dimension.has_dim_value() && dimension.dim_value() > 0;
    spec.shape.push_back(fixed ? dimension.dim_value() : -1);
    spec.dimension_names.push_back(dimension.dim_param());
  }
  return spec;
}

// Elements of a tensor, 0 for nonsense.
int64_t Elements(const onnx::TensorProto& tensor) {
  int64_t count = 1;
  for (const int64_t extent : tensor.dims()) {
    if (extent <= 0 || __builtin_mul_overflow(count, extent, &count)) return 0;
  }
  return count;
}

void AddSaturating(int64_t value, int64_t* sum) {
  if (__builtin_add_overflow(*sum, value, sum)) *sum = INT64_MAX;
}

std::string OperatorName(const onnx::NodeProto& node) {
  const std::string& domain = node.domain();
  return domain.empty() || domain == "ai.onnx" ? node.op_type()
                                               : fmt::format("{}:{}", domain, node.op_type());
}

absl::Status CountNodes(const onnx::GraphProto& graph, const GraphReadOptions& options, int depth,
                        GraphSummary* summary) {
  if (depth > kDepthMax) return absl::ResourceExhaustedError("its graphs are nested too deep");
  for (const onnx::TensorProto& tensor : graph.initializer())
    AddSaturating(Elements(tensor), &summary->parameters);
  for (const onnx::SparseTensorProto& tensor : graph.sparse_initializer()) {
    AddSaturating(Elements(tensor.values()), &summary->parameters);
  }
  for (const onnx::NodeProto& node : graph.node()) {
    if (++summary->nodes > options.nodes_max) {
      return absl::ResourceExhaustedError(fmt::format("its graph has more than {} nodes", options.nodes_max));
    }
    ++summary->operators[OperatorName(node)];
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      if (node.op_type() == "Constant") AddSaturating(Elements(attribute.t()), &summary->parameters);
      if (attribute.has_g()) RETURN_IF_ERROR(CountNodes(attribute.g(), options, depth + 1, summary));
      for (const auto& inner : attribute.graphs())
        RETURN_IF_ERROR(CountNodes(inner, options, depth + 1, summary));
    }
  }
  return absl::OkStatus();
}

// Operators that move values about without changing what they are.
bool OnlyMoves(const std::string& op) {
  static constexpr std::string_view kMovers[] = {"Identity",       "Reshape",         "Flatten",
                                                 "Squeeze",        "Unsqueeze",       "Transpose",
                                                 "QuantizeLinear", "DequantizeLinear"};
  return std::find(std::begin(kMovers), std::end(kMovers), op) != std::end(kMovers);
}

std::map<std::string, std::string> OutputOperators(const onnx::GraphProto& graph) {
  std::unordered_map<std::string_view, const onnx::NodeProto*> makers;
  for (const onnx::NodeProto& node : graph.node()) {
    for (const std::string& output : node.output()) makers[output] = &node;
  }
  std::map<std::string, std::string> operators;
  for (const auto& output : graph.output()) {
    std::string_view name = output.name();
    constexpr int kStepsMax = 32;  // a damaged graph may go round in circles
    for (int step = 0; step < kStepsMax; ++step) {
      const auto maker = makers.find(name);
      if (maker == makers.end()) break;
      if (!OnlyMoves(maker->second->op_type()) || maker->second->input_size() == 0) {
        operators[output.name()] = OperatorName(*maker->second);
        break;
      }
      name = maker->second->input(0);
    }
  }
  return operators;
}

absl::StatusOr<GraphSummary> Summarise(const onnx::ModelProto& model, const GraphReadOptions& options) {
  if (!model.has_graph() || model.graph().node_size() == 0) {
    return absl::InvalidArgumentError("it has no graph: cut, or no ONNX file");
  }
  const onnx::GraphProto& graph = model.graph();
  GraphSummary summary;
  summary.graph_name = graph.name();
  summary.ir_version = model.ir_version();
  summary.signature.producer = model.producer_name();
  summary.producer_version = model.producer_version();
  for (const auto& set : model.opset_import()) {
    summary.opsets[set.domain().empty() ? "ai.onnx" : set.domain()] = set.version();
  }
  for (const auto& entry : model.metadata_props()) summary.signature.metadata[entry.key()] = entry.value();
  std::set<std::string_view> initializers;  // older files list them among the inputs
  for (const auto& tensor : graph.initializer()) initializers.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) initializers.insert(tensor.values().name());
  for (const auto& value : graph.input()) {
    if (initializers.count(value.name()) == 0) summary.signature.inputs.push_back(ToSpec(value));
  }
  for (const auto& value : graph.output()) summary.signature.outputs.push_back(ToSpec(value));
  RETURN_IF_ERROR(CountNodes(graph, options, 0, &summary));
  summary.output_operators = OutputOperators(graph);
  if (options.estimate_flops) summary.flops = EstimateFlops(model, options.open_size);
  return summary;
}

}  // namespace

absl::StatusOr<GraphSummary> ReadGraph(absl::Span<const uint8_t> bytes, const GraphReadOptions& options) {
  RETURN_IF_ERROR(infer::CheckLooksLikeOnnx(bytes));
  if (bytes.size() > options.bytes_max || bytes.size() > INT32_MAX) {
    return absl::ResourceExhaustedError(fmt::format("the file has {} bytes, more than the limit of {}",
                                                    bytes.size(),
                                                    std::min<uint64_t>(options.bytes_max, INT32_MAX)));
  }
  // The walk refuses files whose parsed form would be out of all proportion, so it stands before the parser.
  ASSIGN_OR_RETURN(const std::vector<infer::ExternalFile> external, infer::FindExternalData(bytes));
  try {
    onnx::ModelProto model;
    google::protobuf::io::CodedInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
    stream.SetTotalBytesLimit(INT32_MAX);
    stream.SetRecursionLimit(kDepthMax);
    if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
      return absl::InvalidArgumentError(
          "the file is cut, damaged, or no ONNX file (its protobuf does not parse)");
    }
    ASSIGN_OR_RETURN(GraphSummary summary, Summarise(model, options));
    summary.file_bytes = bytes.size();
    for (const infer::ExternalFile& file : external) summary.external_files.push_back(file.location);
    return summary;
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(fmt::format("the graph cannot be read: {}", ToValidUtf8(error.what())));
  }
}

absl::StatusOr<GraphSummary> ReadGraphFile(const std::filesystem::path& path,
                                           const GraphReadOptions& options) {
  ASSIGN_OR_RETURN(const Bytes bytes, infer::ReadModelFile(path, options.bytes_max));
  auto summary = ReadGraph(bytes, options);
  return summary.ok() ? std::move(summary)
                      : Annotate(summary.status(), fmt::format("cannot read {}", path.string()));
}

}  // namespace sightline::registry
