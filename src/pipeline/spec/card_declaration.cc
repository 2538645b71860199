#include "pipeline/spec/card_declaration.h"

#include "base/text.h"
#include "pipeline/spec/head_tasks.h"
#include "pipeline/spec/labels.h"

namespace sightline::pipeline {
namespace {

bool IsSha256(std::string_view text) {
  return text.empty() ||
         (text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos);
}

TextRule NameRule(std::string words) {
  return {std::move(words), "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$", &IsModelName, 128};
}

const Object<InputCard>& InputDeclaration() {
  static const auto* declaration = [] {
    auto* o = new Object<InputCard>(
        "input",
        "From the pixels of a picture to the tensor that the graph takes: resize, "
        "order the colours, then `value = (sample * scale - mean) / std` with samples of 0 to 255.");
    o->Add("name", &InputCard::name, Text({.bytes_max = 256}), "The graph's input.").Default("its only one");
    o->Add("width", &InputCard::width, Integer(0, 16384),
           "Width in pixels; 0 where the graph leaves it open and each picture is to keep its own.")
        .Always()
        .Example("640");
    o->Add("height", &InputCard::height, Integer(0, 16384), "Height in pixels; 0 as for the width.")
        .Always()
        .Example("640");
    o->Add("size_multiple", &InputCard::size_multiple, Integer(1, 1024),
           "Open sizes and cut padding: width and height are rounded up to a multiple of this.");
    o->Add("size_max", &InputCard::size_max, Integer(1, 16384),
           "Open sizes only: larger pictures are scaled down to this longest side.");
    o->Add("layout", &InputCard::layout,
           Choice<TensorLayout>({{"nchw", TensorLayout::kNchw, "planes of one colour each"},
                                 {"nhwc", TensorLayout::kNhwc, "pixels with their colours together"}}),
           "Order of the tensor's axes.");
    o->Add("type", &InputCard::type,
           Choice<ElementType>({{"float32", ElementType::kFloat32, ""},
                                {"float16", ElementType::kFloat16, ""},
                                {"uint8", ElementType::kUint8, ""}}),
           "Type of the tensor's elements.");
    o->Add(
         "color", &InputCard::color,
         Choice<ColorOrder>(
             {{"rgb", ColorOrder::kRgb, ""}, {"bgr", ColorOrder::kBgr, ""}, {"gray", ColorOrder::kGray, ""}}),
         "Colours that the model was trained on, in their order.")
        .Always();
    o->Add("resize", &InputCard::resize,
           Choice<ResizeMode>(
               {{"letterbox", ResizeMode::kLetterbox, "keep the aspect ratio, pad the rest"},
                {"stretch", ResizeMode::kStretch, "fill the input, whatever the aspect ratio"},
                {"center_crop", ResizeMode::kCenterCrop, "keep the aspect ratio, cut what hangs over"}}),
           "How a picture comes to the input's size: letterbox keeps the aspect ratio and pads the rest, "
           "stretch fills the "
           "input, center_crop keeps the aspect ratio and cuts what hangs over.")
        .Always();
    o->Add("anchor", &InputCard::anchor,
           Choice<LetterboxAnchor>(
               {{"top_left", LetterboxAnchor::kTopLeft, ""}, {"center", LetterboxAnchor::kCenter, ""}}),
           "letterbox: where the picture lies in the input.");
    o->Add(
        "pad", &InputCard::pad, ArrayOf<std::array<float, 3>>(Number({.min = 0, .max = 255}), true),
        "letterbox: sample value of the padding, before scale, mean and std, in the model's colour order.");
    o->Add("cut_padding", &InputCard::cut_padding, Boolean(),
           "letterbox, detectors: leave out padding in whole multiples of size_multiple where the graph runs "
           "at other "
           "sizes. Saves a quarter of the work on 4:3 pictures, two fifths on 16:9.");
    o->Add("scale", &InputCard::scale, Number({.min = 0, .max = 1e6, .above_min = true, .fraction = true}),
           "Factor for each sample.")
        .Example("1/255");
    o->Add("mean", &InputCard::mean, ArrayOf<std::array<float, 3>>(Number({.min = -1e6, .max = 1e6}), true),
           "Subtracted after scaling, one value or one a colour in the model's order.")
        .Example("[0.485, 0.456, 0.406]");
    o->Add("std", &InputCard::std,
           ArrayOf<std::array<float, 3>>(Number({.min = 0, .max = 1e6, .above_min = true}), true),
           "Divides after the mean, one value or one a colour.")
        .Example("[0.229, 0.224, 0.225]");
    return o;
  }();
  return *declaration;
}

const Object<AttributeCard>& AttributeDeclaration() {
  static const auto* declaration = [] {
    auto* o = new Object<AttributeCard>("attribute",
                                        "One thing that an attributes model says of what it looks at.");
    o->Add("name", &AttributeCard::name, Text({.bytes_max = 128}), "Name in the results.")
        .Required()
        .Example("age");
    o->Add("output", &AttributeCard::output, Text({.bytes_max = 256}), "The graph's output that holds it.")
        .Default("its only one");
    o->Add("kind", &AttributeCard::kind,
           Choice<AttributeKind>({{"softmax", AttributeKind::kSoftmax, "one of several classes"},
                                  {"sigmoid", AttributeKind::kSigmoid, "yes or no"},
                                  {"expectation", AttributeKind::kExpectation, "mean of the classes' values"},
                                  {"regression", AttributeKind::kRegression, "a number"}}),
           "How it is read: softmax, one of several classes; sigmoid, yes or no; expectation, the mean of "
           "the classes' "
           "values; regression, a number.")
        .Always();
    o->Add("logits", &AttributeCard::logits, Boolean(),
           "The graph gives logits: softmax or sigmoid is still to be applied.");
    o->Add("offset", &AttributeCard::offset, Integer(0, 1'000'000),
           "First element of the output's last axis.");
    o->Add("count", &AttributeCard::count, Integer(0, 1'000'000), "Number of elements; 0: to the end.");
    o->Add("labels", &AttributeCard::labels, Labels(),
           "softmax: name of each class; sigmoid: [negative, positive], or one name.")
        .Example("[male, female]");
    o->Add("values", &AttributeCard::values, ListOf(Number({.min = -1e9, .max = 1e9}), 0, 50'000),
           "expectation: value of each class.")
        .Default("0, 1, 2, …");
    o->Add("scale", &AttributeCard::scale, Number({.min = -1e9, .max = 1e9}),
           "regression: number = output * scale + bias.")
        .Example("100");
    o->Add("bias", &AttributeCard::bias, Number({.min = -1e9, .max = 1e9}), "regression: see scale.");
    o->Add("unit", &AttributeCard::unit, Text({.bytes_max = 64}), "Unit of the number.").Example("years");
    return o;
  }();
  return *declaration;
}

const Object<HeadCard>& HeadDeclaration() {
  static const auto* declaration = [] {
    using Rows = std::vector<std::vector<float>>;
    const auto rows = []() -> Typed<Rows> {
      return ListOf(ListOf(Number({.min = 0, .max = 1e6}), 1, 256), 0, 16);
    };
    auto* o = new Object<HeadCard>("head", "From the graph's outputs to results.");
    o->Add("family", &HeadCard::family, Text({.bytes_max = 64}),
           "Head family, which says how the outputs are read: one of " + Join(FamilyNames(), ", ") + ".")
        .Required()
        .Example("yolox");
    o->Add("labels", &HeadCard::labels, Labels(), "Class names in the order of the class numbers.")
        .Example("coco80");
    o->Add("min_score", &HeadCard::min_score, Number({.min = 0, .max = 1}),
           "Results below this score are dropped.")
        .Always();
    o->Add("iou", &HeadCard::iou, Number({.min = 0, .max = 1}),
           "Detectors: of two boxes that overlap more than this, the worse is dropped (non-maximum "
           "suppression).");
    o->Add("class_agnostic", &HeadCard::class_agnostic, Boolean(),
           "Detectors: boxes suppress boxes of other classes too.");
    o->Add("max_detections", &HeadCard::max_detections, Integer(1, 100'000),
           "Detectors: at most so many a picture, best first.");
    o->Add("strides", &HeadCard::strides, ListOf(Integer(1, 1024), 0, 16),
           "Detectors with grids: pixels per cell of each output level.")
        .Default("the family's")
        .Example("[8, 16, 32]");
    o->Add("anchors", &HeadCard::anchors, rows(), "yolov5: width, height pairs in pixels, one row a stride.")
        .Default("the family's")
        .Example("[[10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119]]");
    o->Add("boxes_decoded", &HeadCard::boxes_decoded, Boolean(),
           "ssd: the graph decodes its boxes; false: priors are needed.");
    o->Add("min_sizes", &HeadCard::min_sizes, rows(), "ssd: sizes of the priors in pixels, one row a stride.")
        .Default("the family's")
        .Example("[[10, 16, 24], [32, 48]]");
    o->Add("variances", &HeadCard::variances,
           ArrayOf<std::array<float, 2>>(Number({.min = 0, .max = 10, .above_min = true}), false),
           "ssd: variances of centre and size.");
    o->Add("background_class", &HeadCard::background_class, Integer(-1, 1'000'000),
           "ssd: column of the class \"nothing\", which labels leave out; -1: there is none.");
    o->Add("keypoints", &HeadCard::keypoints, Integer(0, 1024), "Points per detection.");
    o->Add("regression_bins", &HeadCard::regression_bins, Integer(1, 256),
           "nanodet: bins per side of a box (reg_max + 1).");
    o->Add("top_k", &HeadCard::top_k, Integer(1, 1000), "classify: at most so many classes, best first.");
    o->Add("logits", &HeadCard::logits, Boolean(),
           "classify: the graph gives logits, softmax is still to be applied.");
    o->Add("normalize", &HeadCard::normalize, Boolean(), "embedding: scale to unit length.");
    o->Add("attributes", &HeadCard::attributes, ListOf(Of(AttributeDeclaration()), 0, 64),
           "attributes: what the model says, one entry each.");
    o->Add("outputs", &HeadCard::outputs, TextMap({.bytes_max = 64}, {.bytes_max = 256}, 64),
           "Names of the graph's outputs by role, where the family must tell them apart.")
        .Default("by the family's own order and names")
        .Example("{scores: scores, boxes: boxes}");
    return o;
  }();
  return *declaration;
}

}  // namespace

bool IsModelName(std::string_view text) {
  if (text.empty() || text.front() == '.') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

const Object<ModelCard>& ModelCardDeclaration() {
  static const auto* declaration = [] {
    auto* o = new Object<ModelCard>(
        "model card", "What a model's folder says of its graph, in `model.yaml` beside `model.onnx`.");
    o->Add("name", &ModelCard::name, Text(NameRule("a name of letters, digits, '.', '_' and '-'")),
           "Name of the model.")
        .Default("the folder's name")
        .Example("yolox_nano");
    o->Add("version", &ModelCard::version, Text(NameRule("a version of letters, digits, '.', '_' and '-'")),
           "Version; results name `name@version`.")
        .Always();
    o->Add("description", &ModelCard::description, Text({.bytes_max = 4096}), "What it is good for.");
    o->Add("licence", &ModelCard::licence, Text({.bytes_max = 1024}), "Licence of the weights.")
        .Example("Apache-2.0");
    o->Add("source", &ModelCard::source, Text({.bytes_max = 4096}), "Where it came from.");
    o->Add("sha256", &ModelCard::sha256,
           Text({.words = "64 lower-case hexadecimal digits",
                 .pattern = "^([0-9a-f]{64})?$",
                 .valid = &IsSha256,
                 .bytes_max = 64}),
           "Checksum of model.onnx.")
        .Default("not checked");
    o->Add("input", &ModelCard::input, Of(InputDeclaration()), "How a picture becomes the graph's input.")
        .Always();
    o->Add("head", &ModelCard::head, Of(HeadDeclaration()), "What the graph's outputs mean.").Required();
    return o;
  }();
  return *declaration;
}

}  // namespace sightline::pipeline
