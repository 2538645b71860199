#include "stages/infer/open_size.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/status.h"
#include "base/test_assets.h"
#include "stages/infer/session.h"

namespace sightline::infer {
namespace {

std::shared_ptr<const Session> Load(std::string_view file, bool open_size) {
  SessionOptions options;
  options.open_size = open_size;
  auto session = Session::Load(AssetsFolder() / "models" / file, options);
  EXPECT_TRUE(session.ok()) << session.status();
  return *std::move(session);
}

std::vector<float> RunOnNoise(const Session& session, const Shape& shape) {
  Tensor input;
  input.Reset(ElementType::kFloat32, shape);
  std::mt19937 random(7);
  for (int64_t i = 0; i < input.view().elements(); ++i)
    input.view().floats()[i] = static_cast<float>(random() % 256);
  const TensorView view = input.view();
  const auto runner = session.NewRunner();
  auto outputs = runner->Run({&view, 1});
  EXPECT_TRUE(outputs.ok()) << outputs.status();
  std::vector<float> values;
  for (const TensorView& output : *outputs) {
    values.insert(values.end(), output.floats(), output.floats() + output.elements());
  }
  return values;
}

TEST(OpenSize, gives_the_same_numbers_at_the_original_size_and_fewer_positions_at_another) {
  SKIP_WITHOUT_ASSETS();
  const auto fixed = Load("yolox_nano_416.onnx", false), open = Load("yolox_nano_416.onnx", true);
  EXPECT_EQ(fixed->inputs()[0].shape, (Shape{1, 3, 416, 416}));
  EXPECT_EQ(open->inputs()[0].shape, (Shape{1, 3, -1, -1}));
  EXPECT_EQ(RunOnNoise(*fixed, {1, 3, 416, 416}), RunOnNoise(*open, {1, 3, 416, 416}));
  EXPECT_EQ(RunOnNoise(*open, {1, 3, 320, 416}).size(), (40 * 52 + 20 * 26 + 10 * 13) * 85u);
}

// Three grids' places and strides are constants of this graph; a smaller input has their upper left corners.
TEST(OpenSize, cuts_tables_of_positions_to_the_input) {
  const auto load = [](bool open_size) {
    SessionOptions options;
    options.open_size = open_size;
    auto session = Session::Load("models/street_detector/model.onnx", options);
    EXPECT_TRUE(session.ok()) << session.status();
    return *std::move(session);
  };
  const auto fixed = load(false), open = load(true);
  ASSERT_EQ(open->inputs()[0].shape, (Shape{1, 3, -1, -1}));
  const std::vector<float> a = RunOnNoise(*fixed, fixed->inputs()[0].shape),
                           b = RunOnNoise(*open, fixed->inputs()[0].shape);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-3f * std::max(1.f, std::abs(a[i]))) << i;
  const std::vector<float> small = RunOnNoise(*open, {1, 3, 96, 160});
  const size_t cells = 12 * 20 + 6 * 10 + 3 * 5;
  ASSERT_EQ(small.size(), cells * 10);
  // Centres lie within a few cells of where their cell is.
  size_t at = 0;
  for (const int stride : {8, 16, 32}) {
    for (int row = 0; row < 96 / stride; ++row) {
      for (int column = 0; column < 160 / stride; ++column, ++at) {
        EXPECT_NEAR(small[at], (column + 0.5) * stride, 3 * stride);
        EXPECT_NEAR(small[cells + at], (row + 0.5) * stride, 3 * stride);
      }
    }
  }
}

TEST(OpenSize, leaves_graphs_alone_that_hold_other_tables_of_positions) {
  SKIP_WITHOUT_ASSETS();
  EXPECT_EQ(Load("ultraface_rfb_320.onnx", true)->inputs()[0].shape, (Shape{1, 3, 240, 320}));
}

TEST(OpenSize, refuses_what_is_no_graph_or_has_no_picture_input) {
  const Bytes text = {'n', 'o', 'n', 's', 'e', 'n', 's', 'e'};
  EXPECT_FALSE(OpenInputSize(text));
  EXPECT_FALSE(OpenInputSize({}));
}

}  // namespace
}  // namespace sightline::infer
