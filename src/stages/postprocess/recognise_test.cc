// Which family a graph's signature is taken for, and what the drafted card says. The signatures are those of
// published models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "base/text.h"
#include "stages/postprocess/head.h"
#include "stages/postprocess/signature.h"

namespace sightline::postprocess {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TensorSpec Spec(std::string name, Shape shape, ElementType type = ElementType::kFloat32) {
  TensorSpec spec{std::move(name), type, std::move(shape), {}};
  spec.dimension_names.resize(spec.shape.size());
  return spec;
}

GraphSignature Graph(TensorSpec input, std::vector<TensorSpec> outputs,
                     std::map<std::string, std::string> metadata = {}, std::string producer = "pytorch") {
  return {{std::move(input)}, std::move(outputs), std::move(metadata), std::move(producer)};
}

// The recognition, which must be of `family`; its head must be creatable as drafted.
Recognition Recognised(const GraphSignature& graph, std::string_view family) {
  auto found = RecogniseHead(graph);
  if (!found) {
    ADD_FAILURE() << "not recognised";
    return {};
  }
  EXPECT_EQ(found->first->name, family) << found->second.reason;
  EXPECT_EQ(found->second.head.family, family);
  EXPECT_FALSE(found->second.reason.empty());
  ModelCard card;
  card.head = found->second.head;
  card.input = found->second.input;
  if (card.head.labels.empty() && found->first->task == Task::kDetect) {
    // A number of classes that the graph leaves open is the only thing that creation may still need.
    const auto head = found->first->create(card, graph);
    EXPECT_TRUE(head.ok() || MessageOf(head.status()).find("head.labels") != std::string_view::npos)
        << head.status();
  } else {
    EXPECT_TRUE(found->first->create(card, graph).ok()) << found->first->create(card, graph).status();
  }
  return found->second;
}

const std::vector<TensorSpec> kYunetOutputs = [] {
  std::vector<TensorSpec> outputs;
  const std::pair<const char*, int> roles[] = {{"cls", 1}, {"obj", 1}, {"bbox", 4}, {"kps", 10}};
  for (const auto& [role, columns] : roles) {
    for (const int stride : {8, 16, 32}) {
      outputs.push_back(Spec(fmt::format("{}_{}", role, stride), {-1, -1, columns}));
    }
  }
  return outputs;
}();

TEST(RecogniseTest, yolox) {
  const Recognition r =
      Recognised(Graph(Spec("images", {1, 3, 416, 416}), {Spec("output", {1, 3549, 85})}), "yolox");
  EXPECT_GE(r.confidence, 90);
  EXPECT_EQ(r.input.color, ColorOrder::kBgr);
  EXPECT_EQ(r.input.anchor, LetterboxAnchor::kTopLeft);
  EXPECT_EQ(r.input.resize, ResizeMode::kLetterbox);
  EXPECT_THAT(r.input.pad, ElementsAre(114, 114, 114));
  EXPECT_EQ(r.input.scale, 1);
  EXPECT_EQ(r.input.width, 416);
  EXPECT_THAT(r.unknown, ElementsAre(HasSubstr("--labels coco80")));
}

TEST(RecogniseTest, yolov5_by_three_anchors_a_cell) {
  const Recognition r = Recognised(Graph(Spec("images", {1, 3, 640, 640}), {Spec("output0", {1, 25200, 7})},
                                         {{"names", "{0: 'cat', 1: 'dog'}"}}),
                                   "yolov5");
  EXPECT_GE(r.confidence, 90);
  EXPECT_THAT(r.head.labels, ElementsAre("cat", "dog"));
  EXPECT_EQ(r.input.anchor, LetterboxAnchor::kCenter);
  EXPECT_FLOAT_EQ(r.input.scale, 1 / 255.f);
  EXPECT_THAT(r.unknown, IsEmpty());
}

TEST(RecogniseTest, yolov5_raw_levels) {
  Recognised(
      Graph(Spec("images", {1, 3, 640, 640}),
            {Spec("p3", {1, 3, 80, 80, 85}), Spec("p4", {1, 3, 40, 40, 85}), Spec("p5", {1, 3, 20, 20, 85})}),
      "yolov5");
}

TEST(RecogniseTest, yolov8_both_ways_round) {
  EXPECT_GE(Recognised(Graph(Spec("images", {1, 3, 640, 640}), {Spec("output0", {1, 84, 8400})}), "yolov8")
                .confidence,
            90);
  EXPECT_GE(Recognised(Graph(Spec("images", {1, 3, 640, 640}), {Spec("output0", {1, 8400, 84})}), "yolov8")
                .confidence,
            90);
}

TEST(RecogniseTest, ultralytics_metadata_gives_labels_and_size) {
  const Recognition r = Recognised(Graph(Spec("images", {-1, 3, -1, -1}), {Spec("output0", {-1, 7, -1})},
                                         {{"author", "Ultralytics"},
                                          {"task", "detect"},
                                          {"stride", "32"},
                                          {"imgsz", "[480, 640]"},
                                          {"names", "{0: 'a', 1: \"b's\", 2: 'c, {d}'}"}}),
                                   "yolov8");
  EXPECT_THAT(r.head.labels, ElementsAre("a", "b's", "c, {d}"));
  EXPECT_EQ(r.input.width, 640);
  EXPECT_EQ(r.input.height, 480);
  EXPECT_EQ(r.input.size_multiple, 32);
  EXPECT_THAT(r.unknown, IsEmpty());
}

TEST(RecogniseTest, yolov8_segmentation_pose_and_end_to_end) {
  Recognised(Graph(Spec("images", {1, 3, 640, 640}),
                   {Spec("output0", {1, 116, 8400}), Spec("output1", {1, 32, 160, 160})}),
             "yolov8");
  const Recognition pose =
      Recognised(Graph(Spec("images", {1, 3, 640, 640}), {Spec("output0", {1, 56, 8400})},
                       {{"task", "pose"}, {"kpt_shape", "[17, 3]"}, {"names", "{0: 'person'}"}}),
                 "yolov8");
  EXPECT_EQ(pose.head.keypoints, 17);
  EXPECT_THAT(pose.head.labels, ElementsAre("person"));
  EXPECT_THAT(
      Recognised(Graph(Spec("images", {1, 3, 640, 640}), {Spec("output0", {1, 300, 6})}), "yolov8").reason,
      HasSubstr("already suppressed"));
}

TEST(RecogniseTest, nanodet_by_its_output_names) {
  const Recognition r =
      Recognised(Graph(Spec("input.1", {1, 3, 320, 320}),
                       {Spec("cls_pred_stride_8", {1, 1600, 80}), Spec("cls_pred_stride_16", {1, 400, 80}),
                        Spec("cls_pred_stride_32", {1, 100, 80}), Spec("dis_pred_stride_8", {1, 1600, 32}),
                        Spec("dis_pred_stride_16", {1, 400, 32}), Spec("dis_pred_stride_32", {1, 100, 32})}),
                 "nanodet");
  EXPECT_GE(r.confidence, 90);
  EXPECT_THAT(r.input.mean, ElementsAre(103.53f, 116.28f, 123.675f));
  EXPECT_EQ(r.input.color, ColorOrder::kBgr);
  EXPECT_THAT(r.input.pad, ElementsAre(0, 0, 0));
}

TEST(RecogniseTest, nanodet_plus_by_four_levels) {
  const Recognition r =
      Recognised(Graph(Spec("data", {1, 3, 416, 416}), {Spec("output", {1, 3598, 112})}), "nanodet");
  EXPECT_THAT(r.head.strides, ElementsAre(8, 16, 32, 64));
}

TEST(RecogniseTest, ultraface_says_what_it_cannot_know) {
  const Recognition r = Recognised(
      Graph(Spec("input", {1, 3, 240, 320}), {Spec("scores", {1, 4420, 2}), Spec("boxes", {1, 4420, 4})}),
      "ssd");
  EXPECT_GE(r.confidence, 90);
  EXPECT_THAT(r.head.labels, ElementsAre("face"));
  EXPECT_EQ(r.head.background_class, 0);
  EXPECT_TRUE(r.head.boxes_decoded);
  EXPECT_THAT(r.unknown, ElementsAre(HasSubstr("head.boxes_decoded")));
  EXPECT_EQ(r.input.resize, ResizeMode::kStretch);
  EXPECT_THAT(r.input.mean, ElementsAre(127, 127, 127));
  EXPECT_THAT(r.input.std, ElementsAre(128, 128, 128));
}

TEST(RecogniseTest, yunet_keeps_open_sizes_open) {
  const Recognition r = Recognised(Graph(Spec("input", {-1, 3, -1, -1}), kYunetOutputs), "yunet");
  EXPECT_GE(r.confidence, 90);
  EXPECT_EQ(r.input.width, 0);
  EXPECT_EQ(r.input.height, 0);
  EXPECT_EQ(r.head.keypoints, 5);
  EXPECT_EQ(r.input.anchor, LetterboxAnchor::kTopLeft);
  EXPECT_THAT(r.unknown, IsEmpty());
}

TEST(RecogniseTest, scrfd_with_numbered_outputs) {
  std::vector<TensorSpec> outputs;
  int name = 443;
  for (const int columns : {1, 4, 10}) {
    for (const int cells : {6400, 1600, 400})
      outputs.push_back(Spec(fmt::format("{}", name++), {2 * cells, columns}));
  }
  const Recognition r = Recognised(Graph(Spec("input.1", {1, 3, -1, -1}), outputs), "scrfd");
  EXPECT_EQ(r.head.keypoints, 5);
  EXPECT_EQ(r.input.width, 640);
  EXPECT_THAT(r.input.mean, ElementsAre(127.5f, 127.5f, 127.5f));
}

TEST(RecogniseTest, classifiers) {
  EXPECT_GE(
      Recognised(Graph(Spec("data", {1, 3, 224, 224}), {Spec("resnet", {1, 1000})}), "classify").confidence,
      80);
  const Recognition boards =
      Recognised(Graph(Spec("input", {-1, 1, 64, 64}), {Spec("logits", {-1, 7})}), "classify");
  EXPECT_EQ(boards.input.color, ColorOrder::kGray);
  EXPECT_TRUE(boards.head.logits);
  EXPECT_THAT(boards.unknown, Contains(HasSubstr("labels: the graph has 7 classes")));
  const Recognition digits = Recognised(
      Graph(Spec("Input3", {1, 1, 28, 28}), {Spec("Plus214_Output_0", {1, 10})}, {}, "CNTK"), "classify");
  EXPECT_EQ(digits.input.color, ColorOrder::kGray);
  EXPECT_EQ(digits.input.scale, 1);
  const Recognition tensorflow =
      Recognised(Graph(Spec("x", {1, 224, 224, 3}), {Spec("probs", {1, 1000})}), "classify");
  EXPECT_EQ(tensorflow.input.layout, TensorLayout::kNhwc);
  EXPECT_FALSE(tensorflow.head.logits);
}

TEST(RecogniseTest, embeddings_of_persons) {
  const Recognition osnet =
      Recognised(Graph(Spec("images", {1, 3, 256, 128}), {Spec("output", {1, 512})}), "embedding");
  EXPECT_GE(osnet.confidence, 80);
  EXPECT_EQ(osnet.input.color, ColorOrder::kRgb);
  EXPECT_FLOAT_EQ(osnet.input.mean[0], 0.485f);
  const Recognition open_vino = Recognised(
      Graph(Spec("inputs:0", {1, 256, 128, 3}), {Spec("Identity:0", {1, 256})}, {}, "tf2onnx"), "embedding");
  EXPECT_EQ(open_vino.input.layout, TensorLayout::kNhwc);
  EXPECT_EQ(open_vino.input.color, ColorOrder::kBgr);
  EXPECT_EQ(open_vino.input.width, 128);
  EXPECT_EQ(open_vino.input.scale, 1);
}

TEST(RecogniseTest, age_and_gender) {
  const Recognition r = Recognised(
      Graph(Spec("input", {-1, 3, 112, 112}), {Spec("age", {-1, 1}), Spec("gender", {-1, 2})}), "attributes");
  ASSERT_EQ(r.head.attributes.size(), 2u);
  EXPECT_EQ(r.head.attributes[0].kind, AttributeKind::kRegression);
  EXPECT_THAT(r.head.attributes[1].labels, ElementsAre("male", "female"));
  EXPECT_THAT(r.input.mean, ElementsAre(122.782f, 117.001f, 104.298f));
  EXPECT_THAT(r.input.pad, ElementsAre(0, 0, 0));
  EXPECT_EQ(r.input.resize, ResizeMode::kLetterbox);
}

TEST(RecogniseTest, what_is_no_family_is_not_recognised) {
  EXPECT_FALSE(RecogniseHead(Graph(Spec("input.1", {1, 3, 352, 352}), {Spec("758", {1, 85, 22, 22})})));
  EXPECT_FALSE(RecogniseHead(Graph(Spec("tokens", {1, 128}), {Spec("logits", {1, 2})})));
  EXPECT_FALSE(RecogniseHead(GraphSignature()));
}

TEST(RecogniseTest, masks_of_yolov5_are_not_taken_for_classes) {
  EXPECT_FALSE(RecogniseHead(Graph(Spec("images", {1, 3, 640, 640}),
                                   {Spec("output0", {1, 25200, 117}), Spec("output1", {1, 32, 160, 160})})));
}

TEST(RecogniseTest, a_forced_family_that_cannot_be_says_why) {
  const GraphSignature graph = Graph(Spec("input.1", {1, 3, 352, 352}), {Spec("758", {1, 85, 22, 22})});
  for (const HeadFamily& family : HeadFamilies()) {
    const auto found = family.recognise(graph, /*forced=*/true);
    ASSERT_FALSE(found.ok()) << family.name;
    EXPECT_THAT(std::string(MessageOf(found.status())), HasSubstr(std::string(family.name)));
  }
}

TEST(ParseNamesTest, reads_what_exporters_write) {
  EXPECT_THAT(ParseNames("{0: 'person', 1: 'bicycle'}"), ElementsAre("person", "bicycle"));
  EXPECT_THAT(ParseNames(R"({"1": "b", "0": "a"})"), ElementsAre("a", "b"));
  EXPECT_THAT(ParseNames(R"(["a", 'it\'s', "q\"",])"), ElementsAre("a", "it's", "q\""));
  EXPECT_THAT(ParseNames("{0: 'a', }"), ElementsAre("a"));
  for (const char* bad : {"", "{", "{}", "[", "{0: 'a'", "{0: 'a', 2: 'c'}", "{0: 'a', 0: 'b'}", "{-1: 'a'}",
                          "{99999999: 'a'}", "{0 'a'}", "['a", "nothing", "{0: a}"}) {
    EXPECT_THAT(ParseNames(bad), IsEmpty()) << bad;
  }
}

TEST(ParseIntegersTest, reads_sizes) {
  EXPECT_THAT(ParseIntegers("[640, 480]", 3), ElementsAre(640, 480));
  EXPECT_THAT(ParseIntegers("32", 3), ElementsAre(32));
  EXPECT_THAT(ParseIntegers("[8.0, 16.0]", 3), ElementsAre(8, 16));
  EXPECT_THAT(ParseIntegers("none", 3), IsEmpty());
}

TEST(HeadTableTest, every_family_is_found_by_its_name) {
  EXPECT_EQ(HeadFamilies().size(), 10u);
  for (const HeadFamily& family : HeadFamilies()) EXPECT_EQ(FindHeadFamily(family.name)->name, family.name);
  EXPECT_EQ(FindHeadFamily("yolov9000"), nullptr);
}

}  // namespace
}  // namespace sightline::postprocess
