// Reading a graph's signature: what families are recognised from, and how their customary cards start.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stages/postprocess/head.h"

namespace sightline::postprocess {

// The graph's picture: its first input of four axes with 1 or 3 channels. Extents are 0 where the graph
// leaves them open.
struct PictureInput {
  const TensorSpec* spec = nullptr;
  TensorLayout layout = TensorLayout::kNchw;
  int channels = 3;
  Size size;
};
std::optional<PictureInput> FindPictureInput(const GraphSignature& graph);

// A Recognition whose input has what the graph fixes: name, layout, type, size, grey for one channel. Open
// sizes take the size in the metadata, else `open_size`, else (empty) stay open; what was assumed goes to
// `unknown`.
Recognition StartRecognition(std::string_view family, const GraphSignature& graph,
                             const PictureInput& picture, Size open_size);

// Customary input values; grey and uint8 inputs keep what fits them (called after StartRecognition).
struct InputCustom {
  ColorOrder color = ColorOrder::kRgb;
  ResizeMode resize = ResizeMode::kLetterbox;
  LetterboxAnchor anchor = LetterboxAnchor::kCenter;
  float pad = 0;
  float scale = 1;
  std::array<float, 3> mean = {0, 0, 0};
  std::array<float, 3> std = {1, 1, 1};
};
void SetCustomary(const InputCustom& custom, Recognition* recognition);
// RGB, (x / 255 - mean) / std with the means of ImageNet.
InputCustom ImageNetInput(ResizeMode resize);

// Labels from the metadata (`names`), else `customary` when their number fits, else none and a line in
// `unknown`.
void SetLabels(const GraphSignature& graph, int64_t classes, std::vector<std::string> customary,
               Recognition* recognition);

// "" where the file has no such property.
std::string_view Metadata(const GraphSignature& graph, std::string_view key);
// The file's own names for its classes. Understands what exporters write: a Python dict or list, JSON. Empty
// when there are none or they are not the classes 0..n-1.
std::vector<std::string> MetadataLabels(const GraphSignature& graph);
// Written by an Ultralytics exporter (or one that copies its properties).
bool IsUltralytics(const GraphSignature& graph);

// Cells of all strides; -1 when the size is open.
int64_t CellsOf(Size size, absl::Span<const int> strides);

// The graph does not fit: nullopt, or with `forced` the reason as InvalidArgument.
absl::StatusOr<std::optional<Recognition>> DoesNotFit(bool forced, std::string_view family,
                                                      std::string_view why);

// Exposed for tests: class names from text such as {0: 'person', 1: "driver's seat"} or ['a', 'b'].
std::vector<std::string> ParseNames(std::string_view text);
// All whole numbers in text such as "[640, 480]"; at most `count_max`.
std::vector<int> ParseIntegers(std::string_view text, size_t count_max);

}  // namespace sightline::postprocess
