#include "pipeline/spec/model_card_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/status.h"
#include "base/text.h"

namespace sightline::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Field by field: the structs have no comparison of their own.
bool Same(const AttributeCard& a, const AttributeCard& b) {
  return a.name == b.name && a.output == b.output && a.kind == b.kind && a.logits == b.logits &&
         a.offset == b.offset && a.count == b.count && a.labels == b.labels && a.values == b.values &&
         a.scale == b.scale && a.bias == b.bias && a.unit == b.unit;
}

bool Same(const InputCard& a, const InputCard& b) {
  return a.name == b.name && a.width == b.width && a.height == b.height &&
         a.size_multiple == b.size_multiple && a.size_max == b.size_max && a.layout == b.layout &&
         a.type == b.type && a.color == b.color && a.resize == b.resize && a.anchor == b.anchor &&
         a.pad == b.pad && a.cut_padding == b.cut_padding && a.scale == b.scale && a.mean == b.mean &&
         a.std == b.std;
}

bool Same(const HeadCard& a, const HeadCard& b) {
  return a.family == b.family && a.labels == b.labels && a.min_score == b.min_score && a.iou == b.iou &&
         a.class_agnostic == b.class_agnostic && a.max_detections == b.max_detections &&
         a.strides == b.strides && a.anchors == b.anchors && a.boxes_decoded == b.boxes_decoded &&
         a.min_sizes == b.min_sizes && a.variances == b.variances &&
         a.background_class == b.background_class && a.keypoints == b.keypoints &&
         a.regression_bins == b.regression_bins && a.top_k == b.top_k && a.logits == b.logits &&
         a.normalize == b.normalize && a.outputs == b.outputs &&
         std::equal(a.attributes.begin(), a.attributes.end(), b.attributes.begin(), b.attributes.end(),
                    [](const AttributeCard& x, const AttributeCard& y) { return Same(x, y); });
}

bool Same(const ModelCard& a, const ModelCard& b) {
  return a.name == b.name && a.version == b.version && a.description == b.description &&
         a.licence == b.licence && a.source == b.source && a.sha256 == b.sha256 && Same(a.input, b.input) &&
         Same(a.head, b.head);
}

// Draws cards that a file may hold.
class CardMaker {
 public:
  explicit CardMaker(uint32_t seed) : random_(seed) {}

  ModelCard Make() {
    ModelCard card;
    card.name = Flip() ? "m" + std::to_string(Below(100)) : "";
    if (Flip()) card.version = std::to_string(Below(1000)) + ".0-rc_1";
    card.description = Text();
    card.licence = Text();
    card.source = Text();
    if (Flip()) card.sha256 = std::string(64, "0123456789abcdef"[Below(16)]);
    FillInput(&card.input);
    FillHead(&card.head);
    return card;
  }

