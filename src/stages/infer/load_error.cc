#include "stages/infer/load_error.h"

#include "base/text.h"

namespace sightline::infer {
namespace {

// The text between two marks; "" where they do not both occur.
std::string_view Between(std::string_view text, std::string_view before, std::string_view after) {
  size_t begin = text.find(before);
  if (begin == std::string_view::npos) return {};
  begin += before.size();
  const size_t end = text.find(after, begin);
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end - begin);
}

// Without the source file, line and function that ONNX Runtime puts in front: "/onnxruntime_src/…/x.cc:123
// void f() ".
std::string_view WithoutOrigin(std::string_view text) {
  const size_t source = text.find("/onnxruntime_src/");
  if (source == std::string_view::npos) return text;
  for (const std::string_view mark : {") const ", ") "}) {
    const size_t end = text.find(mark, source);
    if (end != std::string_view::npos) return text.substr(end + mark.size());
  }
  return text;
}

bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

std::string ExplainLoadError(std::string_view message, std::string_view runtime_version) {
  // "Error No Op registered for Foo with domain_version of 13"
  if (const auto op = Between(message, "No Op registered for ", " with domain_version"); !op.empty()) {
    return fmt::format("unknown operator {}: ONNX Runtime {} has none of this name in that opset", op,
                       runtime_version);
  }
  // "Fatal error: com.foo:Bar(-1) is not a registered function/op"
  if (const auto op = Between(message, "Fatal error: ", " is not a registered function/op"); !op.empty()) {
    return fmt::format(
        "unknown operator {}: ONNX Runtime {} does not have it (a custom or vendor operator; export the "
        "model with standard operators)",
        op.substr(0, op.find('(')), runtime_version);
  }
  // "Could not find an implementation for Foo(13) node with name 'x'"
  if (const auto op = Between(message, "Could not find an implementation for ", " node with name");
      !op.empty()) {
    return fmt::format("operator {} is not implemented for these element types on the CPU (ONNX Runtime {})",
                       op.substr(0, op.find('(')), runtime_version);
  }
  if (const auto opset = Between(message, "Opset ", " is under development"); !opset.empty()) {
    return fmt::format(
        "its opset {} is newer than ONNX Runtime {} supports: export the model with an older opset", opset,
        runtime_version);
  }
  if (Has(message, "Unsupported model IR version")) {
    return fmt::format("its ONNX IR version is newer than ONNX Runtime {} supports: {}", runtime_version,
                       message);
  }
  if (Has(message, "ModelProto does not have a graph")) return "it has no graph: cut, or no ONNX file";
  if (Has(message, "Protobuf parsing failed") || Has(message, "Failed to load model because protobuf")) {
    return "the file is cut, damaged, or no ONNX file (its protobuf does not parse)";
  }
  std::string text = ToValidUtf8(WithoutOrigin(message));
  if (text.size() > 600) text = text.substr(0, 600) + "…";
  return ToValidUtf8(Trim(text));
}

}  // namespace sightline::infer
