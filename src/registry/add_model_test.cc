#include "registry/add_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "base/status.h"
#include "base/test_assets.h"
#include "base/text.h"
#include "registry/model_store.h"
#include "registry/sha256.h"
#include "stages/infer/tiny_onnx.h"

namespace sightline::registry {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace infer::tiny_onnx;  // NOLINT: the test's vocabulary

// A classifier of three classes by its signature: x[1,3,32,32] -> y[1,3]. The weight is `tensor`.
std::string Classifier(std::string_view tensor) {
  return Model(Field(1, Node("GlobalAveragePool", {"x"}, "p")) + Field(1, Node("Flatten", {"p"}, "f")) +
               Field(1, Node("Mul", {"f", "w"}, "y")) + Field(2, "g") + Field(5, tensor) +
               Field(11, FloatValue("x", {1, 3, 32, 32})) + Field(12, FloatValue("y", {1, 3})));
}
std::string Weight() { return FloatTensor("w", {3}, FloatBytes({1, 2, 3})); }

class AddModelFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = TemporaryFolder::Create();
    ASSERT_TRUE(made.ok());
    temporary_ = std::make_unique<TemporaryFolder>(std::move(*made));
    options_.root = temporary_->path() / "models";
  }
  fs::path Write(const fs::path& name, std::string_view bytes) const {
    const fs::path path = temporary_->path() / name;
    fs::create_directories(path.parent_path());
    EXPECT_TRUE(WriteFileAtomically(path, bytes).ok());
    return path;
  }
  // Everything in the root, hidden leftovers too.
  std::vector<std::string> RootEntries() const {
    std::vector<std::string> names;
    if (!fs::exists(options_.root)) return names;
    for (const auto& entry : fs::directory_iterator(options_.root))
      names.push_back(entry.path().filename().string());
    return names;
  }
  std::unique_ptr<TemporaryFolder> temporary_;
  AddOptions options_;
};

TEST_F(AddModelFiles, says_that_an_operator_is_unknown) {
  options_.family = "classify";
  std::string graph = Classifier(Weight());
  graph.replace(graph.find("GlobalAveragePool"), 17, "GlobalAverageFrob");
  const auto added = AddModel(Write("net.onnx", graph), options_);
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_THAT(added->not_usable, testing::HasSubstr("unknown operator GlobalAverageFrob"));
}

TEST_F(AddModelFiles, makes_a_folder_that_the_store_finds) {
  options_.family = "classify";
  options_.labels = Write("labels.txt", "cat\ndog\nno\n").string();
  options_.set = {{"input.color", "bgr"}, {"head.top_k", "2"}};
  const auto added = AddModel(Write("My Net (v2).onnx", Classifier(Weight())), options_);
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_EQ(added->card.name, "My-Net-v2");
  EXPECT_EQ(added->not_usable, "");
  const ModelStore store({options_.root});
  const auto found = store.Find("My-Net-v2@1");
  ASSERT_TRUE(found.ok()) << found.status();
  const ModelCard& card = (*found)->card;
  EXPECT_EQ(card.head.family, "classify");
  EXPECT_THAT(card.head.labels, testing::ElementsAre("cat", "dog", "no"));
  EXPECT_EQ(card.input.color, ColorOrder::kBgr);
  EXPECT_EQ(card.head.top_k, 2);
  EXPECT_EQ(card.input.width, 32);
  EXPECT_EQ(card.source, "My Net (v2).onnx");
  EXPECT_EQ(card.sha256.size(), 64u);
  EXPECT_THAT(RootEntries(), testing::ElementsAre("My-Net-v2"));
  const auto again = store.Find("My-Net-v2");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->get(), found->get());  // read once
}

TEST_F(AddModelFiles, overwrites_only_when_told) {
  options_.family = "classify";
  const fs::path onnx = Write("net.onnx", Classifier(Weight()));
  ASSERT_TRUE(AddModel(onnx, options_).ok());
  options_.set = {{"head.top_k", "3"}};
  EXPECT_TRUE(absl::IsAlreadyExists(AddModel(onnx, options_).status()));
  options_.replace = true;
  ASSERT_TRUE(AddModel(onnx, options_).ok());
  EXPECT_EQ((*ModelStore({options_.root}).Find("net"))->card.head.top_k, 3);
  EXPECT_THAT(RootEntries(), testing::ElementsAre("net"));
  ASSERT_TRUE(RemoveModel(options_.root, "net").ok());
  EXPECT_TRUE(RootEntries().empty());
  EXPECT_TRUE(absl::IsNotFound(RemoveModel(options_.root, "net")));
}

