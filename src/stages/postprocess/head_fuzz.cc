// Any family, any card that it accepts, any outputs: errors, never a crash, and results that keep their
// promises.
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "stages/postprocess/head.h"

namespace {

using namespace sightline;               // NOLINT: a fuzzer is one file
using namespace sightline::postprocess;  // NOLINT

class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), left_(size) {}
  uint8_t Next() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  int Below(int bound) { return Next() % bound; }
  bool Flag() { return (Next() & 1) != 0; }
  float Number() {
    switch (Below(8)) {
      case 0:
        return std::nanf("");
      case 1:
        return Flag() ? INFINITY : -INFINITY;
      case 2:
        return 1e30f * static_cast<float>(static_cast<int8_t>(Next()));
      default:
        return static_cast<float>(static_cast<int8_t>(Next())) / 16;
    }
  }
  float Fraction() { return static_cast<float>(Next()) / 255; }
  bool empty() const { return left_ == 0; }

 private:
  const uint8_t* data_;
  size_t left_;
};

// Shapes near what families want, and others.
Shape AnyShape(Bytes* bytes) {
  static constexpr int64_t kExtents[] = {-1, 0,  1,  2,  3,  4,  5,  6,  7,  8, 10,
                                         12, 16, 21, 32, 36, 42, 63, 64, 84, 85};
  Shape shape;
  const int rank = bytes->Below(6);
  for (int i = 0; i < rank; ++i) shape.push_back(i == 0 ? bytes->Below(4) - 1 : kExtents[bytes->Below(21)]);
  return shape;
}

std::string AnyName(Bytes* bytes) {
  static constexpr const char* kNames[] = {
      "output", "scores",          "boxes",           "cls", "obj",    "bbox", "kps",
      "score",  "cls_pred_stride", "dis_pred_stride", "age", "gender", "prob", "loc"};
  std::string name = kNames[bytes->Below(14)];
  if (bytes->Flag()) name += "_" + std::to_string(8 << bytes->Below(4));
  return name;
}

ModelCard AnyCard(Bytes* bytes) {
  ModelCard card;
  HeadCard& head = card.head;
  if (bytes->Flag()) card.input.width = bytes->Next();
  if (bytes->Flag()) card.input.height = bytes->Next();
  for (int i = bytes->Below(4); i > 0; --i) head.labels.push_back("label");
  head.min_score = bytes->Flag() ? bytes->Fraction() : bytes->Number();
  head.iou = bytes->Fraction();
  head.class_agnostic = bytes->Flag();
  head.max_detections = bytes->Next() - 2;
  for (int i = bytes->Below(5); i > 0; --i) head.strides.push_back(bytes->Next());
  for (int i = bytes->Below(4); i > 0; --i)
    head.anchors.push_back(std::vector<float>(bytes->Below(8), bytes->Number()));
  for (int i = bytes->Below(5); i > 0; --i)
    head.min_sizes.push_back(std::vector<float>(bytes->Below(4), bytes->Number()));
  head.boxes_decoded = bytes->Flag();
  head.variances = {bytes->Number(), bytes->Number()};
  head.background_class = bytes->Below(5) - 2;
  head.keypoints = bytes->Below(8) - 1;
  head.regression_bins = bytes->Flag() ? 8 : bytes->Next();
  head.top_k = bytes->Below(12) - 1;
  head.logits = bytes->Flag();
  head.normalize = bytes->Flag();
  for (int i = bytes->Below(4); i > 0; --i) {
    AttributeCard& attribute = head.attributes.emplace_back();
    attribute.name = "attribute";
    if (bytes->Flag()) attribute.output = AnyName(bytes);
    attribute.kind = static_cast<AttributeKind>(bytes->Below(4));
    attribute.logits = bytes->Flag();
    attribute.offset = bytes->Below(6) - 1;
    attribute.count = bytes->Below(6) - 1;
    attribute.labels.assign(bytes->Below(4), "label");
    attribute.values.assign(bytes->Below(4), bytes->Number());
    attribute.scale = bytes->Number();
  }
  if (bytes->Flag()) head.outputs[AnyName(bytes)] = AnyName(bytes);
  return card;
}

