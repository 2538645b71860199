#include "pipeline/spec/labels.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace sightline::pipeline {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kLabelsMax = 50'000;

// The 80 classes of COCO in the order in which detectors trained on it give them.
const std::vector<std::string>& Coco80() {
  static const auto* labels = new std::vector<std::string>{"person",        "bicycle",      "car",
                                                           "motorcycle",    "airplane",     "bus",
                                                           "train",         "truck",        "boat",
                                                           "traffic light", "fire hydrant", "stop sign",
                                                           "parking meter", "bench",        "bird",
                                                           "cat",           "dog",          "horse",
                                                           "sheep",         "cow",          "elephant",
                                                           "bear",          "zebra",        "giraffe",
                                                           "backpack",      "umbrella",     "handbag",
                                                           "tie",           "suitcase",     "frisbee",
                                                           "skis",          "snowboard",    "sports ball",
                                                           "kite",          "baseball bat", "baseball glove",
                                                           "skateboard",    "surfboard",    "tennis racket",
                                                           "bottle",        "wine glass",   "cup",
                                                           "fork",          "knife",        "spoon",
                                                           "bowl",          "banana",       "apple",
                                                           "sandwich",      "orange",       "broccoli",
                                                           "carrot",        "hot dog",      "pizza",
                                                           "donut",         "cake",         "chair",
                                                           "couch",         "potted plant", "bed",
                                                           "dining table",  "toilet",       "tv",
                                                           "laptop",        "mouse",        "remote",
                                                           "keyboard",      "cell phone",   "microwave",
                                                           "oven",          "toaster",      "sink",
                                                           "refrigerator",  "book",         "clock",
                                                           "vase",          "scissors",     "teddy bear",
                                                           "hair drier",    "toothbrush"};
  return *labels;
}

class LabelsType : public Type {
 public:
  void Read(const Node& node, const std::string& path, Report* report, void* value) const override {
    auto* labels = static_cast<std::vector<std::string>*>(value);
    if (node.items.size() > kLabelsMax) {
      return report->At(node, path, fmt::format("{} classes; at most {}", node.items.size(), kLabelsMax));
    }
    switch (node.kind) {
      case Node::Kind::kScalar:
        return ReadName(node, path, report, labels);
      case Node::Kind::kList:
        return names_.type->Read(node, path, report, labels);
      case Node::Kind::kMap:
        return ReadMap(node, path, report, labels);
      case Node::Kind::kNull:
        break;
    }
    report->At(node, path, fmt::format("wanted {}, found {}", Words(), node.Found()));
  }

  Node Write(const void* value, Show show) const override {
    const auto& labels = *static_cast<const std::vector<std::string>*>(value);
    for (const std::string& name : BuiltinLabelNames()) {
      if (labels == *BuiltinLabels(name)) return Node::Text(name);
    }
    return names_.type->Write(&labels, show);
  }

  std::string Words() const override {
    return "a list of names, a map of class number to name, or the name of a built-in list (" +
           Join(BuiltinLabelNames(), ", ") + ")";
  }

  Json Schema() const override {
    Json names = Json::array();
    for (const std::string& name : BuiltinLabelNames()) names.push_back(name);
    return {{"anyOf",
             {Json{{"type", "array"},
                   {"items", Json{{"type", Json::array({"string", "number", "boolean", "null"})}}}},
              Json{{"type", "object"}, {"additionalProperties", Json::object()}},
              Json{{"enum", std::move(names)}}}}};
  }

 private:
  static void ReadName(const Node& node, const std::string& path, Report* report,
                       std::vector<std::string>* labels) {
    if (const auto* builtin = BuiltinLabels(node.text)) {
      *labels = *builtin;
      return;
    }
    const std::string near = NearName(node.text, BuiltinLabelNames());
    report->At(node, path,
               fmt::format("no built-in list of labels is called {}{}", node.Found(),
                           near.empty() ? "; known: " + Join(BuiltinLabelNames(), ", ") +
                                              ". Names of one's own stand in a list: [cat, dog]"
                                        : fmt::format("; did you mean '{}'?", near)));
  }

  void ReadMap(const Node& node, const std::string& path, Report* report,
               std::vector<std::string>* labels) const {
    std::vector<std::optional<std::string>> read(node.items.size());
    bool good = true;
    for (size_t i = 0; i < node.items.size(); ++i) {
      const auto number = ParseInteger(node.keys[i].text);
      if (!number || *number < 0) {
        report->At(node.keys[i], path, fmt::format("wanted a class number, found {}", node.keys[i].Found()));
        good = false;
      } else if (static_cast<size_t>(*number) >= read.size()) {
        report->At(node.keys[i], path,
                   fmt::format("class number {} of {} classes: numbers go from 0 without a gap", *number,
                               read.size()));
        good = false;
      } else if (read[*number].has_value()) {
        report->At(node.keys[i], path, fmt::format("the class number {} stands twice", *number));
        good = false;
      } else {
        name_.type->Read(node.items[i], fmt::format("{}[{}]", path, *number), report,
                         &read[*number].emplace());
      }
    }
    if (!good) return;
    labels->clear();
    for (std::optional<std::string>& label : read) labels->push_back(std::move(label).value_or(""));
  }

  Typed<std::string> name_ = Text({.bytes_max = 256});
  Typed<std::vector<std::string>> names_ = ListOf(name_, 0, kLabelsMax);
};

}  // namespace

Typed<std::vector<std::string>> Labels() { return {std::make_shared<LabelsType>()}; }

const std::vector<std::string>* BuiltinLabels(std::string_view name) {
  return name == "coco80" ? &Coco80() : nullptr;
}

std::vector<std::string> BuiltinLabelNames() { return {"coco80"}; }

}  // namespace sightline::pipeline
