#include "stages/postprocess/signature.h"

#include <algorithm>

#include "base/status.h"
#include "base/text.h"
#include "stages/postprocess/grid.h"

namespace sightline::postprocess {
namespace {

constexpr int64_t kSideMax = 65'500;
constexpr size_t kLabelsMax = 100'000;

int FixedSide(int64_t extent) { return extent >= 1 && extent <= kSideMax ? static_cast<int>(extent) : 0; }

// imgsz is "[height, width]" or "640".
Size MetadataSize(const GraphSignature& graph) {
  const std::vector<int> sides = ParseIntegers(Metadata(graph, "imgsz"), 3);
  if (sides.size() == 1) return {FixedSide(sides[0]), FixedSide(sides[0])};
  return sides.size() == 2 ? Size{FixedSide(sides[1]), FixedSide(sides[0])} : Size{};
}

// Reads a quoted string at the start of `text` and moves past it. Escapes: \\ \' \" \n \t; others stay as
// they are.
std::optional<std::string> TakeQuoted(std::string_view* text) {
  if (text->empty() || (text->front() != '\'' && text->front() != '"')) return std::nullopt;
  const char quote = text->front();
  std::string value;
  for (size_t i = 1; i < text->size(); ++i) {
    const char c = (*text)[i];
    if (c == quote) {
      text->remove_prefix(i + 1);
      return ToValidUtf8(value);
    }
    if (c == '\\' && i + 1 < text->size()) {
      const char escaped = (*text)[++i];
      if (escaped != '\\' && escaped != '\'' && escaped != '"' && escaped != 'n' && escaped != 't')
        value += c;
      value += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
    } else {
      value += c;
    }
  }
  return std::nullopt;
}

void SkipSpace(std::string_view* text) {
  const size_t begin = text->find_first_not_of(" \t\r\n");
  text->remove_prefix(begin == std::string_view::npos ? text->size() : begin);
}

bool Take(char c, std::string_view* text) {
  SkipSpace(text);
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

// A dict's key: 7, '7' or "7".
std::optional<int64_t> TakeIndex(std::string_view* text) {
  SkipSpace(text);
  if (const auto quoted = TakeQuoted(text)) return ParseInteger(Trim(*quoted));
  size_t digits = 0;
  while (digits < text->size() && (*text)[digits] >= '0' && (*text)[digits] <= '9') ++digits;
  const auto index = ParseInteger(text->substr(0, digits));
  text->remove_prefix(digits);
  return index;
}

}  // namespace

std::optional<PictureInput> FindPictureInput(const GraphSignature& graph) {
  for (const TensorSpec& spec : graph.inputs) {
    if (spec.shape.size() != 4) continue;
    const auto is_channels = [](int64_t extent) { return extent == 1 || extent == 3; };
    PictureInput picture{&spec, TensorLayout::kNchw, 3, {}};
    if (is_channels(spec.shape[1])) {
      picture.channels = static_cast<int>(spec.shape[1]);
    } else if (is_channels(spec.shape[3])) {
      picture.layout = TensorLayout::kNhwc;
      picture.channels = static_cast<int>(spec.shape[3]);
    } else if (spec.shape[1] >= 0) {
      continue;  // neither place can hold colours
    }
    const int row_axis = picture.layout == TensorLayout::kNchw ? 2 : 1;
    picture.size = {FixedSide(spec.shape[row_axis + 1]), FixedSide(spec.shape[row_axis])};
    return picture;
  }
  return std::nullopt;
}

Recognition StartRecognition(std::string_view family, const GraphSignature& graph,
                             const PictureInput& picture, Size open_size) {
  Recognition recognition;
  recognition.head.family = family;
  InputCard& input = recognition.input;
  if (graph.inputs.size() > 1) {
    input.name = picture.spec->name;
    recognition.unknown.push_back(fmt::format("inputs: the graph has {}; only {} (the picture) can be fed",
                                              graph.inputs.size(), picture.spec->name));
  }
  input.layout = picture.layout;
  input.type = picture.spec->type;
  if (input.type != ElementType::kFloat32 && input.type != ElementType::kFloat16 &&
      input.type != ElementType::kUint8) {
    recognition.unknown.push_back(
        fmt::format("input.type: the graph takes {}, which cannot be fed", Name(picture.spec->type)));
  }
  if (picture.channels == 1) input.color = ColorOrder::kGray;
  input.width = picture.size.width;
  input.height = picture.size.height;
  if (const auto strides = ParseIntegers(Metadata(graph, "stride"), 16); !strides.empty()) {
    input.size_multiple = std::clamp(*std::max_element(strides.begin(), strides.end()), 1, 1024);
  }
  if (input.width > 0 && input.height > 0) return recognition;
  const Size told = MetadataSize(graph);
  const Size size = told.empty() ? open_size : told;
  if (size.empty()) return recognition;
  if (input.width == 0) input.width = size.width;
  if (input.height == 0) input.height = size.height;
  if (told.empty()) {
    recognition.unknown.push_back(
        fmt::format("input size: the graph leaves it open; {}x{} is assumed (--set "
                    "input.width=... --set input.height=..., 0 to follow the picture)",
                    input.width, input.height));
  }
  return recognition;
}

void SetCustomary(const InputCustom& custom, Recognition* recognition) {
  InputCard& input = recognition->input;
  const bool gray = input.color == ColorOrder::kGray;
  input.resize = custom.resize;
  input.anchor = custom.anchor;
  input.pad = {custom.pad, custom.pad, custom.pad};
  if (!gray) input.color = custom.color;
  if (input.type == ElementType::kUint8) return;  // such graphs normalise by themselves
  input.scale = custom.scale;
  input.mean = custom.mean;
  input.std = custom.std;
  if (gray) {  // one channel: the middle one's values stand for all
    input.mean.fill(custom.mean[1]);
    input.std.fill(custom.std[1]);
  }
}

InputCustom ImageNetInput(ResizeMode resize) {
  return {ColorOrder::kRgb,        resize, LetterboxAnchor::kCenter, 114, 1 / 255.f, {0.485f, 0.456f, 0.406f},
          {0.229f, 0.224f, 0.225f}};
}

void SetLabels(const GraphSignature& graph, int64_t classes, std::vector<std::string> customary,
               Recognition* recognition) {
  std::vector<std::string>& labels = recognition->head.labels;
  labels = MetadataLabels(graph);
  const auto fits = [classes](const std::vector<std::string>& names) {
    return !names.empty() && (classes < 0 || static_cast<int64_t>(names.size()) == classes);
  };
  if (fits(labels)) return;
  if (!labels.empty()) {
    recognition->unknown.push_back(
        fmt::format("labels: the metadata names {} classes, but the graph has {}", labels.size(), classes));
  }
  labels.clear();
  if (fits(customary)) {
    labels = std::move(customary);
  } else if (classes < 0) {
    recognition->unknown.emplace_back("labels: the graph leaves the number of classes open and has no names");
  } else if (classes == 80) {
    recognition->unknown.emplace_back(
        "labels: the graph has 80 classes and no names (COCO has 80: --labels coco80)");
  } else {
    recognition->unknown.push_back(
        fmt::format("labels: the graph has {} classes and no names (--labels FILE)", classes));
  }
}

std::string_view Metadata(const GraphSignature& graph, std::string_view key) {
  const auto found = graph.metadata.find(std::string(key));
  return found == graph.metadata.end() ? std::string_view() : std::string_view(found->second);
}

std::vector<std::string> MetadataLabels(const GraphSignature& graph) {
  for (const std::string_view key : {"names", "classes", "labels"}) {
    std::vector<std::string> names = ParseNames(Metadata(graph, key));
    if (!names.empty()) return names;
  }
  return {};
}

bool IsUltralytics(const GraphSignature& graph) {
  return Lower(Metadata(graph, "author")) == "ultralytics" ||
         Lower(Metadata(graph, "description")).find("ultralytics") != std::string::npos ||
         (!Metadata(graph, "names").empty() && !Metadata(graph, "stride").empty());
}

int64_t CellsOf(Size size, absl::Span<const int> strides) {
  return size.empty() ? -1 : CellCount(MakeLevels(size, strides));
}

absl::StatusOr<std::optional<Recognition>> DoesNotFit(bool forced, std::string_view family,
                                                      std::string_view why) {
  if (!forced) return std::optional<Recognition>();
  return absl::InvalidArgumentError(fmt::format("the graph is no {}: {}", family, why));
}

std::vector<std::string> ParseNames(std::string_view text) {
  std::vector<std::string> names;
  if (Take('[', &text) || Take('(', &text)) {
    while (names.size() < kLabelsMax) {
      SkipSpace(&text);
      auto name = TakeQuoted(&text);
      if (!name) break;
      names.push_back(*std::move(name));
      if (!Take(',', &text)) break;
    }
    return Take(']', &text) || Take(')', &text) ? names : std::vector<std::string>();
  }
  if (!Take('{', &text)) return {};
  std::vector<bool> seen;
  size_t found = 0;
  while (found < kLabelsMax) {
    SkipSpace(&text);
    if (text.empty() || text.front() == '}') break;
    const auto index = TakeIndex(&text);
    if (!index || *index < 0 || *index >= static_cast<int64_t>(kLabelsMax) || !Take(':', &text)) return {};
    SkipSpace(&text);
    auto name = TakeQuoted(&text);
    if (!name) return {};
    if (static_cast<size_t>(*index) >= names.size()) {
      names.resize(*index + 1);
      seen.resize(*index + 1);
    }
    if (seen[*index]) return {};
    seen[*index] = true;
    names[*index] = *std::move(name);
    ++found;
    if (!Take(',', &text)) break;
  }
  return Take('}', &text) && found == names.size() ? names : std::vector<std::string>();
}

std::vector<int> ParseIntegers(std::string_view text, size_t count_max) {
  std::vector<int> numbers;
  size_t i = 0;
  while (i < text.size() && numbers.size() < count_max) {
    size_t end = i;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    if (end == i) {
      ++i;
      continue;
    }
    const auto number = ParseInteger(text.substr(i, end - i));
    if (number && *number <= 1'000'000) numbers.push_back(static_cast<int>(*number));
    // A fraction is no whole number: "32.0" is 32.
    if (end < text.size() && text[end] == '.') {
      ++end;
      while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    }
    i = end;
  }
  return numbers;
}

}  // namespace sightline::postprocess
