// A loaded model: tensors in, tensors out. ONNX Runtime behind it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/tensor.h"

namespace sightline::infer {

struct SessionOptions {
  int threads = 1;  // inside one Run; workers call Run concurrently instead
  uint64_t model_bytes_max = 4ull << 30;
  std::string profile_prefix;  // "" for none: ONNX Runtime writes PREFIX_<time>.json
  // Try to open the fixed height and width of the graph's picture input (see open_size.h). Where the graph
  // does not run at another size it is loaded as it is: inputs() tells.
  bool open_size = false;
};

// Threads: const; Run may be called from any number of threads at once, each with its own Runner.
// Errors: InvalidArgument (cut or no ONNX file, unknown operators; says which), PermissionDenied (external
// data outside the model's folder: .., absolute, or through a link), NotFound.
class Session {
 public:
  static absl::StatusOr<std::shared_ptr<const Session>> Load(const std::filesystem::path& model,
                                                             const SessionOptions& options);
  virtual ~Session() = default;
  virtual const std::vector<TensorSpec>& inputs() const = 0;
  virtual const std::vector<TensorSpec>& outputs() const = 0;

  // A thread's own place to run: keeps bindings and output memory from one call to the next.
  class Runner {
   public:
    virtual ~Runner() = default;
    // `inputs` in the order of inputs(). The outputs, in the order of outputs(), are valid until the next
    // Run.
    virtual absl::StatusOr<absl::Span<const TensorView>> Run(absl::Span<const TensorView> inputs) = 0;
  };
  // The runner keeps the session alive.
  virtual std::unique_ptr<Runner> NewRunner() const = 0;
};

}  // namespace sightline::infer
