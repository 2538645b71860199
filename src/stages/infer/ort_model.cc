#include "stages/infer/ort_model.h"

#include <onnxruntime_cxx_api.h>
#include <onnxruntime_session_options_config_keys.h>

#include <new>

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"
#include "stages/infer/denormals.h"
#include "stages/infer/load_error.h"

namespace sightline::infer {
namespace {

constexpr size_t kTensorsMax = 1024;  // inputs or outputs of one model

// While a thread only tries whether a graph runs, that it does not is no news.
thread_local bool trying = false;

void ForwardLog(void*, OrtLoggingLevel severity, const char*, const char*, const char*, const char* message) {
  // Its warnings are about its own optimisations; nobody but us can act on them.
  spdlog::log(severity >= ORT_LOGGING_LEVEL_ERROR && !trying ? spdlog::level::warn : spdlog::level::debug,
              "onnxruntime: {}", message);
}

// One for the process, with one memory arena for all sessions. Never destroyed: sessions in static storage
// may outlive any order that we could choose.
const Ort::Env& Environment() {
  static const Ort::Env* environment = [] {
    auto* made = new Ort::Env(ORT_LOGGING_LEVEL_WARNING, "sightline", ForwardLog, nullptr);
    made->DisableTelemetryEvents();
    return made;
  }();
  return *environment;
}

const Ort::MemoryInfo& CpuMemory() {
  static const auto* memory =
      new Ort::MemoryInfo(Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault));
  return *memory;
}

struct TypePair {
  ElementType ours;
  ONNXTensorElementDataType theirs;
};
constexpr TypePair kTypes[] = {
    {ElementType::kFloat32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
    {ElementType::kFloat16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16},
    {ElementType::kUint8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8},
    {ElementType::kInt8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8},
    {ElementType::kInt32, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
    {ElementType::kInt64, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64},
    {ElementType::kBool, ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL},
    {ElementType::kFloat64, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE},
};

ElementType FromRuntime(ONNXTensorElementDataType type) {
  for (const TypePair& pair : kTypes) {
    if (pair.theirs == type) return pair.ours;
  }
  return ElementType::kOther;
}

ONNXTensorElementDataType ToRuntime(ElementType type) {
  for (const TypePair& pair : kTypes) {
    if (pair.ours == type) return pair.theirs;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

// What ONNX Runtime threw at Run, as a status.
absl::Status FromException(const Ort::Exception& error, std::string_view what) {
  const std::string message = fmt::format("{}: {}", what, ToValidUtf8(error.what()));
  switch (error.GetOrtErrorCode()) {
    case ORT_INVALID_ARGUMENT:
      return absl::InvalidArgumentError(message);
    case ORT_NOT_IMPLEMENTED:
      return absl::UnimplementedError(message);
    default:
      return absl::InternalError(message);
  }
}

absl::StatusOr<TensorSpec> ReadSpec(const Ort::TypeInfo& type, std::string name, std::string_view role) {
  if (type.GetONNXType() != ONNX_TYPE_TENSOR) {
    return absl::InvalidArgumentError(fmt::format(
        "its {} '{}' is no tensor (a sequence, map or optional); only tensors can be used", role, name));
  }
  const auto tensor = type.GetTensorTypeAndShapeInfo();
  TensorSpec spec;
  spec.name = std::move(name);
  spec.type = FromRuntime(tensor.GetElementType());
  if (spec.type == ElementType::kOther) {
    return absl::InvalidArgumentError(
        fmt::format("its {} '{}' has an element type that cannot be used here", role, spec.name));
  }
  const std::vector<int64_t> shape = tensor.GetShape();
  std::vector<const char*> symbols(shape.size(), nullptr);
  tensor.GetSymbolicDimensions(symbols.data(), symbols.size());
  for (size_t i = 0; i < shape.size(); ++i) {
    spec.shape.push_back(shape[i] < 0 ? -1 : shape[i]);
    spec.dimension_names.push_back(shape[i] < 0 && symbols[i] != nullptr ? ToValidUtf8(symbols[i]) : "");
  }
  return spec;
}

// A rank of 0 may also mean that the graph does not say.
bool IsFixed(const Shape& shape) {
  return !shape.empty() && std::all_of(shape.begin(), shape.end(), [](int64_t extent) { return extent > 0; });
}

Ort::SessionOptions MakeOptions(const SessionOptions& asked, const std::filesystem::path& folder) {
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(std::max(asked.threads, 1));
  options.SetInterOpNumThreads(1);
  options.SetExecutionMode(ORT_SEQUENTIAL);
  options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
  options.AddConfigEntry(kOrtSessionOptionsConfigAllowIntraOpSpinning, "0");
  options.AddConfigEntry(kOrtSessionOptionsConfigAllowInterOpSpinning, "0");
  options.AddConfigEntry(kOrtSessionOptionsConfigSetDenormalAsZero, "1");
  options.AddConfigEntry(kOrtSessionOptionsConfigLoadModelFormat, "ONNX");
  const std::string here = folder.empty() ? "." : folder.string();
  options.AddConfigEntry(kOrtSessionOptionsModelExternalInitializersFileFolderPath, here.c_str());
  if (!asked.profile_prefix.empty()) options.EnableProfiling(asked.profile_prefix.c_str());
  return options;
}

class OrtModel final : public Session, public std::enable_shared_from_this<OrtModel> {
 public:
  explicit OrtModel(Ort::Session session) : session_(std::move(session)) {}

  absl::Status ReadSpecs() {
    Ort::AllocatorWithDefaultOptions allocator;
    const size_t input_count = session_.GetInputCount(), output_count = session_.GetOutputCount();
    if (input_count == 0 || output_count == 0)
      return absl::InvalidArgumentError("it has no inputs or no outputs");
    if (input_count > kTensorsMax || output_count > kTensorsMax) {
      return absl::InvalidArgumentError(fmt::format("it has more than {} inputs or outputs", kTensorsMax));
    }
    for (size_t i = 0; i < input_count; ++i) {
      ASSIGN_OR_RETURN(TensorSpec spec,
                       ReadSpec(session_.GetInputTypeInfo(i),
                                session_.GetInputNameAllocated(i, allocator).get(), "input"));
      inputs_.push_back(std::move(spec));
    }
    for (size_t i = 0; i < output_count; ++i) {
      ASSIGN_OR_RETURN(TensorSpec spec,
                       ReadSpec(session_.GetOutputTypeInfo(i),
                                session_.GetOutputNameAllocated(i, allocator).get(), "output"));
      outputs_.push_back(std::move(spec));
    }
    for (const TensorSpec& spec : inputs_) input_names_.push_back(spec.name.c_str());
    for (const TensorSpec& spec : outputs_) output_names_.push_back(spec.name.c_str());
    return absl::OkStatus();
  }

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  std::unique_ptr<Runner> NewRunner() const override;

  // Run is documented as safe from several threads; its C++ wrapper merely lacks the const.
  Ort::Session& session() const { return session_; }
  const char* const* input_names() const { return input_names_.data(); }
  const char* const* output_names() const { return output_names_.data(); }

 private:
  mutable Ort::Session session_;
  std::vector<TensorSpec> inputs_, outputs_;
  std::vector<const char*> input_names_, output_names_;
};

// Outputs of fixed shape are written straight into our own memory, once a first Run has shown that they have
// the shape that the graph declares (exporters get it wrong, and ONNX Runtime refuses memory of another
// size); the others are ONNX Runtime's until the next Run.
class OrtRunner final : public Session::Runner {
 public:
  explicit OrtRunner(std::shared_ptr<const OrtModel> model) : model_(std::move(model)) {
    bound_.resize(model_->inputs().size());
    for (size_t i = 0; i < bound_.size(); ++i) input_values_.emplace_back(nullptr);
    const auto& outputs = model_->outputs();
    memory_.resize(outputs.size());
    views_.resize(outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      output_values_.emplace_back(nullptr);
      views_[i].type = outputs[i].type;
    }
  }

  absl::StatusOr<absl::Span<const TensorView>> Run(absl::Span<const TensorView> inputs) override {
    RETURN_IF_ERROR(Check(inputs));
    try {
      for (size_t i = 0; i < inputs.size(); ++i) Bind(i, inputs[i]);
      for (size_t i = 0; i < views_.size(); ++i) {
        if (!IsOurs(i)) output_values_[i] = Ort::Value(nullptr);
      }
      if (runs_ == 1) AdoptOutputs();
      const DenormalsAsZero guard;
      model_->session().Run(run_options_, model_->input_names(), input_values_.data(), input_values_.size(),
                            model_->output_names(), output_values_.data(), output_values_.size());
      for (size_t i = 0; i < views_.size(); ++i) {
        if (!IsOurs(i)) RETURN_IF_ERROR(Expose(i));
      }
      if (runs_ < 2) ++runs_;
    } catch (const Ort::Exception& error) {
      return FromException(error, "the model failed");
    } catch (const std::bad_alloc&) {
      return absl::ResourceExhaustedError("out of memory while the model ran");
    }
    return absl::Span<const TensorView>(views_);
  }

 private:
  bool IsOurs(size_t output) const { return memory_[output].view().data != nullptr; }

  void AdoptOutputs() {
    const auto& outputs = model_->outputs();
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!IsFixed(outputs[i].shape) || views_[i].shape != outputs[i].shape) continue;
      memory_[i].Reset(outputs[i].type, outputs[i].shape);
      views_[i] = memory_[i].view();
      output_values_[i] = Wrap(views_[i]);
    }
  }

  static Ort::Value Wrap(const TensorView& view) {
    const size_t bytes = static_cast<size_t>(view.elements()) * BytesOf(view.type);
    return Ort::Value::CreateTensor(CpuMemory(), view.data, bytes, view.shape.data(), view.shape.size(),
                                    ToRuntime(view.type));
  }

  absl::Status Check(absl::Span<const TensorView> given) const {
    const auto& wanted = model_->inputs();
    if (given.size() != wanted.size()) {
      return absl::InvalidArgumentError(
          fmt::format("{} inputs given, the model has {}", given.size(), wanted.size()));
    }
    for (size_t i = 0; i < given.size(); ++i) {
      bool fits = given[i].type == wanted[i].type && given[i].shape.size() == wanted[i].shape.size() &&
                  given[i].elements() >= 0 && (given[i].data != nullptr || given[i].elements() == 0);
      for (size_t d = 0; fits && d < given[i].shape.size(); ++d) {
        fits = wanted[i].shape[d] < 0 || wanted[i].shape[d] == given[i].shape[d];
      }
      if (!fits) {
        return absl::InvalidArgumentError(fmt::format("input '{}' takes {} {}, not {} {}", wanted[i].name,
                                                      Name(wanted[i].type), ToString(wanted[i].shape),
                                                      Name(given[i].type), ToString(given[i].shape)));
      }
    }
    return absl::OkStatus();
  }

  // The same memory as in the last Run, which is the rule, keeps its wrapper.
  void Bind(size_t index, const TensorView& view) {
    TensorView& bound = bound_[index];
    if (input_values_[index] && bound.data == view.data && bound.type == view.type &&
        bound.shape == view.shape)
      return;
    input_values_[index] = Wrap(view);
    bound = view;
  }

  absl::Status Expose(size_t index) {
    Ort::Value& value = output_values_[index];
    if (!value || !value.IsTensor()) {
      return absl::InternalError(
          fmt::format("output '{}' came without a value", model_->outputs()[index].name));
    }
    // The C interface, because the C++ one makes a vector for the shape.
    const Ort::TensorTypeAndShapeInfo shape_info = value.GetTensorTypeAndShapeInfo();
    const size_t rank = shape_info.GetDimensionsCount();
    TensorView& view = views_[index];
    view.shape.resize(rank);
    Ort::ThrowOnError(Ort::GetApi().GetDimensions(shape_info, view.shape.data(), rank));
    view.data = value.GetTensorMutableRawData();
    return absl::OkStatus();
  }

  std::shared_ptr<const OrtModel> model_;
  Ort::RunOptions run_options_;
  int runs_ = 0;                   // 0, 1, or 2 for more
  std::vector<Tensor> memory_;     // of adopted outputs; empty for others
  std::vector<TensorView> bound_;  // what input_values_ wrap
  std::vector<TensorView> views_;
  std::vector<Ort::Value> input_values_, output_values_;
};

std::unique_ptr<Session::Runner> OrtModel::NewRunner() const {
  return std::make_unique<OrtRunner>(shared_from_this());
}

}  // namespace

QuietTrial::QuietTrial() { trying = true; }
QuietTrial::~QuietTrial() { trying = false; }

absl::StatusOr<std::shared_ptr<const Session>> LoadOrtModel(absl::Span<const uint8_t> bytes,
                                                            const std::filesystem::path& model,
                                                            const SessionOptions& options) {
  const std::string context = fmt::format("cannot load {}", model.string());
  try {
    auto loaded = std::make_shared<OrtModel>(
        Ort::Session(Environment(), bytes.data(), bytes.size(), MakeOptions(options, model.parent_path())));
    RETURN_IF_ERROR(Annotate(loaded->ReadSpecs(), context));
    return std::shared_ptr<const Session>(std::move(loaded));
  } catch (const Ort::Exception& error) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {}", context, ExplainLoadError(error.what(), Ort::GetVersionString())));
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(fmt::format("{}: out of memory", context));
  } catch (const std::exception& error) {
    return absl::InternalError(fmt::format("{}: {}", context, ToValidUtf8(error.what())));
  }
}

}  // namespace sightline::infer