 private:
  int Below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  bool Flip() { return Below(2) == 0; }
  float Real(float low, float high) {
    if (Below(4) == 0) return std::clamp(static_cast<float>(Below(3)), low, high);
    return std::uniform_real_distribution<float>(low, high)(random_);
  }
  std::string Text() {
    static const std::vector<std::string> pieces = {"no",
                                                    "null",
                                                    "~",
                                                    "true",
                                                    "0123",
                                                    "1e3",
                                                    "a: b",
                                                    " # c",
                                                    "- d",
                                                    "\"",
                                                    "\\",
                                                    "'",
                                                    "\n",
                                                    "\t",
                                                    "[x]",
                                                    "{y}",
                                                    "&a",
                                                    "*b",
                                                    "!c",
                                                    "%",
                                                    "@",
                                                    "`",
                                                    "|",
                                                    ">",
                                                    "Grüße",
                                                    "猫",
                                                    "",
                                                    " ",
                                                    "person",
                                                    "2024-01-01",
                                                    ":",
                                                    "?",
                                                    "---",
                                                    "...",
                                                    "\x01",
                                                    "\x7f",
                                                    "\xC2\x85",
                                                    "\xE2\x80\xA8",
                                                    "\xF0\x9F\x90\x88",
                                                    "0x1F",
                                                    ".inf"};
    std::string text;
    for (int i = Below(4); i > 0; --i) text += pieces[Below(static_cast<int>(pieces.size()))];
    return text;
  }
  std::vector<std::string> Texts(int max) {
    std::vector<std::string> texts(Below(max + 1));
    for (std::string& text : texts) text = Text();
    return texts;
  }
  void FillInput(InputCard* input) {
    input->name = Text();
    input->width = Below(2000);
    input->height = Below(2000);
    if (Flip()) input->size_multiple = 1 + Below(64);
    if (Flip()) input->size_max = 1 + Below(4000);
    input->layout = static_cast<TensorLayout>(Below(2));
    input->type = static_cast<ElementType>(Below(3));
    input->color = static_cast<ColorOrder>(Below(3));
    input->resize = static_cast<ResizeMode>(Below(3));
    input->anchor = static_cast<LetterboxAnchor>(Below(2));
    const int channels = input->color == ColorOrder::kGray || Flip() ? 1 : 3;
    const auto fill = [&](std::array<float, 3>* values, float low, float high) {
      for (int c = 0; c < 3; ++c) (*values)[c] = c < channels ? Real(low, high) : (*values)[0];
    };
    fill(&input->pad, 0, 255);
    input->cut_padding = Flip();
    fill(&input->mean, -300, 300);
    fill(&input->std, 0.01f, 300);
    input->scale = Flip() ? 1.0f / static_cast<float>(1 + Below(300)) : Real(0.0001f, 2);
  }
  void FillRows(std::vector<std::vector<float>>* rows, size_t count) {
    rows->resize(count);
    for (auto& row : *rows) {
      row.resize(2 * (1 + Below(3)));
      for (float& value : row) value = Real(0, 600);
    }
  }
  void FillHead(HeadCard* head) {
    static const std::vector<std::string> families = {"yolox",      "yolov5",   "yolov8", "nanodet",
                                                      "ssd",        "scrfd",    "yunet",  "classify",
                                                      "attributes", "embedding"};
    head->family = families[Below(10)];
    head->labels = Texts(40);
    head->min_score = Real(0, 1);
    head->iou = Real(0, 1);
    head->class_agnostic = Flip();
    head->max_detections = 1 + Below(1000);
    head->strides.resize(Below(5));
    for (int& stride : head->strides) stride = 1 + Below(128);
    if (Flip()) FillRows(&head->anchors, head->strides.size());
    if (Flip()) FillRows(&head->min_sizes, head->strides.size());
    head->boxes_decoded = Flip();
    head->variances = {Real(0.01f, 1), Real(0.01f, 1)};
    head->background_class = Below(5) - 1;
    head->keypoints = Below(20);
    head->regression_bins = 1 + Below(32);
    head->top_k = 1 + Below(10);
    head->logits = Flip();
    head->normalize = Flip();
    for (int i = Below(4); i > 0; --i) head->outputs["role" + Text()] = Text();
    if (head->family != "attributes") return;
    for (int i = 1 + Below(4); i > 0; --i) {
      AttributeCard attribute;
      attribute.name = Text() + std::to_string(i);
      attribute.output = Text();
      attribute.kind = static_cast<AttributeKind>(Below(4));
      attribute.logits = Flip();
      attribute.offset = Below(10);
      if (attribute.kind == AttributeKind::kSoftmax) attribute.labels = Texts(8);
      if (attribute.kind == AttributeKind::kSigmoid) attribute.labels = Texts(2);
      attribute.count = Flip() ? static_cast<int>(attribute.labels.size()) : 0;
      if (attribute.kind == AttributeKind::kExpectation && Flip())
        attribute.values = {0, 1.5f, Real(-10, 100)};
      attribute.scale = Real(-100, 100);
      attribute.bias = Real(-100, 100);
      attribute.unit = Text();
      head->attributes.push_back(attribute);
    }
  }

  std::mt19937 random_;
};

TEST(ModelCard, what_is_written_reads_back_the_same) {
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    const ModelCard card = CardMaker(seed).Make();
    const std::string yaml =
        FormatModelCard(card, {{"head.family", "a # remark\nover lines"}, {"input", "x"}});
    const auto read = ParseModelCard(yaml, "model.yaml");
    ASSERT_TRUE(read.ok()) << "seed " << seed << ": " << MessageOf(read.status()) << "\n" << yaml;
    ASSERT_TRUE(Same(card, *read)) << "seed " << seed << "\n"
                                   << yaml << "\nread back:\n"
                                   << FormatModelCard(*read, {});
  }
}

ModelCard MustParse(std::string_view yaml) {
  const auto card = ParseModelCard(yaml, "models/tiny/model.yaml");
  EXPECT_TRUE(card.ok()) << MessageOf(card.status());
  return card.ok() ? *card : ModelCard();
}