// Outputs as the family wants them for an input of 64 x 32, so that decoding itself is reached.
std::vector<TensorSpec> UsualOutputs(std::string_view family, Bytes* bytes) {
  const int64_t batch = 1 + bytes->Below(2), classes = 1 + bytes->Below(5);
  const int64_t cells[] = {32, 8, 2, 1};  // strides 8 to 64
  std::vector<TensorSpec> outputs;
  const auto add = [&](std::string name, Shape shape) {
    outputs.push_back({std::move(name), {}, std::move(shape), {}});
  };
  const auto each_stride = [&](std::string_view role, int64_t columns, int64_t anchors) {
    for (int l = 0; l < 3; ++l) {
      add(std::string(role) + "_" + std::to_string(8 << l), {batch, cells[l] * anchors, columns});
    }
  };
  const bool variant = bytes->Flag();
  if (family == "yolox") add("output", {batch, 42, 5 + classes});
  if (family == "yolov5" && variant) add("output", {batch, 126, 5 + classes});
  if (family == "yolov5" && !variant) {
    for (int l = 0; l < 3; ++l) add("raw", {batch, 3, 4 >> l, 8 >> l, 5 + classes});
  }
  if (family == "yolov8") {
    const int64_t masks = bytes->Flag() ? 3 : 0;
    const int arrangement = bytes->Below(3);
    if (arrangement == 0) add("output0", {batch, 4 + classes + masks, 42});
    if (arrangement == 1) add("output0", {batch, 42, 4 + classes + masks});
    if (arrangement == 2) add("output0", {batch, 20, 6 + masks});
    if (masks > 0) add("output1", {batch, masks, 8, 16});
  }
  if (family == "nanodet" && variant) add("output", {batch, 43, classes + 32});
  if (family == "nanodet" && !variant) {
    each_stride("cls_pred_stride", classes, 1);
    each_stride("dis_pred_stride", 32, 1);
  }
  if (family == "ssd") {
    const int64_t priors = 32 * 3 + 8 * 2 + 2 * 2 + 1 * 3;
    add("scores", {batch, priors, 1 + classes});
    add("boxes", {batch, priors, 4});
  }
  if (family == "scrfd") {
    each_stride("score", 1, 2);
    each_stride("bbox", 4, 2);
    if (variant) each_stride("kps", 10, 2);
  }
  if (family == "yunet") {
    each_stride("cls", 1, 1);
    each_stride("obj", 1, 1);
    each_stride("bbox", 4, 1);
    each_stride("kps", 10, 1);
  }
  if (outputs.empty()) add("output", {batch, 8});
  for (TensorSpec& spec : outputs) spec.type = variant ? ElementType::kFloat32 : ElementType::kFloat16;
  return outputs;
}

