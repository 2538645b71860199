// What all heads promise: errors instead of reading outside their outputs, float16, open sizes.
#include "stages/postprocess/head.h"

#include <gtest/gtest.h>

#include "base/status.h"
#include "base/text.h"

namespace sightline::postprocess {
namespace {

GraphSignature Outputs(std::vector<std::pair<std::string, Shape>> outputs,
                       ElementType type = ElementType::kFloat32) {
  GraphSignature graph;
  for (auto& [name, shape] : outputs) {
    TensorSpec spec{name, type, shape, {}};
    spec.dimension_names.resize(shape.size());
    graph.outputs.push_back(spec);
  }
  return graph;
}

InputTransform Plain(Size input) {
  InputTransform transform;
  transform.input = transform.source = input;
  return transform;
}

// A YOLOX output for `input` with two classes and one box: 24 x 16 pixels around the centre of cell (1, 1) of
// stride 8.
std::vector<float> OneBox(Size input) {
  int64_t cells = 0;
  for (const int stride : {8, 16, 32})
    cells += int64_t{(input.width + stride - 1) / stride} * ((input.height + stride - 1) / stride);
  std::vector<float> values(cells * 7, 0.f);
  float* row = values.data() + (input.width / 8 + 1) * 7;
  const float box[] = {0.5f, 0.5f, 1.0986123f, 0.6931472f, 0.75f, 0.f, 1.f};
  std::copy(box, box + 7, row);
  return values;
}

TEST(HeadTest, grids_follow_the_size_at_run_time) {
  ModelCard card;
  const GraphSignature graph = Outputs({{"output", {-1, -1, 7}}});
  const auto head = FindHeadFamily("yolox")->create(card, graph);
  ASSERT_TRUE(head.ok()) << head.status();
  Head::Scratch scratch;
  HeadResult result;
  for (const Size input : {Size{64, 64}, Size{96, 64}, Size{320, 256}}) {
    std::vector<float> values = OneBox(input);
    const TensorView view = {
        ElementType::kFloat32, {1, static_cast<int64_t>(values.size()) / 7, 7}, values.data()};
    ASSERT_TRUE((*head)->Decode({&view, 1}, 0, Plain(input), &scratch, &result).ok());
    ASSERT_EQ(result.detections.size(), 1u);
    EXPECT_NEAR(result.detections[0].box.x1, 0, 1e-3);
    EXPECT_NEAR(result.detections[0].box.x2, 24, 1e-3);
    EXPECT_NEAR(result.detections[0].box.y1, 4, 1e-3);
    EXPECT_EQ(result.detections[0].class_id, 1);
    // The same outputs with another input's grid: an error, not a guess.
    EXPECT_FALSE((*head)->Decode({&view, 1}, 0, Plain({128, 128}), &scratch, &result).ok());
    EXPECT_TRUE(result.detections.empty());
  }
}

TEST(HeadTest, reads_float16) {
  ModelCard card;
  card.head.logits = false;
  card.head.top_k = 6;
  card.head.min_score = 0;
  const GraphSignature graph = Outputs({{"scores", {2, 6}}}, ElementType::kFloat16);
  const auto head = FindHeadFamily("classify")->create(card, graph);
  ASSERT_TRUE(head.ok()) << head.status();
  // 1, 0.5, 0.25, 2^-14 (the smallest normal), 2^-24 (the smallest of all), -2: as IEEE 754 writes them.
  uint16_t halves[12] = {0, 0, 0, 0, 0, 0, 0x3c00, 0x3800, 0x3400, 0x0400, 0x0001, 0xc000};
  const TensorView view = {ElementType::kFloat16, {2, 6}, halves};
  Head::Scratch scratch;
  HeadResult result;
  ASSERT_TRUE((*head)->Decode({&view, 1}, 1, Plain({8, 8}), &scratch, &result).ok());
  ASSERT_EQ(result.classifications.size(), 6u);
  const float expected[] = {1, 0.5f, 0.25f, 0x1p-14f, 0x1p-24f, 0};
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(result.classifications[i].class_id, i);
    EXPECT_EQ(result.classifications[i].score, expected[i]);
  }
  for (const uint16_t bad : {0x7c00, 0xfc00, 0x7e00}) {  // infinities, not a number
    halves[7] = bad;
    ASSERT_TRUE((*head)->Decode({&view, 1}, 1, Plain({8, 8}), &scratch, &result).ok());
    EXPECT_TRUE(result.classifications.empty());
  }
}

TEST(HeadTest, other_element_types_are_refused) {
  for (const ElementType type :
       {ElementType::kUint8, ElementType::kInt8, ElementType::kInt64, ElementType::kFloat64}) {
    const auto head = FindHeadFamily("classify")->create(ModelCard(), Outputs({{"scores", {1, 6}}}, type));
    EXPECT_EQ(head.status().code(), absl::StatusCode::kInvalidArgument) << Name(type);
  }
}

TEST(HeadTest, outputs_that_differ_from_the_graph_are_errors) {
  const auto head = FindHeadFamily("embedding")->create(ModelCard(), Outputs({{"output", {-1, 4}}}));
  ASSERT_TRUE(head.ok());
  float values[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  Head::Scratch scratch;
  HeadResult result;
  const auto decode = [&](std::vector<TensorView> views, int batch,
                          InputTransform transform = Plain({8, 8})) {
    return (*head)->Decode(views, batch, transform, &scratch, &result).ok();
  };
  const TensorView good = {ElementType::kFloat32, {2, 4}, values};
  EXPECT_TRUE(decode({good}, 1));
  EXPECT_FALSE(decode({good}, 2));
  EXPECT_FALSE(decode({good}, -1));
  EXPECT_FALSE(decode({}, 0));
  EXPECT_FALSE(decode({good, good}, 0));
  EXPECT_FALSE(decode({{ElementType::kFloat32, {1, 5}, values}}, 0));
  EXPECT_FALSE(decode({{ElementType::kFloat32, {}, values}}, 0));
  EXPECT_FALSE(decode({{ElementType::kFloat32, {-1, 4}, values}}, 0));
  EXPECT_FALSE(decode({{ElementType::kFloat32, {1, 4}, nullptr}}, 0));
  EXPECT_FALSE(decode({{ElementType::kInt32, {1, 4}, values}}, 0));
}

TEST(HeadTest, a_card_that_contradicts_its_graph_is_refused) {
  const auto message = [](std::string_view family, const ModelCard& card, const GraphSignature& graph) {
    const auto head = FindHeadFamily(family)->create(card, graph);
    return head.ok() ? std::string() : std::string(MessageOf(head.status()));
  };
  ModelCard card;
  card.head.labels = {"a", "b", "c"};
  EXPECT_NE(message("yolox", card, Outputs({{"output", {1, 84, 7}}})).find("3 labels, but the graph has 2"),
            std::string::npos);
  card.head.labels.clear();
  card.input.width = card.input.height = 416;
  EXPECT_NE(message("yolox", card, Outputs({{"output", {1, 84, 7}}})).find("3549 cells"), std::string::npos);
  card = ModelCard();
  card.head.attributes = {{.name = "age", .output = "agee", .labels = {}, .values = {}, .unit = ""}};
  EXPECT_NE(message("attributes", card, Outputs({{"age", {1, 1}}})).find("no output agee"),
            std::string::npos);
  card.head.attributes[0].output = "age";
  card.head.attributes[0].offset = 1;
  EXPECT_NE(message("attributes", card, Outputs({{"age", {1, 1}}})).find("do not lie"), std::string::npos);
  card = ModelCard();
  card.head.strides = {8, 0};
  EXPECT_NE(message("yolox", card, Outputs({{"output", {1, -1, 7}}})).find("head.strides"),
            std::string::npos);
  card = ModelCard();
  card.head.outputs["predictions"] = "nowhere";
  EXPECT_NE(message("yolox", card, Outputs({{"output", {1, -1, 7}}})).find("no output nowhere"),
            std::string::npos);
}

}  // namespace
}  // namespace sightline::postprocess
