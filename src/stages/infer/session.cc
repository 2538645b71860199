#include "stages/infer/session.h"

#include <algorithm>
#include <cstring>

#include "base/status.h"
#include "base/text.h"
#include "stages/infer/external_data.h"
#include "stages/infer/model_file.h"
#include "stages/infer/open_size.h"
#include "stages/infer/ort_model.h"

namespace sightline::infer {
namespace {

// Runs a graph on grey pictures of a given size.
absl::StatusOr<std::vector<Shape>> OutputShapesAt(const Session& model, const Shape& input) {
  Tensor tensor;
  tensor.Reset(model.inputs()[0].type, input);
  std::memset(tensor.view().data, 0,
              static_cast<size_t>(tensor.view().elements()) * BytesOf(tensor.view().type));
  const auto runner = model.NewRunner();
  const TensorView view = tensor.view();
  ASSIGN_OR_RETURN(const auto outputs, runner->Run({&view, 1}));
  std::vector<Shape> shapes;
  for (const TensorView& output : outputs) shapes.push_back(output.shape);
  return shapes;
}

bool IsFixed(const Shape& shape) { return !shape.empty() && ElementCount(shape) > 0; }

// Does the opened graph run at about half its original height, with as much less in every output? What it
// gives at the original height is what the original declares, or where that is open, what a run says.
bool RunsAtOtherSizes(const Session& opened, const Session& original) {
  Shape whole = original.inputs()[0].shape;
  if (whole[0] < 0) whole[0] = 1;
  const size_t height = whole[1] == 1 || whole[1] == 3 ? 2 : 1;
  Shape half = whole;
  half[height] = (whole[height] / 64 + 1) * 32;  // coarse grids have strides of 32
  if (half[height] >= whole[height]) return false;
  const auto at_half = OutputShapesAt(opened, half);
  if (!at_half.ok()) return false;
  std::vector<Shape> at_whole;
  for (const TensorSpec& output : original.outputs()) at_whole.push_back(output.shape);
  if (!std::all_of(at_whole.begin(), at_whole.end(), IsFixed)) {
    auto run = OutputShapesAt(opened, whole);
    if (!run.ok()) return false;
    at_whole = *std::move(run);
  }
  for (size_t i = 0; i < at_whole.size(); ++i) {
    const int64_t positions = ElementCount(at_whole[i]), fewer = ElementCount((*at_half)[i]);
    if (fewer * whole[height] != positions * half[height]) return false;
  }
  return true;
}

// The graph with open size; nullptr where it can't be had.
std::shared_ptr<const Session> LoadOpened(absl::Span<const uint8_t> bytes, const std::filesystem::path& model,
                                          const SessionOptions& options, const Session& original) {
  const std::optional<Bytes> rewritten = OpenInputSize(bytes);
  if (!rewritten || original.inputs().size() != 1) return nullptr;
  const QuietTrial trial;
  auto opened = LoadOrtModel(*rewritten, model, options);
  if (!opened.ok() || !RunsAtOtherSizes(**opened, original)) return nullptr;
  return *std::move(opened);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Session>> Session::Load(const std::filesystem::path& model,
                                                             const SessionOptions& options) {
  ASSIGN_OR_RETURN(const Bytes bytes, ReadModelFile(model, options.model_bytes_max));
  // Before ONNX Runtime sees a byte: it would open whatever the file names.
  if (const auto external = CheckExternalData(bytes, model.parent_path()); !external.ok()) {
    return Annotate(external.status(), fmt::format("cannot load {}", model.string()));
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const Session> loaded, LoadOrtModel(bytes, model, options));
  if (options.open_size) {
    if (auto opened = LoadOpened(bytes, model, options, *loaded)) loaded = std::move(opened);
  }
  return loaded;
}

}  // namespace sightline::infer
