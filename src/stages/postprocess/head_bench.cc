// What decoding costs a picture, at the sizes that people run: noise with a few objects, as a detector gives
// it.
#include <benchmark/benchmark.h>

#include <random>

#include "base/check.h"
#include "stages/postprocess/head.h"

namespace sightline::postprocess {
namespace {

constexpr int kObjects = 20;

struct Case {
  std::string family;
  std::vector<Shape> shapes;
  Size input;
};

void Decode(benchmark::State& state, const Case& given) {
  GraphSignature graph;
  std::vector<std::vector<float>> memory;
  std::vector<TensorView> views;
  std::mt19937 random(1);
  std::uniform_real_distribution<float> low(0, 0.1f);
  for (const Shape& shape : given.shapes) {
    graph.outputs.push_back({"output" + std::to_string(memory.size()), ElementType::kFloat32, shape, {}});
    auto& values = memory.emplace_back(ElementCount(shape));
    for (float& value : values) value = low(random);
  }
  const int64_t rows = given.shapes[0][1], columns = given.shapes[0][2];
  for (int object = 0; object < kObjects; ++object) {
    const int64_t at = (rows > columns ? rows : columns) * object / kObjects;
    if (given.family == "yolox") {  // objectness and one class; 16 x 16 pixels in its own cell
      float* row = memory[0].data() + at * columns;
      row[2] = row[3] = 0;
      row[4] = row[5 + object] = 0.9f;
    } else if (given.family == "yolov8") {
      const int64_t step = rows < columns ? columns : 1;
      float* values = memory[0].data() + (rows < columns ? at : at * columns);
      values[0] = values[step] = 30.f * static_cast<float>(object) + 20;
      values[2 * step] = values[3 * step] = 20;
      values[(4 + object) * step] = 0.9f;
    } else {
      memory[0][at * columns + object] = 0.9f;
    }
  }
  for (size_t i = 0; i < memory.size(); ++i)
    views.push_back({ElementType::kFloat32, given.shapes[i], memory[i].data()});
  ModelCard card;
  card.input.width = given.input.width;
  card.input.height = given.input.height;
  const auto head = FindHeadFamily(given.family)->create(card, graph);
  CHECK(head.ok()) << head.status();
  InputTransform transform;
  transform.input = given.input;
  transform.source = {given.input.width * 2, given.input.height * 2};
  transform.scale_x = transform.scale_y = 0.5f;
  Head::Scratch scratch;
  HeadResult result;
  for (auto _ : state) {
    const absl::Status status = (*head)->Decode(views, 0, transform, &scratch, &result);
    CHECK(status.ok()) << status;
    benchmark::DoNotOptimize(result.detections.data());
  }
  CHECK(result.detections.size() == kObjects) << result.detections.size();
}

BENCHMARK_CAPTURE(Decode, yolox_416, {"yolox", {{1, 3549, 85}}, {416, 416}});
BENCHMARK_CAPTURE(Decode, yolov8_640, {"yolov8", {{1, 84, 8400}}, {640, 640}});
BENCHMARK_CAPTURE(Decode, yolov8_640_transposed, {"yolov8", {{1, 8400, 84}}, {640, 640}});
BENCHMARK_CAPTURE(Decode, yolov8_640_masks, {"yolov8", {{1, 116, 8400}, {1, 32, 160, 160}}, {640, 640}});
BENCHMARK_CAPTURE(Decode, nanodet_plus_416, {"nanodet", {{1, 3598, 112}}, {416, 416}});

}  // namespace
}  // namespace sightline::postprocess

BENCHMARK_MAIN();
