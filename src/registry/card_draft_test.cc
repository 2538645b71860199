#include "registry/card_draft.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/status.h"
#include "base/test_assets.h"
#include "base/text.h"

namespace sightline::registry {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TensorSpec Spec(std::string name, Shape shape) {
  TensorSpec spec;
  spec.name = std::move(name);
  spec.dimension_names.resize(shape.size());
  spec.shape = std::move(shape);
  return spec;
}

GraphSummary ClassifierGraph(std::string last_operator) {
  GraphSummary graph;
  graph.signature.inputs = {Spec("x", {1, 3, 224, 224})};
  graph.signature.outputs = {Spec("y", {1, 12})};
  graph.output_operators["y"] = std::move(last_operator);
  return graph;
}

absl::StatusOr<CardDraft> Draft(const GraphSummary& graph, DraftOptions options = {}) {
  options.name = "net";
  return DraftCard(graph, options);
}

TEST(DraftCard, sees_a_softmax_behind_the_output) {
  const auto logits = Draft(ClassifierGraph("Gemm")), probabilities = Draft(ClassifierGraph("Softmax"));
  ASSERT_TRUE(logits.ok() && probabilities.ok()) << logits.status();
  EXPECT_TRUE(logits->card.head.logits);
  EXPECT_FALSE(probabilities->card.head.logits);
}

TEST(DraftCard, what_the_user_says_is_no_longer_unknown) {
  const auto open = Draft(ClassifierGraph("Gemm"));
  ASSERT_TRUE(open.ok());
  EXPECT_THAT(open->unknown, Contains(StartsWith("labels:")));
  auto folder = TemporaryFolder::Create();
  ASSERT_TRUE(folder.ok());
  std::string names;
  for (int i = 0; i < 12; ++i) names += fmt::format("class {}\r\n", i);
  ASSERT_TRUE(WriteFileAtomically(folder->path() / "names.txt", names).ok());
  DraftOptions options;
  options.labels = (folder->path() / "names.txt").string();
  options.set = {{"input.mean", "[1, 2, 3]"}};
  const auto told = Draft(ClassifierGraph("Gemm"), options);
  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_TRUE(told->unknown.empty()) << told->unknown[0];
  EXPECT_EQ(told->card.head.labels[11], "class 11");
  EXPECT_EQ(told->not_usable, "");
}

TEST(DraftCard, refuses_labels_that_do_not_fit) {
  DraftOptions options;
  options.labels = "coco80";
  const auto draft = Draft(ClassifierGraph("Gemm"), options);
  EXPECT_TRUE(absl::IsInvalidArgument(draft.status()));
  EXPECT_THAT(std::string(MessageOf(draft.status())), HasSubstr("80"));
}

TEST(DraftCard, lists_the_families_when_it_knows_none) {
  GraphSummary graph;
  graph.signature.inputs = {Spec("x", {1, 3, 352, 352})};
  graph.signature.outputs = {Spec("y", {1, 85, 22, 22})};
  const auto draft = Draft(graph);
  EXPECT_TRUE(absl::IsFailedPrecondition(draft.status()));
  EXPECT_THAT(std::string(MessageOf(draft.status())), HasSubstr("y float32[1,85,22,22]"));
  EXPECT_THAT(std::string(MessageOf(draft.status())), HasSubstr("--family: yolox"));
}

TEST(ReadLabelFile, refuses_what_is_no_list) {
  auto folder = TemporaryFolder::Create();
  ASSERT_TRUE(folder.ok());
  const auto read = [&](std::string_view text) {
    EXPECT_TRUE(WriteFileAtomically(folder->path() / "l.txt", text).ok());
    return ReadLabelFile((folder->path() / "l.txt").string());
  };
  EXPECT_FALSE(read("").ok());
  EXPECT_FALSE(read("a\n\nb\n").ok());
  EXPECT_FALSE(read(std::string("a\0b", 3)).ok());
  EXPECT_FALSE(read(std::string(5000, 'x')).ok());
  const auto good = read(" a \nb\n\n");
  ASSERT_TRUE(good.ok());
  EXPECT_THAT(*good, ElementsAre("a", "b"));
}

// What MANIFEST.md of the assets says of each model. `unknown`: topics that the graph cannot show and that
// the draft has to name; everything else of the row has to be right.
struct Expected {
  const char* file;
  const char* family;
  Size size;
  TensorLayout layout;
  ColorOrder color;
  ResizeMode resize;
  std::array<float, 3> mean, std;
  float scale;
  std::vector<std::string> unknown;
};
constexpr std::array<float, 3> kZero = {0, 0, 0}, kOne = {1, 1, 1};

TEST(DraftCard, real_models_get_the_cards_that_their_authors_describe) {
  SKIP_WITHOUT_ASSETS();
  constexpr auto kNchw = TensorLayout::kNchw;
  constexpr auto kRgb = ColorOrder::kRgb, kBgr = ColorOrder::kBgr;
  constexpr auto kBox = ResizeMode::kLetterbox, kFill = ResizeMode::kStretch;
  const std::array<float, 3> face_mean = {122.782f, 117.001f, 104.298f}, face_std = {256, 256, 256};
  const std::array<float, 3> mean127 = {127, 127, 127}, std128 = {128, 128, 128}, half = {0.5f, 0.5f, 0.5f};
  const std::array<float, 3> net_mean = {0.485f, 0.456f, 0.406f}, net_std = {0.229f, 0.224f, 0.225f};
  const std::array<float, 3> nano_mean = {103.53f, 116.28f, 123.675f}, nano_std = {57.375f, 57.12f, 58.395f};
  const Expected all[] = {
      {"yolox_nano_416", "yolox", {416, 416}, kNchw, kBgr, kBox, kZero, kOne, 1, {"labels"}},
      {"nanodet_m_320", "nanodet", {320, 320}, kNchw, kBgr, kBox, nano_mean, nano_std, 1, {"labels"}},
      {"ultraface_rfb_320", "ssd", {320, 240}, kNchw, kRgb, kFill, mean127, std128, 1, {}},
      {"ultraface_rfb_320_nopost", "ssd", {320, 240}, kNchw, kRgb, kFill, mean127, std128, 1, {}},
      {"yunet_n_640", "yunet", {640, 640}, kNchw, kBgr, kBox, kZero, kOne, 1, {}},
      {"yunet_n_dynamic", "yunet", {0, 0}, kNchw, kBgr, kBox, kZero, kOne, 1, {}},
      {"faceapi_age_gender",
       "attributes",
       {112, 112},
       kNchw,
       kRgb,
       kBox,
       face_mean,
       face_std,
       1,
       {"input", "attributes.gender"}},
      {"pcb_simple_cnn_fp32",
       "classify",
       {64, 64},
       kNchw,
       ColorOrder::kGray,
       kFill,
       half,
       half,
       1 / 255.f,
       {"input", "labels"}},
      {"pcb_simple_cnn_int8",
       "classify",
       {64, 64},
       kNchw,
       ColorOrder::kGray,
       kFill,
       half,
       half,
       1 / 255.f,
       {"input", "labels"}},
      {"osnet_x0_25_msmt17",
       "embedding",
       {128, 256},
       kNchw,
       kRgb,
       kFill,
       net_mean,
       net_std,
       1 / 255.f,
       {"input"}},
      {"person_reid_retail_0288",
       "embedding",
       {128, 256},
       TensorLayout::kNhwc,
       kBgr,
       kFill,
       kZero,
       kOne,
       1,
       {"input"}},
      {"mnist_12",
       "classify",
       {28, 28},
       kNchw,
       ColorOrder::kGray,
       kFill,
       kZero,
       kOne,
       1,
       {"input", "labels"}},
  };
  for (const Expected& expected : all) {
    SCOPED_TRACE(expected.file);
    const auto graph = ReadGraphFile(AssetsFolder() / fmt::format("models/{}.onnx", expected.file), {});
    ASSERT_TRUE(graph.ok()) << graph.status();
    const auto draft = Draft(*graph);
    ASSERT_TRUE(draft.ok()) << draft.status();
    const InputCard& input = draft->card.input;
    EXPECT_EQ(draft->card.head.family, expected.family);
    EXPECT_EQ((Size{input.width, input.height}), expected.size);
    EXPECT_EQ(input.layout, expected.layout);
    EXPECT_EQ(input.color, expected.color);
    EXPECT_EQ(input.resize, expected.resize);
    EXPECT_EQ(input.type, ElementType::kFloat32);
    EXPECT_FLOAT_EQ(input.scale, expected.scale);
    for (size_t c = 0; c < (input.color == ColorOrder::kGray ? 1u : 3u); ++c) {
      EXPECT_FLOAT_EQ(input.mean[c], expected.mean[c]);
      EXPECT_FLOAT_EQ(input.std[c], expected.std[c]);
    }
    std::vector<std::string> topics;
    for (const std::string& line : draft->unknown) topics.push_back(line.substr(0, line.find(':')));
    EXPECT_THAT(topics, testing::UnorderedElementsAreArray(expected.unknown));
    EXPECT_EQ(draft->not_usable, "");
  }
}

TEST(DraftCard, tells_decoded_boxes_from_offsets) {
  SKIP_WITHOUT_ASSETS();
  const auto decoded = ReadGraphFile(AssetsFolder() / "models/ultraface_rfb_320.onnx", {});
  const auto raw = ReadGraphFile(AssetsFolder() / "models/ultraface_rfb_320_nopost.onnx", {});
  ASSERT_TRUE(decoded.ok() && raw.ok());
  EXPECT_TRUE(Draft(*decoded)->card.head.boxes_decoded);
  EXPECT_FALSE(Draft(*raw)->card.head.boxes_decoded);
}

TEST(DraftCard, does_not_guess_at_a_family_that_it_does_not_have) {
  SKIP_WITHOUT_ASSETS();
  const auto graph = ReadGraphFile(AssetsFolder() / "models/fastestdet_352.onnx", {});
  ASSERT_TRUE(graph.ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(Draft(*graph).status()));
}

}  // namespace
}  // namespace sightline::registry