void CheckResult(const HeadResult& result, const InputTransform& transform, const HeadCard& head) {
  const float width = static_cast<float>(transform.source.width),
              height = static_cast<float>(transform.source.height);
  CHECK(result.detections.size() <= static_cast<size_t>(std::max(head.max_detections, 0))) << "too many";
  for (const Detection& detection : result.detections) {
    const Box& box = detection.box;
    CHECK(box.x1 >= 0 && box.x1 < box.x2 && box.x2 <= width) << "box outside the picture";
    CHECK(box.y1 >= 0 && box.y1 < box.y2 && box.y2 <= height) << "box outside the picture";
    CHECK(detection.score >= 0 && detection.score <= 1 && detection.class_id >= 0) << detection.score;
    for (const Keypoint& point : detection.keypoints) {
      CHECK(point.x >= 0 && point.x <= width && point.y >= 0 && point.y <= height)
          << "point outside the picture";
    }
    if (detection.mask == nullptr) continue;
    uint64_t pixels = 0;
    for (const uint32_t run : detection.mask->runs) pixels += run;
    const Box& area = detection.mask->area;
    CHECK(pixels == static_cast<uint64_t>(area.width()) * static_cast<uint64_t>(area.height()))
        << "mask length";
  }
  for (const Classification& c : result.classifications) CHECK(c.score >= 0 && c.score <= 1) << c.score;
  for (const Attribute& attribute : result.attributes) CHECK(!std::isinf(attribute.number)) << "number";
  for (const float value : result.embedding) CHECK(std::isfinite(value)) << "embedding";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes bytes(data, size);
  const auto families = HeadFamilies();
  const HeadFamily& family = families[bytes.Next() % families.size()];
  GraphSignature graph;
  const bool usual = bytes.Flag();
  if (usual) {
    graph.outputs = UsualOutputs(family.name, &bytes);
    graph.inputs.push_back({"images", ElementType::kFloat32, {1, 3, 32, 64}, {}});
  } else {
    for (int i = bytes.Below(13); i > 0; --i) {
      const bool half = bytes.Below(4) == 0;
      graph.outputs.push_back(
          {AnyName(&bytes), half ? ElementType::kFloat16 : ElementType::kFloat32, AnyShape(&bytes), {}});
    }
    const int64_t channels = bytes.Flag() ? 3 : 1;
    graph.inputs.push_back({"images", ElementType::kFloat32, {1, channels, bytes.Next(), bytes.Next()}, {}});
  }
  if (bytes.Flag()) {
    std::string names;
    for (int i = bytes.Next(); i > 0; --i) names += static_cast<char>(bytes.Next());
    graph.metadata["names"] = names;
    graph.metadata["imgsz"] = names;
    graph.metadata["task"] = bytes.Flag() ? "pose" : "segment";
    graph.metadata["kpt_shape"] = "[3, 3]";
  }
  ModelCard card = AnyCard(&bytes);
  const auto recognised = family.recognise(graph, bytes.Flag());
  if (recognised.ok() && recognised->has_value() && bytes.Flag()) {
    card.head = (*recognised)->head;
    card.input = (*recognised)->input;
  }
  (void)RecogniseHead(graph);
  const auto head = family.create(card, graph);
  if (!head.ok()) return 0;

  InputTransform transform;
  transform.input = {bytes.Next(), bytes.Next()};
  transform.source = {bytes.Next(), bytes.Next()};
  if (usual) transform.input = {64, 32};
  if (!usual && bytes.Flag()) transform.input = {card.input.width, card.input.height};
  transform.scale_x = bytes.Flag() ? 1 : bytes.Number();
  transform.scale_y = bytes.Flag() ? 1 : bytes.Number();
  transform.offset_x = bytes.Flag() ? 0 : bytes.Number();
  transform.offset_y = bytes.Flag() ? 0 : bytes.Number();
  std::vector<std::vector<uint8_t>> memory;  // exact sizes, so that reading past the end is seen
  std::vector<TensorView> views;
  for (const TensorSpec& spec : graph.outputs) {
    Shape shape = spec.shape;
    for (int64_t& extent : shape) extent = extent < 0 ? bytes.Below(70) : extent;
    if (bytes.Below(16) == 1) shape = AnyShape(&bytes);
    const int64_t elements = ElementCount(shape);
    if (elements > 1 << 16) return 0;
    std::vector<uint8_t>& values = memory.emplace_back(std::max<int64_t>(elements, 0) * BytesOf(spec.type));
    for (size_t i = 0; i + 4 <= values.size(); i += 4) {
      if (spec.type == ElementType::kFloat16) {
        values[i + 1] = bytes.Next();
        values[i + 3] = bytes.Next();
      } else {
        const float value = bytes.empty() ? static_cast<float>(i % 97) / 96 : bytes.Number();
        std::memcpy(&values[i], &value, sizeof value);
      }
    }
    views.push_back({spec.type, shape, values.empty() ? nullptr : values.data()});
  }
  Head::Scratch scratch;
  HeadResult result;
  for (int batch = 0; batch < 2; ++batch) {
    if ((*head)->Decode(views, batch, transform, &scratch, &result).ok())
      CheckResult(result, transform, card.head);
  }
  return 0;
}
