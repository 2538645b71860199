// ONNX Runtime's reasons for refusing a model, in words for the person who has the model.
#pragma once

#include <string>
#include <string_view>

namespace sightline::infer {

// `message` as ONNX Runtime gave it; the result goes after "cannot load PATH: ".
std::string ExplainLoadError(std::string_view message, std::string_view runtime_version);

}  // namespace sightline::infer
