#include "registry/verify_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/status.h"
#include "base/test_assets.h"
#include "base/text.h"
#include "registry/add_model.h"
#include "registry/model_store.h"
#include "stages/infer/tiny_onnx.h"

namespace sightline::registry {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace infer::tiny_onnx;  // NOLINT: the test's vocabulary

// y[1,3] = w * the mean of each channel of x[1,3,32,32].
std::string MeanModel(const std::vector<float>& weights) {
  return Model(Field(1, Node("GlobalAveragePool", {"x"}, "p")) + Field(1, Node("Flatten", {"p"}, "f")) +
               Field(1, Node("Mul", {"f", "w"}, "y")) + Field(2, "g") +
               Field(5, FloatTensor("w", {3}, FloatBytes(weights))) +
               Field(11, FloatValue("x", {1, 3, 32, 32})) + Field(12, FloatValue("y", {1, 3})));
}

class VerifyFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = TemporaryFolder::Create();
    ASSERT_TRUE(made.ok());
    temporary_ = std::make_unique<TemporaryFolder>(std::move(*made));
    add_.root = temporary_->path() / "models";
    add_.name = "net";
    add_.replace = true;
    verify_.runs = 1;
  }
  absl::StatusOr<VerifyReport> AddAndVerify(const std::string& model) {
    const auto path = temporary_->path() / "net.onnx";
    if (!WriteFileAtomically(path, model).ok()) return absl::InternalError("cannot write");
    if (const auto added = AddModel(path, add_); !added.ok()) return added.status();
    return Verify();
  }
  absl::StatusOr<VerifyReport> AddAndVerifyAsset(std::string_view name) {
    if (const auto added = AddModel(AssetsFolder() / fmt::format("models/{}.onnx", name), add_);
        !added.ok()) {
      return added.status();
    }
    return Verify();
  }
  absl::StatusOr<VerifyReport> Verify() const { return VerifyModel(ModelStore({add_.root}), "net", verify_); }

  std::unique_ptr<TemporaryFolder> temporary_;
  AddOptions add_;
  VerifyOptions verify_;
};

TEST_F(VerifyFiles, runs_a_drawn_picture_through_a_model) {
  add_.family = "classify";
  add_.labels = (temporary_->path() / "labels.txt").string();
  ASSERT_TRUE(WriteFileAtomically(add_.labels, "red\ngreen\nblue\n").ok());
  add_.set = {{"input.mean", "0"}, {"input.std", "1"}, {"input.scale", "1/255"}};
  const auto report = AddAndVerify(MeanModel({1, 1, 1}));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->input_size, (Size{32, 32}));
  ASSERT_EQ(report->result.classifications.size(), 3u);
  EXPECT_THAT(report->warnings, IsEmpty());
  ASSERT_EQ(report->outputs.size(), 1u);
  EXPECT_GT(report->outputs[0].min, 0.2);  // means of a picture that is neither black nor white
  EXPECT_LT(report->outputs[0].max, 0.8);
}

TEST_F(VerifyFiles, warns_of_outputs_that_look_wrong) {
  add_.family = "classify";
  const auto constant = AddAndVerify(MeanModel({0, 0, 0}));
  ASSERT_TRUE(constant.ok()) << constant.status();
  EXPECT_THAT(constant->warnings, Contains(HasSubstr("all 3 values are 0")));
  EXPECT_THAT(constant->warnings, Contains(HasSubstr("do not depend on the input")));
  const auto not_numbers = AddAndVerify(MeanModel({NAN, NAN, 1}));
  ASSERT_TRUE(not_numbers.ok()) << not_numbers.status();
  EXPECT_THAT(not_numbers->warnings, Contains(HasSubstr("2 of 3 values are NaN")));
}

TEST_F(VerifyFiles, names_the_key_that_contradicts_the_graph) {
  add_.family = "classify";
  const auto refusal = [&](const char* key, const char* value) {
    add_.set = {{key, value}};
    const auto report = AddAndVerify(MeanModel({1, 1, 1}));
    return report.ok() ? "verified" : std::string(MessageOf(report.status()));
  };
  EXPECT_THAT(refusal("input.width", "64"),
              HasSubstr("input.width: the card says 64, but the graph's input 'x' is"));
  EXPECT_THAT(refusal("input.color", "gray"), HasSubstr("input.color"));
  EXPECT_THAT(refusal("input.layout", "nhwc"), HasSubstr("input.layout"));
  EXPECT_THAT(refusal("input.type", "uint8"), HasSubstr("input.type"));
  EXPECT_THAT(refusal("input.name", "images"), HasSubstr("the graph has no input 'images'; it has: x"));
}

// What is in these pictures was counted by eye (labels.csv of the assets: 19 faces; the street scene shows
// one car).
TEST_F(VerifyFiles, finds_what_real_pictures_show) {
  SKIP_WITHOUT_ASSETS();
  add_.labels = "coco80";
  verify_.picture = AssetsFolder() / "images/street/dlstreamer_car_2.jpg";
  const auto street = AddAndVerifyAsset("yolox_nano_416");
  ASSERT_TRUE(street.ok()) << street.status();
  ASSERT_EQ(street->result.detections.size(), 1u);
  EXPECT_EQ(street->model->card.head.labels[static_cast<size_t>(street->result.detections[0].class_id)],
            "car");
  EXPECT_THAT(street->warnings, IsEmpty());
  add_.labels.clear();
  verify_.picture = AssetsFolder() / "images/faces_photos/group_1.jpg";
  for (const char* name :
       {"ultraface_rfb_320", "ultraface_rfb_320_nopost", "yunet_n_640", "yunet_n_dynamic"}) {
    const auto faces = AddAndVerifyAsset(name);
    ASSERT_TRUE(faces.ok()) << faces.status();
    EXPECT_NEAR(static_cast<double>(faces->result.detections.size()), 19, 1) << name;
  }
}

TEST_F(VerifyFiles, an_unreadable_picture_is_named) {
  add_.family = "classify";
  verify_.picture = temporary_->path() / "nowhere.jpg";
  const auto report = AddAndVerify(MeanModel({1, 1, 1}));
  EXPECT_TRUE(absl::IsNotFound(report.status()));
  EXPECT_THAT(std::string(MessageOf(report.status())), HasSubstr("nowhere.jpg"));
}

}  // namespace
}  // namespace sightline::registry
