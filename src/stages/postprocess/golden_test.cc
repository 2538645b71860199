// Each head against expected values that an independent numpy implementation computed (tests/golden/*.py).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "base/text.h"
#include "stages/postprocess/head.h"

namespace sightline::postprocess {
namespace {

using Json = nlohmann::json;

float Number(const Json& value) {
  if (value.is_number()) return value.get<float>();
  const auto text = value.get<std::string>();
  if (text == "nan") return std::numeric_limits<float>::quiet_NaN();
  return (text == "-inf" ? -1.f : 1.f) * std::numeric_limits<float>::infinity();
}

std::vector<AttributeCard> ReadAttributes(const Json& json) {
  const std::map<std::string, AttributeKind> kinds = {{"softmax", AttributeKind::kSoftmax},
                                                      {"sigmoid", AttributeKind::kSigmoid},
                                                      {"expectation", AttributeKind::kExpectation},
                                                      {"regression", AttributeKind::kRegression}};
  std::vector<AttributeCard> cards;
  for (const Json& from : json) {
    AttributeCard& card = cards.emplace_back();
    card.name = from.at("name");
    card.output = from.at("output");
    card.kind = kinds.at(from.at("kind"));
    card.logits = from.value("logits", card.logits);
    card.offset = from.value("offset", card.offset);
    card.count = from.value("count", card.count);
    card.labels = from.value("labels", card.labels);
    card.values = from.value("values", card.values);
    card.scale = from.value("scale", card.scale);
    card.bias = from.value("bias", card.bias);
  }
  return cards;
}

ModelCard ReadCard(const Json& json) {
  ModelCard card;
  HeadCard& head = card.head;
  head.family = json.at("family");
  head.min_score = json.value("min_score", head.min_score);
  head.iou = json.value("iou", head.iou);
  head.class_agnostic = json.value("class_agnostic", head.class_agnostic);
  head.max_detections = json.value("max_detections", head.max_detections);
  head.strides = json.value("strides", head.strides);
  head.anchors = json.value("anchors", head.anchors);
  head.boxes_decoded = json.value("boxes_decoded", head.boxes_decoded);
  head.variances = json.value("variances", head.variances);
  head.background_class = json.value("background_class", head.background_class);
  head.keypoints = json.value("keypoints", head.keypoints);
  head.top_k = json.value("top_k", head.top_k);
  head.logits = json.value("logits", head.logits);
  head.normalize = json.value("normalize", head.normalize);
  if (json.contains("attributes")) head.attributes = ReadAttributes(json["attributes"]);
  return card;
}

// A case's outputs, as float32 or float16.
struct Given {
  std::vector<std::vector<float>> floats;
  std::vector<TensorView> views;
  GraphSignature graph;
};

Given ReadOutputs(const Json& json) {
  Given given;
  for (const Json& output : json) {
    auto& values = given.floats.emplace_back();
    for (const Json& value : output.at("data")) values.push_back(Number(value));
    TensorSpec spec;
    spec.name = output.at("name");
    for (const int64_t extent : output.at("shape")) spec.shape.push_back(extent);
    spec.dimension_names.resize(spec.shape.size());
    given.graph.outputs.push_back(spec);
  }
  for (size_t i = 0; i < given.floats.size(); ++i) {
    given.views.push_back({ElementType::kFloat32, given.graph.outputs[i].shape, given.floats[i].data()});
  }
  return given;
}

InputTransform ReadTransform(const Json& json) {
  InputTransform transform;
  transform.scale_x = json.at("scale")[0];
  transform.scale_y = json.at("scale")[1];
  transform.offset_x = json.at("offset")[0];
  transform.offset_y = json.at("offset")[1];
  transform.input = {json.at("input")[0], json.at("input")[1]};
  transform.source = {json.at("source")[0], json.at("source")[1]};
  return transform;
}

// A mask as one text of 0 and 1, and how many pixels two masks differ by.
std::string Bits(const std::vector<uint32_t>& runs) {
  std::string bits;
  for (size_t i = 0; i < runs.size(); ++i) bits.append(runs[i], i % 2 == 0 ? '0' : '1');
  return bits;
}

void ExpectMask(const Json& expected, const Mask* mask) {
  ASSERT_EQ(expected.is_null(), mask == nullptr);
  if (mask == nullptr) return;
  const Json& area = expected.at("area");
  EXPECT_EQ(mask->area, (Box{area[0], area[1], area[2], area[3]}));
  const std::string bits = Bits(mask->runs), wanted = Bits(expected.at("runs").get<std::vector<uint32_t>>());
  ASSERT_EQ(bits.size(), wanted.size());
  size_t different = 0;
  for (size_t i = 0; i < bits.size(); ++i) different += bits[i] != wanted[i] ? 1 : 0;
  // A pixel whose value is 0 but for rounding may fall on either side.
  EXPECT_LE(different, wanted.size() / 2000);
}

void ExpectDetections(const Json& expected, const std::vector<Detection>& detections) {
  ASSERT_EQ(detections.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    SCOPED_TRACE(fmt::format("detection {}", i));
    const Json& wanted = expected[i];
    const Detection& found = detections[i];
    const Json& box = wanted.at("box");
    EXPECT_NEAR(found.box.x1, box[0], 1e-3);
    EXPECT_NEAR(found.box.y1, box[1], 1e-3);
    EXPECT_NEAR(found.box.x2, box[2], 1e-3);
    EXPECT_NEAR(found.box.y2, box[3], 1e-3);
    EXPECT_NEAR(found.score, wanted.at("score").get<float>(), 1e-5);
    EXPECT_EQ(found.class_id, wanted.at("class_id"));
    if (wanted.contains("mask")) ExpectMask(wanted["mask"], found.mask.get());
    const Json points = wanted.value("keypoints", Json::array());
    ASSERT_EQ(found.keypoints.size(), points.size());
    for (size_t k = 0; k < points.size(); ++k) {
      EXPECT_NEAR(found.keypoints[k].x, points[k][0], 1e-3);
      EXPECT_NEAR(found.keypoints[k].y, points[k][1], 1e-3);
      EXPECT_NEAR(found.keypoints[k].score, points[k][2], 1e-5);
    }
  }
}

void ExpectResult(const Json& expected, const HeadResult& result) {
  if (expected.is_array()) return ExpectDetections(expected, result.detections);
  const Json classes = expected.value("classifications", Json::array());
  ASSERT_EQ(result.classifications.size(), classes.size());
  for (size_t i = 0; i < classes.size(); ++i) {
    EXPECT_EQ(result.classifications[i].class_id, classes[i][0]);
    EXPECT_NEAR(result.classifications[i].score, classes[i][1], 1e-5);
  }
  const Json attributes = expected.value("attributes", Json::array());
  ASSERT_EQ(result.attributes.size(), attributes.size());
  for (size_t i = 0; i < attributes.size(); ++i) {
    const Attribute& found = result.attributes[i];
    EXPECT_EQ(found.name, attributes[i].at("name").get<std::string>());
    EXPECT_EQ(found.value, attributes[i].at("value").get<std::string>());
    const auto same = [](float value, const Json& wanted) {
      return wanted.is_null() ? std::isnan(value) : std::abs(value - wanted.get<float>()) <= 1e-4f;
    };
    EXPECT_TRUE(same(found.number, attributes[i].at("number"))) << found.name << " " << found.number;
    EXPECT_TRUE(same(found.score, attributes[i].at("score"))) << found.name << " " << found.score;
  }
  const Json embedding = expected.value("embedding", Json::array());
  ASSERT_EQ(result.embedding.size(), embedding.size());
  for (size_t i = 0; i < embedding.size(); ++i) EXPECT_NEAR(result.embedding[i], embedding[i], 1e-5);
}

class GoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(GoldenTest, agrees_with_the_independent_reference) {
  std::ifstream file("tests/golden/data/" + GetParam() + ".json");
  ASSERT_TRUE(file) << "run from the repository's root";
  const Json golden = Json::parse(file);
  const HeadFamily* family = FindHeadFamily(golden.at("family").get<std::string>());
  ASSERT_NE(family, nullptr);
  Head::Scratch scratch;  // shared, so that one case's leftovers would show in the next
  HeadResult result;
  for (const Json& golden_case : golden.at("cases")) {
    SCOPED_TRACE(golden_case.at("name").get<std::string>());
    const ModelCard card = ReadCard(golden_case.at("card"));
    const Given given = ReadOutputs(golden_case.at("outputs"));
    const auto head = family->create(card, given.graph);
    ASSERT_TRUE(head.ok()) << head.status();
    const InputTransform transform = ReadTransform(golden_case.at("transform"));
    const Json& expected = golden_case.at("expected");
    for (size_t batch = 0; batch < expected.size(); ++batch) {
      SCOPED_TRACE(fmt::format("batch entry {}", batch));
      const absl::Status status =
          (*head)->Decode(given.views, static_cast<int>(batch), transform, &scratch, &result);
      ASSERT_TRUE(status.ok()) << status;
      ExpectResult(expected[batch], result);
    }
    const bool has_batch_axis = given.graph.outputs[0].name != "440";
    if (has_batch_axis) {
      const int beyond = static_cast<int>(expected.size());
      EXPECT_FALSE((*head)->Decode(given.views, beyond, transform, &scratch, &result).ok());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, GoldenTest,
                         testing::Values("yolox", "yolov5", "yolov8", "nanodet", "ssd", "scrfd", "yunet",
                                         "classify", "attributes", "embedding"),
                         [](const auto& family) { return family.param; });

}  // namespace
}  // namespace sightline::postprocess
