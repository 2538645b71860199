#include "stages/infer/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/file.h"
#include "base/status.h"
#include "base/test_assets.h"
#include "base/text.h"
#include "stages/infer/load_error.h"
#include "stages/infer/tiny_onnx.h"

namespace sightline::infer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace tiny_onnx;  // NOLINT: the test's vocabulary

class SessionFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = TemporaryFolder::Create();
    ASSERT_TRUE(made.ok());
    temporary_ = std::make_unique<TemporaryFolder>(std::move(*made));
  }
  std::filesystem::path Write(std::string_view name, std::string_view bytes) const {
    const auto path = temporary_->path() / name;
    std::filesystem::create_directories(path.parent_path());
    EXPECT_TRUE(WriteFileAtomically(path, bytes).ok());
    return path;
  }
  absl::StatusOr<std::shared_ptr<const Session>> Load(std::string_view bytes) const {
    return Session::Load(Write("model.onnx", bytes), {});
  }
  std::string Refusal(std::string_view bytes) const {
    const auto loaded = Load(bytes);
    return loaded.ok() ? "loaded" : std::string(MessageOf(loaded.status()));
  }
  std::unique_ptr<TemporaryFolder> temporary_;
};

std::string Scale(int64_t rows) { return ScaleModel(FloatTensor("w", {3}, FloatBytes({2, -1, 0.5f})), rows); }

Tensor Rows(const std::vector<float>& values) {
  Tensor tensor;
  tensor.Reset(ElementType::kFloat32, {static_cast<int64_t>(values.size() / 3), 3});
  std::copy(values.begin(), values.end(), tensor.view().floats());
  return tensor;
}

std::vector<float> Floats(const TensorView& view) { return {view.floats(), view.floats() + view.elements()}; }

TEST_F(SessionFiles, multiplies_as_the_graph_says) {
  const auto session = Load(Scale(1));
  ASSERT_TRUE(session.ok()) << session.status();
  ASSERT_EQ((*session)->inputs().size(), 1u);
  EXPECT_EQ((*session)->inputs()[0].name, "x");
  EXPECT_EQ(ToString((*session)->inputs()[0].shape), "[1,3]");
  EXPECT_EQ((*session)->outputs()[0].name, "y");
  const Tensor input = Rows({1, 2, 4});
  const auto runner = (*session)->NewRunner();
  const auto outputs = runner->Run({input.view()});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT(Floats((*outputs)[0]), ElementsAre(2, -2, 2));
}

TEST_F(SessionFiles, keeps_its_memory_and_follows_new_inputs) {
  const auto session = Load(Scale(1));
  ASSERT_TRUE(session.ok());
  const auto runner = (*session)->NewRunner();
  const Tensor first = Rows({1, 1, 1}), second = Rows({3, 3, 3});
  ASSERT_TRUE(runner->Run({first.view()}).ok());
  first.view().floats()[0] = 10;  // same memory, new values
  const auto two = runner->Run({first.view()});
  ASSERT_TRUE(two.ok());
  EXPECT_THAT(Floats((*two)[0]), ElementsAre(20, -1, 0.5f));
  const void* memory = (*two)[0].data;
  const auto three = runner->Run({second.view()});
  ASSERT_TRUE(three.ok());
  EXPECT_THAT(Floats((*three)[0]), ElementsAre(6, -3, 1.5f));
  EXPECT_EQ((*three)[0].data, memory);
}

TEST_F(SessionFiles, believes_the_run_rather_than_a_declared_shape) {
  // x is [n,3], y = 2x is declared as [7,3].
  const auto session = Load(Model(Field(1, Node("Add", {"x", "x"}, "y")) + Field(2, "g") +
                                  Field(11, FloatValue("x", {-1, 3})) + Field(12, FloatValue("y", {7, 3}))));
  ASSERT_TRUE(session.ok()) << session.status();
  const Tensor input = Rows({1, 2, 3, 4, 5, 6});
  const auto runner = (*session)->NewRunner();
  for (int run = 0; run < 3; ++run) {
    const auto outputs = runner->Run({input.view()});
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    EXPECT_EQ((*outputs)[0].shape, (Shape{2, 3}));
    EXPECT_FLOAT_EQ((*outputs)[0].floats()[5], 12);
  }
}

