#include "registry/graph_flops.h"

#include <fcntl.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>

#include "absl/cleanup/cleanup.h"

namespace sightline::registry {
namespace {

constexpr int kTimeoutMs = 20'000;
constexpr rlim_t kChildMemoryMax = rlim_t{8} << 30;  // above what the process already has

using Shapes = std::unordered_map<std::string, std::vector<int64_t>>;

// Open extents of the graph's inputs get a value, so that inference can carry numbers through.
bool FillOpenExtents(Size open_size, onnx::GraphProto* graph) {
  bool filled = false;
  std::unordered_set<std::string_view>
      initializers;  // older files list them among the inputs; an empty one stays empty
  for (const auto& tensor : graph->initializer()) initializers.insert(tensor.name());
  for (auto& input : *graph->mutable_input()) {
    if (initializers.count(input.name()) != 0) continue;
    if (!input.type().has_tensor_type() || !input.type().tensor_type().has_shape()) continue;
    auto* shape = input.mutable_type()->mutable_tensor_type()->mutable_shape();
    const int rank = shape->dim_size();
    const bool channels_last = rank == 4 && shape->dim(3).has_dim_value() && shape->dim(3).dim_value() <= 4 &&
                               !(shape->dim(1).has_dim_value() && shape->dim(1).dim_value() <= 4);
    const int row = channels_last ? 1 : 2;
    for (int i = 0; i < rank; ++i) {
      auto* extent = shape->mutable_dim(i);
      if (extent->has_dim_value() && extent->dim_value() > 0) continue;
      filled = true;
      extent->set_dim_value(rank != 4 ? 1 : i == row ? open_size.height : i == row + 1 ? open_size.width : 1);
    }
  }
  // What the file claims of the values in between may be symbolic and contradict the numbers now put in.
  graph->clear_value_info();
  for (auto& output : *graph->mutable_output()) {
    if (output.type().has_tensor_type()) output.mutable_type()->mutable_tensor_type()->clear_shape();
  }
  return filled;
}

void Remember(const onnx::ValueInfoProto& value, Shapes* shapes) {
  if (!value.type().has_tensor_type() || !value.type().tensor_type().has_shape()) return;
  std::vector<int64_t> extents;
  for (const auto& extent : value.type().tensor_type().shape().dim()) {
    if (!extent.has_dim_value() || extent.dim_value() < 0) return;
    extents.push_back(extent.dim_value());
  }
  (*shapes)[value.name()] = std::move(extents);
}

double Product(const std::vector<int64_t>& extents, size_t first = 0) {
  double product = 1;
  for (size_t i = first; i < extents.size(); ++i) product *= static_cast<double>(extents[i]);
  return product;
}

struct CountedOperator {
  std::string_view name;
  enum { kConv, kConvTranspose, kGemm, kMatMul } rule;
  int data, weight;  // positions among the inputs
};
constexpr CountedOperator kCounted[] = {
    {"Conv", CountedOperator::kConv, 0, 1},
    {"ConvInteger", CountedOperator::kConv, 0, 1},
    {"FusedConv", CountedOperator::kConv, 0, 1},
    {"QLinearConv", CountedOperator::kConv, 0, 3},
    {"ConvTranspose", CountedOperator::kConvTranspose, 0, 1},
    {"Gemm", CountedOperator::kGemm, 0, 1},
    {"MatMul", CountedOperator::kMatMul, 0, 1},
    {"MatMulInteger", CountedOperator::kMatMul, 0, 1},
    {"QLinearMatMul", CountedOperator::kMatMul, 0, 3},
};

// Multiply-accumulates of one node; negative where a shape is missing.
double Macs(const CountedOperator& counted, const onnx::NodeProto& node, const Shapes& shapes) {
  const auto shape_of = [&](const auto& names, int index) -> const std::vector<int64_t>* {
    if (index >= names.size()) return nullptr;
    const auto found = shapes.find(names.Get(index));
    return found == shapes.end() ? nullptr : &found->second;
  };
  const auto* data = shape_of(node.input(), counted.data);
  const auto* weight = shape_of(node.input(), counted.weight);
  const auto* out = shape_of(node.output(), 0);
  if (data == nullptr || weight == nullptr || out == nullptr || data->empty() || weight->empty()) return -1;
  switch (counted.rule) {
    case CountedOperator::kConv:
      return Product(*out) * Product(*weight, 1);  // weight: out, in / group, kernel
    case CountedOperator::kConvTranspose:
      return Product(*data) * Product(*weight, 1);  // in, out / group, kernel
    case CountedOperator::kMatMul:
      return Product(*out) * static_cast<double>(data->back());
    case CountedOperator::kGemm:
      break;
  }
  bool transposed = false;
  for (const auto& attribute : node.attribute())
    transposed |= attribute.name() == "transA" && attribute.i() != 0;
  return Product(*out) * static_cast<double>(transposed ? data->front() : data->back());
}

FlopsEstimate Count(onnx::ModelProto* model, Size open_size) {
  FlopsEstimate estimate;
  estimate.assumed_open = FillOpenExtents(open_size, model->mutable_graph());
  try {
    // With the contents of small integer tensors, because shapes are computed by Shape, Concat and Reshape.
    const onnx::ShapeInferenceOptions options{/*check_type=*/false, /*error_mode=*/0, /*data_prop=*/true};
    onnx::shape_inference::InferShapes(*model, onnx::OpSchemaRegistry::Instance(), options);
  } catch (const std::exception&) {
    // What was inferred up to there still counts.
  }
  const onnx::GraphProto& graph = model->graph();
  Shapes shapes;
  for (const auto& value : graph.value_info()) Remember(value, &shapes);
  for (const auto& value : graph.input()) Remember(value, &shapes);
  for (const auto& value : graph.output()) Remember(value, &shapes);
  for (const auto& tensor : graph.initializer())
    shapes[tensor.name()] = {tensor.dims().begin(), tensor.dims().end()};
  for (const auto& node : graph.node()) {
    for (const CountedOperator& counted : kCounted) {
      if (counted.name != node.op_type()) continue;
      const double macs = Macs(counted, node, shapes);
      ++(macs < 0 ? estimate.unknown : estimate.counted);
      if (macs > 0) estimate.flops += 2 * macs;
    }
  }
  return estimate;
}

void LimitThisProcess() {
  const auto limit = [](auto resource, rlim_t most) {
    const rlimit both = {most, most};
    setrlimit(resource, &both);
  };
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, kTimeoutMs / 1000);
  unsigned long pages = 0;  // NOLINT(google-runtime-int): as scanf wants it
  if (FILE* file = std::fopen("/proc/self/statm", "re"); file != nullptr) {
    if (std::fscanf(file, "%lu", &pages) == 1) {
      limit(RLIMIT_AS, rlim_t{pages} * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + kChildMemoryMax);
    }
    std::fclose(file);
  }
  // What a library prints while it dies is no message for anybody.
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  for (const int number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) std::signal(number, SIG_DFL);
}

}  // namespace

std::optional<FlopsEstimate> EstimateFlops(const onnx::ModelProto& model, Size open_size) {
  static_assert(std::is_trivially_copyable_v<FlopsEstimate>, "travels through a pipe");
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  const auto close_it = absl::MakeCleanup([&] { close(ends[0]); });
  const pid_t child = fork();
  if (child == 0) {
    LimitThisProcess();
    onnx::ModelProto copy(model);
    const FlopsEstimate estimate = Count(&copy, open_size);
    const bool written =
        write(ends[1], &estimate, sizeof(estimate)) == static_cast<ssize_t>(sizeof(estimate));
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  if (child < 0) return std::nullopt;
  FlopsEstimate estimate;
  pollfd ready = {ends[0], POLLIN, 0};
  // Any outcome but one whole record means that the child died or did not finish; a record fits the pipe at
  // once.
  const bool answered = poll(&ready, 1, kTimeoutMs) == 1 &&
                        read(ends[0], &estimate, sizeof(estimate)) == static_cast<ssize_t>(sizeof(estimate));
  if (!answered) kill(child, SIGKILL);
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return answered ? std::optional(estimate) : std::nullopt;
}

}  // namespace sightline::registry
