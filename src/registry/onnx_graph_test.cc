#include "registry/onnx_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/file.h"
#include "base/status.h"
#include "base/test_assets.h"
#include "base/text.h"
#include "stages/infer/tiny_onnx.h"

namespace sightline::registry {
namespace {

using ::testing::HasSubstr;
using namespace infer::tiny_onnx;  // NOLINT: the test's vocabulary

absl::Span<const uint8_t> Span(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

absl::StatusOr<GraphSummary> Read(std::string_view model, bool flops = false) {
  GraphReadOptions options;
  options.estimate_flops = flops;
  options.open_size = {8, 8};
  return ReadGraph(Span(model), options);
}

std::string Refusal(std::string_view model) {
  const auto graph = Read(model);
  return graph.ok() ? "read" : std::string(MessageOf(graph.status()));
}

// y = Conv(x[1,3,height,8], w[4,3,3,3]), no padding: y is [1,4,height-2,6].
std::string ConvModel(int64_t height) {
  const std::string weight = FloatTensor("w", {4, 3, 3, 3}, std::string(4 * 27 * 4, '\0'));
  return Model(Field(1, Node("Conv", {"x", "w"}, "y")) + Field(2, "g") + Field(5, weight) +
               Field(11, FloatValue("x", {1, 3, height, 8})) + Field(12, FloatValue("y", {1, 4, -1, -1})));
}

TEST(ReadGraph, says_what_the_file_says) {
  const std::string metadata = Field(14, Field(1, "names") + Field(2, "{0: 'cat'}"));
  const auto graph = Read(ConvModel(-1) + metadata);
  ASSERT_TRUE(graph.ok()) << graph.status();
  ASSERT_EQ(graph->signature.inputs.size(), 1u);  // w is an initializer
  EXPECT_EQ(graph->signature.inputs[0].name, "x");
  EXPECT_EQ(graph->signature.inputs[0].shape, (Shape{1, 3, -1, 8}));
  EXPECT_EQ(graph->signature.inputs[0].dimension_names[2], "n");
  EXPECT_EQ(graph->signature.outputs[0].shape, (Shape{1, 4, -1, -1}));
  EXPECT_EQ(graph->signature.metadata.at("names"), "{0: 'cat'}");
  EXPECT_EQ(graph->signature.producer, "tiny");
  EXPECT_EQ(graph->opsets.at("ai.onnx"), 13);
  EXPECT_EQ(graph->operators.at("Conv"), 1);
  EXPECT_EQ(graph->parameters, 4 * 27);
}

TEST(ReadGraph, estimates_the_arithmetic) {
  const auto fixed = Read(ConvModel(8), true);
  ASSERT_TRUE(fixed.ok());
  ASSERT_TRUE(fixed->flops.has_value());
  EXPECT_EQ(fixed->flops->flops, 2.0 * 4 * 6 * 6 * 27);  // by hand
  EXPECT_FALSE(fixed->flops->assumed_open);
  const auto open = Read(ConvModel(-1), true);
  ASSERT_TRUE(open.ok() && open->flops.has_value());
  EXPECT_EQ(open->flops->flops, 2.0 * 4 * 6 * 6 * 27);
  EXPECT_TRUE(open->flops->assumed_open);
}

TEST(ReadGraph, counts_what_it_cannot_infer) {
  const auto graph =
      Read(Model(Field(1, Node("Mystery", {"x"}, "z", "vendor")) + Field(1, Node("MatMul", {"z", "z"}, "y")) +
                 Field(11, FloatValue("x", {2, 2})) + Field(12, FloatValue("y", {2, 2}))),
           true);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->operators.at("vendor:Mystery"), 1);
  ASSERT_TRUE(graph->flops.has_value());
  EXPECT_EQ(graph->flops->unknown, 1);
}

TEST(ReadGraph, names_external_files_without_opening_them) {
  const auto graph = Read(ScaleModel(ExternalTensor("w", {3}, "../../gone.bin", 0, 12), 1));
  ASSERT_TRUE(graph.ok());
  EXPECT_THAT(graph->external_files, testing::ElementsAre("../../gone.bin"));
}

TEST(ReadGraph, refuses_what_is_no_graph) {
  EXPECT_THAT(Refusal(""), HasSubstr("empty"));
  EXPECT_THAT(Refusal(Number(1, 7)), HasSubstr("no graph"));
  EXPECT_THAT(Refusal("some words that are no model at all"), HasSubstr("no ONNX file"));
  EXPECT_THAT(Refusal(ConvModel(8).substr(0, 200)), HasSubstr("cut"));
  std::string nested = Node("If", {"x"}, "y");
  for (int i = 0; i < 60; ++i)
    nested = Node("If", {"x"}, "y") + Field(5, Field(1, "then") + Field(6, Field(1, nested)));
  EXPECT_THAT(Refusal(Model(Field(1, nested))), HasSubstr("nested"));
  GraphReadOptions few;
  few.nodes_max = 2;
  std::string nodes;
  for (int i = 0; i < 3; ++i) nodes += Field(1, Node("Relu", {"x"}, "y"));
  EXPECT_TRUE(absl::IsResourceExhausted(ReadGraph(Span(Model(nodes)), few).status()));
}

TEST(ReadGraph, parameter_counts_do_not_overflow) {
  const std::string huge = FloatTensor("w", {1ll << 40, 1ll << 40}, "");
  const std::string large = FloatTensor("v", {1ll << 62, 1}, "");
  std::string graph = Field(1, Node("Relu", {"x"}, "y")) + Field(5, huge);
  for (int i = 0; i < 4; ++i) graph += Field(5, large);
  const auto summary = Read(Model(graph));
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->parameters, INT64_MAX);
}

// Every outcome is fine but a crash, a hang or an unbounded allocation.
void Mutate(const std::string& whole, int rounds, bool flops) {
  const unsigned seed = 20240611;
  std::mt19937 random(seed);
  for (int round = 0; round < rounds; ++round) {
    std::string bytes = whole;
    if (round % 3 == 0) bytes.resize(random() % bytes.size());
    for (unsigned i = 0, count = 1 + random() % 8; i < count && !bytes.empty(); ++i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    (void)Read(bytes, flops).ok();
  }
}

TEST(ReadGraph, survives_mutations) {
  Mutate(ConvModel(8), 20'000, false);
  Mutate(ConvModel(8), 100, true);
}

TEST(ReadGraph, survives_mutations_of_a_real_model) {
  SKIP_WITHOUT_ASSETS();
  const auto bytes = ReadTextFile(AssetsFolder() / "models/mnist_12.onnx", 1 << 20);
  ASSERT_TRUE(bytes.ok());
  Mutate(*bytes, 2000, false);
  Mutate(*bytes, 60, true);
}

// Published: YOLOX-Nano 0.91 M parameters and 1.08 GFLOPs (the YOLOX paper, at 416); OSNet x0.25 82.3 M
// multiply-adds.
TEST(ReadGraph, agrees_with_published_figures) {
  SKIP_WITHOUT_ASSETS();
  GraphReadOptions options;
  options.estimate_flops = true;
  const auto yolox = ReadGraphFile(AssetsFolder() / "models/yolox_nano_416.onnx", options);
  ASSERT_TRUE(yolox.ok() && yolox->flops.has_value());
  EXPECT_NEAR(yolox->flops->flops / 1e9, 1.08, 0.1);
  EXPECT_NEAR(static_cast<double>(yolox->parameters) / 1e6, 0.91, 0.03);
  EXPECT_EQ(yolox->flops->unknown, 0);
  const auto osnet = ReadGraphFile(AssetsFolder() / "models/osnet_x0_25_msmt17.onnx", options);
  ASSERT_TRUE(osnet.ok() && osnet->flops.has_value());
  EXPECT_NEAR(osnet->flops->flops / 2e6, 82.3, 5);
}

TEST(ReadGraph, explains_the_real_broken_files) {
  SKIP_WITHOUT_ASSETS();
  const auto read = [](const char* name) { return ReadGraphFile(AssetsFolder() / "models/bad" / name, {}); };
  EXPECT_THAT(std::string(MessageOf(read("lfs_pointer_age_gender.onnx").status())),
              HasSubstr("git-lfs pointer"));
  EXPECT_THAT(std::string(MessageOf(read("empty_sceneseg_int8.onnx").status())), HasSubstr("is empty"));
  const auto missing = read("missing_external_data_mobilenet_v2_fp32.onnx");
  ASSERT_TRUE(missing.ok()) << missing.status();  // inspect works without the weights
  EXPECT_EQ(missing->external_files.size(), 1u);
}

}  // namespace
}  // namespace sightline::registry