TEST_F(SessionFiles, gives_open_outputs_in_the_shape_of_the_run) {
  const auto session = Load(Scale(-1));
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ((*session)->inputs()[0].dimension_names[0], "n");
  const auto runner = (*session)->NewRunner();
  for (const int64_t rows : {1, 5, 2}) {
    const Tensor input = Rows(std::vector<float>(static_cast<size_t>(rows) * 3, 2.f));
    const auto outputs = runner->Run({input.view()});
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    EXPECT_EQ((*outputs)[0].shape, (Shape{rows, 3}));
    EXPECT_FLOAT_EQ((*outputs)[0].floats()[rows * 3 - 1], 1.f);
  }
}

TEST_F(SessionFiles, refuses_inputs_that_do_not_fit) {
  const auto session = Load(Scale(1));
  ASSERT_TRUE(session.ok());
  const auto runner = (*session)->NewRunner();
  const Tensor two_rows = Rows({1, 2, 3, 4, 5, 6});
  const auto wrong = runner->Run({two_rows.view()});
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(MessageOf(wrong.status()), "input 'x' takes float32 [1,3], not float32 [2,3]");
  EXPECT_TRUE(absl::IsInvalidArgument(runner->Run({}).status()));
  const Tensor good = Rows({1, 2, 3});
  EXPECT_TRUE(runner->Run({good.view()}).ok());  // and goes on
}

TEST_F(SessionFiles, runs_on_many_threads_at_once) {
  const auto session = Load(Scale(-1));
  ASSERT_TRUE(session.ok());
  std::vector<int> wrong(4, 0);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        const auto runner = (*session)->NewRunner();
        for (int i = 0; i < 200; ++i) {
          const float value = static_cast<float>(t * 1000 + i);
          const Tensor input = Rows({value, value, value});
          const auto outputs = runner->Run({input.view()});
          if (!outputs.ok() || (*outputs)[0].floats()[0] != 2 * value) ++wrong[static_cast<size_t>(t)];
        }
      });
    }
  }
  EXPECT_THAT(wrong, ElementsAre(0, 0, 0, 0));
}

TEST_F(SessionFiles, a_runner_outlives_its_session_pointer) {
  auto session = Load(Scale(1));
  ASSERT_TRUE(session.ok());
  const auto runner = (*session)->NewRunner();
  session->reset();
  const Tensor input = Rows({1, 2, 4});
  EXPECT_TRUE(runner->Run({input.view()}).ok());
}

TEST_F(SessionFiles, reads_external_data_beneath_its_folder) {
  for (const char* location : {"w.bin", "sub/w.bin"}) {
    Write(location, "junk" + FloatBytes({2, -1, 0.5f}));
    const auto session = Load(ScaleModel(ExternalTensor("w", {3}, location, 4, 12), 1));
    ASSERT_TRUE(session.ok()) << session.status();
    const Tensor input = Rows({1, 2, 4});
    const auto runner = (*session)->NewRunner();
    const auto outputs = runner->Run({input.view()});
    ASSERT_TRUE(outputs.ok());
    EXPECT_THAT(Floats((*outputs)[0]), ElementsAre(2, -2, 2));
  }
}

TEST_F(SessionFiles, refuses_external_data_elsewhere) {
  Write("w.bin", FloatBytes({2, -1, 0.5f}));
  const std::string absolute = (temporary_->path() / "w.bin").string();
  std::filesystem::create_directories(temporary_->path() / "inner");
  std::filesystem::create_symlink("../w.bin", temporary_->path() / "inner/link.bin");
  std::filesystem::create_directory_symlink("..", temporary_->path() / "inner/up");
  for (const std::string& location :
       {absolute, std::string("../w.bin"), std::string("link.bin"), std::string("up/w.bin")}) {
    const auto model = Write("inner/model.onnx", ScaleModel(ExternalTensor("w", {3}, location, 0, 12), 1));
    const auto session = Session::Load(model, {});
    EXPECT_TRUE(absl::IsPermissionDenied(session.status())) << location << ": " << session.status();
  }
}

