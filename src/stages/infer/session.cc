#include "stages/infer/session.h"

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

// Does the opened graph run at its original size with the shapes of the original, and at half that height
// with half the positions in every output?
bool RunsAtOtherSizes(const Session& opened, const Session& original) {
  const TensorSpec& input = original.inputs()[0];
  Shape whole = input.shape;
  if (whole[0] < 0) whole[0] = 1;
  const size_t height = whole[1] == 1 || whole[1] == 3 ? 2 : 1;
  Shape half = whole;
  half[height] /= 2;
  if (whole[height] % 64 != 0 && whole[height] % 32 == 0) half[height] = (whole[height] / 32 / 2 + 1) * 32;
  const auto at_whole = OutputShapesAt(opened, whole), at_half = OutputShapesAt(opened, half);
  if (!at_whole.ok() || !at_half.ok()) return false;
  for (size_t i = 0; i < at_whole->size(); ++i) {
    const Shape& declared = original.outputs()[i].shape;
    if (ElementCount(declared) > 0 && !declared.empty() && (*at_whole)[i] != declared) return false;
    const int64_t positions = ElementCount((*at_whole)[i]), fewer = ElementCount((*at_half)[i]);
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