TEST_F(AddModelFiles, writes_nothing_on_failure_or_dry_run) {
  EXPECT_FALSE(AddModel(Write("text.onnx", "just some words"), options_).ok());
  EXPECT_FALSE(AddModel(Write("empty.onnx", ""), options_).ok());
  const fs::path onnx = Write("net.onnx", Classifier(Weight()));
  options_.set = {{"input.colour", "bgr"}};
  EXPECT_THAT(std::string(MessageOf(AddModel(onnx, options_).status())), HasSubstr("color"));
  options_.set.clear();
  options_.labels = "coco81";
  options_.family = "classify";
  EXPECT_THAT(std::string(MessageOf(AddModel(onnx, options_).status())), HasSubstr("coco80"));
  options_.labels.clear();
  options_.family = "yolo";
  EXPECT_THAT(std::string(MessageOf(AddModel(onnx, options_).status())), HasSubstr("no such head family"));
  options_.family = "classify";
  options_.name = "../escape";
  EXPECT_THAT(std::string(MessageOf(AddModel(onnx, options_).status())), HasSubstr("no model name"));
  options_.name = "dry";
  options_.dry_run = true;
  EXPECT_TRUE(AddModel(onnx, options_).ok());
  EXPECT_TRUE(RootEntries().empty());
}

TEST_F(AddModelFiles, copies_external_data_from_beneath_only) {
  options_.family = "classify";
  Write("src/data/w.bin", FloatBytes({1, 2, 3}));
  Write("w.bin", FloatBytes({1, 2, 3}));
  fs::create_symlink("../w.bin", temporary_->path() / "src/link.bin");
  fs::create_directory_symlink("..", temporary_->path() / "src/up");
  const auto add = [&](std::string_view location) {
    options_.name = "net";
    return AddModel(Write("src/net.onnx", Classifier(ExternalTensor("w", {3}, location, 0, 12))), options_);
  };
  for (const std::string& location : {std::string("../w.bin"), (temporary_->path() / "w.bin").string(),
                                      std::string("link.bin"), std::string("up/w.bin")}) {
    EXPECT_TRUE(absl::IsPermissionDenied(add(location).status())) << location;
  }
  EXPECT_TRUE(absl::IsNotFound(add("missing.bin").status()));
  EXPECT_TRUE(RootEntries().empty());
  const auto added = add("data/w.bin");
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_TRUE(fs::exists(options_.root / "net/data/w.bin"));
  EXPECT_TRUE(ModelStore({options_.root}).Find("net").ok());
}

TEST_F(AddModelFiles, says_what_is_wrong_with_a_folder) {
  options_.family = "classify";
  ASSERT_TRUE(AddModel(Write("net.onnx", Classifier(Weight())), options_).ok());
  const auto refusal = [&](std::string_view name) {
    return std::string(MessageOf(ModelStore({options_.root}).Find(name).status()));
  };
  EXPECT_THAT(refusal("nett"), HasSubstr("did you mean 'net'?"));
  EXPECT_THAT(refusal("net@7"), HasSubstr("is there in version 1, not 7"));
  EXPECT_THAT(refusal("../models/net"), HasSubstr("is no model name"));
  Write("models/net/model.onnx", Classifier(FloatTensor("w", {3}, FloatBytes({9, 9, 9}))));
  EXPECT_THAT(refusal("net"), HasSubstr("not the file that its card was made for"));
  Write("models/net/model.yaml",
        "name: other\nhead:\n  family: classify\ninput:\n  width: 32\n  height: 32\n");
  EXPECT_THAT(refusal("net"), HasSubstr("the card says 'other'"));
  Write("models/net/model.yaml", "head: [\n");
  EXPECT_THAT(refusal("net"), HasSubstr("model.yaml:"));
  const auto listings = ModelStore({options_.root}).List();
  ASSERT_EQ(listings.size(), 1u);
  EXPECT_FALSE(listings[0].status.ok());
}

TEST(Sha256, agrees_with_the_standard) {  // FIPS 180-2, appendix B.1
  const std::string text = "abc";
  EXPECT_EQ(Sha256Hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()}),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace sightline::registry