TEST_F(SessionFiles, names_what_is_missing_or_unknown) {
  EXPECT_THAT(Refusal(ScaleModel(ExternalTensor("w", {3}, "gone.data", 0, 12), 1)),
              HasSubstr("'gone.data', which is not in"));
  const auto with_node = [](std::string_view node, uint64_t opset = 13) {
    return Model(
        Field(1, node) + Field(2, "g") + Field(11, FloatValue("x", {3})) + Field(12, FloatValue("y", {3})),
        opset);
  };
  EXPECT_THAT(Refusal(with_node(Node("Frobnicate", {"x"}, "y"))), HasSubstr("unknown operator Frobnicate"));
  const std::string import = Field(8, Field(1, "com.foo") + Number(2, 1));
  EXPECT_THAT(Refusal(with_node(Node("Bar", {"x"}, "y", "com.foo")) + import),
              HasSubstr("unknown operator com.foo:Bar"));
  EXPECT_THAT(Refusal(with_node(Node("Relu", {"x"}, "y"), 99)),
              HasSubstr("opset 99 is newer than ONNX Runtime"));
  EXPECT_THAT(Refusal(""), HasSubstr("is empty (0 bytes)"));
  EXPECT_THAT(Refusal("<html>sorry</html>"), HasSubstr("web page"));
  EXPECT_THAT(Refusal("just some words that are no model"), HasSubstr("no ONNX file"));
  EXPECT_TRUE(absl::IsNotFound(Session::Load(temporary_->path() / "nowhere.onnx", {}).status()));
  SessionOptions small;
  small.model_bytes_max = 10;
  EXPECT_TRUE(absl::IsResourceExhausted(Session::Load(Write("model.onnx", Scale(1)), small).status()));
}

TEST_F(SessionFiles, survives_a_cut_at_every_byte) {
  const std::string whole = Scale(1);
  for (size_t length = 0; length < whole.size(); ++length) {
    const auto session = Load(whole.substr(0, length));
    if (session.ok()) {
      EXPECT_GT(length, whole.size() - 8) << "only the opset may be missing";
    } else {
      EXPECT_THAT(std::string(MessageOf(session.status())), HasSubstr("model.onnx"));
    }
  }
}

TEST(Session, explains_the_real_broken_files) {
  SKIP_WITHOUT_ASSETS();
  const auto refusal = [](const char* name) {
    const auto session = Session::Load(AssetsFolder() / "models/bad" / name, {});
    return session.ok() ? "loaded" : std::string(MessageOf(session.status()));
  };
  EXPECT_THAT(refusal("lfs_pointer_age_gender.onnx"), HasSubstr("git-lfs pointer"));
  EXPECT_THAT(refusal("empty_sceneseg_int8.onnx"), HasSubstr("is empty"));
  EXPECT_THAT(refusal("missing_external_data_mobilenet_v2_fp32.onnx"),
              HasSubstr("its weights are in a second file"));
}

TEST(Session, runs_every_real_model) {
  SKIP_WITHOUT_ASSETS();
  for (const auto& entry : std::filesystem::directory_iterator(AssetsFolder() / "models")) {
    if (entry.path().extension() != ".onnx") continue;
    const auto session = Session::Load(entry.path(), {});
    ASSERT_TRUE(session.ok()) << session.status();
    std::vector<Tensor> inputs((*session)->inputs().size());
    std::vector<TensorView> views;
    for (size_t i = 0; i < inputs.size(); ++i) {
      Shape shape = (*session)->inputs()[i].shape;
      for (size_t d = 0; d < shape.size(); ++d) shape[d] = shape[d] > 0 ? shape[d] : (d == 0 ? 1 : 320);
      inputs[i].Reset((*session)->inputs()[i].type, shape);
      std::fill_n(inputs[i].view().floats(), ElementCount(shape), 0.25f);
      views.push_back(inputs[i].view());
    }
    const auto runner = (*session)->NewRunner();
    for (int pass = 0; pass < 2; ++pass) {
      const auto outputs = runner->Run(views);
      ASSERT_TRUE(outputs.ok()) << entry.path() << ": " << outputs.status();
      ASSERT_EQ(outputs->size(), (*session)->outputs().size());
      for (const TensorView& output : *outputs) EXPECT_GT(output.elements(), 0) << entry.path();
    }
  }
}

TEST(ExplainLoadError, leaves_the_unknown_readable) {
  EXPECT_EQ(ExplainLoadError(
                "/onnxruntime_src/onnxruntime/core/graph/model.cc:10 onnxruntime::Model::Model(int) const "
                "something new went wrong",
                "1.30.0"),
            "something new went wrong");
}

}  // namespace
}  // namespace sightline::infer