TEST(ModelCard, fills_in_every_default) {
  ModelCard expected;
  expected.name = "tiny";
  expected.head.family = "yolox";
  EXPECT_TRUE(Same(MustParse("head: {family: yolox}"), expected));
}

TEST(ModelCard, takes_labels_as_list_map_or_name) {
  EXPECT_THAT(MustParse("head: {family: classify, labels: [no, 0123, null, ~, true, 'a']}").head.labels,
              ElementsAre("no", "0123", "null", "~", "true", "a"));
  EXPECT_THAT(MustParse("head:\n  family: classify\n  labels:\n    1: car\n    0: null\n").head.labels,
              ElementsAre("null", "car"));
  const auto coco = MustParse("head: {family: yolox, labels: coco80}").head.labels;
  ASSERT_EQ(coco.size(), 80u);
  EXPECT_EQ(coco[0], "person");
  EXPECT_EQ(coco[39], "bottle");
  EXPECT_EQ(coco[79], "toothbrush");
}

TEST(ModelCard, one_value_stands_for_all_channels) {
  const InputCard input =
      MustParse("input: {mean: 0.5, std: [0.25], scale: 1/255, pad: [1, 2, 3]}\nhead: {family: yolox}").input;
  EXPECT_THAT(input.mean, ElementsAre(0.5f, 0.5f, 0.5f));
  EXPECT_THAT(input.std, ElementsAre(0.25f, 0.25f, 0.25f));
  EXPECT_THAT(input.pad, ElementsAre(1, 2, 3));
  EXPECT_FLOAT_EQ(input.scale, 1 / 255.0f);
}

TEST(ModelCard, writes_what_differs_and_what_matters) {
  ModelCard card;
  card.name = "tiny";
  card.input.width = card.input.height = 416;
  card.input.color = ColorOrder::kBgr;
  card.input.scale = 1 / 255.0f;
  card.head.family = "yolox";
  card.head.labels = {"no", "dog"};
  EXPECT_EQ(FormatModelCard(card, {{"input.color", "assumed: customary for yolox"}}),
            "name: tiny\n"
            "version: \"1\"\n"
            "input:\n"
            "  width: 416\n"
            "  height: 416\n"
            "  color: bgr  # assumed: customary for yolox\n"
            "  resize: letterbox\n"
            "  scale: 1/255\n"
            "head:\n"
            "  family: yolox\n"
            "  labels: [\"no\", dog]\n"
            "  min_score: 0.3\n");
}

TEST(ModelCard, sets_one_value_by_its_path) {
  ModelCard card;
  card.head.family = "yolox";
  EXPECT_TRUE(SetCardValue("input.color", "bgr", &card).ok());
  EXPECT_EQ(card.input.color, ColorOrder::kBgr);
  EXPECT_TRUE(SetCardValue("head.min_score", "0.7", &card).ok());
  EXPECT_EQ(card.head.min_score, 0.7f);
  EXPECT_TRUE(SetCardValue("head.labels", "[a, b]", &card).ok());
  EXPECT_THAT(card.head.labels, ElementsAre("a", "b"));
  EXPECT_TRUE(SetCardValue("head.labels", "coco80", &card).ok());
  EXPECT_EQ(card.head.labels.size(), 80u);
  EXPECT_TRUE(SetCardValue("head.outputs.boxes", "out_7", &card).ok());
  EXPECT_EQ(card.head.outputs.at("boxes"), "out_7");
  EXPECT_EQ(MessageOf(SetCardValue("input.colour", "bgr", &card)),
            "input: unknown key 'colour'; did you mean 'color'?");
  EXPECT_EQ(MessageOf(SetCardValue("head.min_score", "2", &card)),
            "head.min_score: wanted a number from 0 to 1, found '2'");
  EXPECT_THAT(MessageOf(SetCardValue("..", "2", &card)), HasSubstr("not a key path"));
  EXPECT_EQ(card.head.min_score, 0.7f);
}

TEST(ModelCard, a_draft_that_lacks_things_takes_values) {
  ModelCard card;  // no family yet
  EXPECT_TRUE(SetCardValue("input.width", "64", &card).ok());
  EXPECT_EQ(card.input.width, 64);
  EXPECT_TRUE(SetCardValue("head.attributes[0].name", "age", &card).ok()) << "the family is still open";
}

}  // namespace
}  // namespace sightline::pipeline
