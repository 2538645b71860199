// The model card: what a model folder's model.yaml says, with every default filled in. Plain values; parsed
// and checked in pipeline/spec, drafted in registry.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "data/tensor.h"

namespace sightline {

enum class TensorLayout { kNchw, kNhwc };
enum class ColorOrder { kRgb, kBgr, kGray };
// letterbox: keep the aspect ratio, pad the rest. stretch: fill the input. center_crop: keep the aspect
// ratio, fill the input, cut what hangs over.
enum class ResizeMode { kLetterbox, kStretch, kCenterCrop };
enum class LetterboxAnchor { kTopLeft, kCenter };

// From pixels to the tensor: value = (sample * scale - mean[c]) / std[c], sample 0..255, c in the model's
// colour order.
struct InputCard {
  std::string name;           // the graph's input; "" means its only one
  int width = 0, height = 0;  // pixels; 0 where the graph leaves it open and the card does not fix it (then:
                              // the picture's size, limited to `size_max`, rounded up to `size_multiple`)
  int size_multiple = 32;     // for open sizes, and for what cut_padding leaves
  int size_max = 1280;        // longest side, only for open sizes
  TensorLayout layout = TensorLayout::kNchw;
  ElementType type = ElementType::kFloat32;  // float32, float16, uint8
  ColorOrder color = ColorOrder::kRgb;
  ResizeMode resize = ResizeMode::kLetterbox;
  LetterboxAnchor anchor = LetterboxAnchor::kCenter;
  std::array<float, 3> pad = {114, 114,
                              114};  // sample value 0..255 before normalisation, model's colour order
  // letterbox with a detector whose graph runs at other sizes: padding may be left out, in whole multiples of
  // size_multiple. What is saved is work on padding.
  bool cut_padding = true;
  float scale = 1;
  std::array<float, 3> mean = {0, 0, 0};
  std::array<float, 3> std = {1, 1, 1};
};

enum class AttributeKind { kSoftmax, kSigmoid, kExpectation, kRegression };
struct AttributeCard {
  std::string name;    // age, gender, ...
  std::string output;  // the graph's output that holds it; "" means the only one
  AttributeKind kind = AttributeKind::kSoftmax;
  bool logits = false;              // the graph gives logits: apply softmax / sigmoid first
  int offset = 0, count = 0;        // slice of the last axis; count 0: to the end
  std::vector<std::string> labels;  // softmax: one a class; sigmoid: {negative, positive} or one
  std::vector<float> values;        // expectation: the value of each class; empty: 0, 1, 2, ...
  float scale = 1, bias = 0;        // regression: number = output * scale + bias
  std::string unit;                 // years, ...
};

struct HeadCard {
  std::string family;  // yolox, yolov5, yolov8, nanodet, ssd, scrfd, yunet, classify, attributes, embedding
  std::vector<std::string> labels;  // class names, in the order of class_id
  float min_score = 0.3f;           // below: dropped
  float iou = 0.45f;                // non-maximum suppression
  bool class_agnostic = false;      // suppress across classes
  int max_detections = 300;
  std::vector<int> strides;                 // detector families with grids; default per family
  std::vector<std::vector<float>> anchors;  // yolov5: w,h pairs in pixels per stride
  bool boxes_decoded = true;  // ssd: the graph has decoded its boxes (false: priors and variances are needed)
  std::vector<std::vector<float>> min_sizes;  // ssd priors: sizes in pixels per stride
  std::array<float, 2> variances = {0.1f, 0.2f};
  int background_class = -1;  // ssd: the class of "nothing"; -1: none
  int keypoints = 0;          // points per detection
  int regression_bins = 8;    // nanodet (reg_max + 1)
  int top_k = 5;              // classify
  bool logits = true;         // classify: apply softmax
  bool normalize = true;      // embedding: to unit length
  std::vector<AttributeCard> attributes;
  // Names of the graph's outputs by role, where the family needs them told apart (role -> output name);
  // empty: by the family's own order and names.
  std::map<std::string, std::string> outputs;
};

struct ModelCard {
  std::string name;
  std::string version = "1";
  std::string description;
  std::string licence;
  std::string source;  // where it came from
  std::string sha256;  // of model.onnx, lower-case hex; "" not checked
  InputCard input;
  HeadCard head;
  std::string Id() const { return name + "@" + version; }
};

// What a graph says of itself: what a head family is recognised from.
struct GraphSignature {
  std::vector<TensorSpec> inputs;  // without initializers
  std::vector<TensorSpec> outputs;
  std::map<std::string, std::string> metadata;  // metadata_props of the file
  std::string producer;
};

}  // namespace sightline
