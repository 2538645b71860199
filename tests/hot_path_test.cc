// Heap allocations per frame on the hot path, after warm-up, counted by standing in for malloc. Ours must be
// none; what ONNX Runtime and libjpeg do inside is counted apart and printed.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/test_assets.h"
#include "pipeline/run/engine.h"
#include "pipeline/spec/pipeline_spec.h"
#include "registry/model_store.h"
#include "stages/decode/picture_decoder.h"
#include "stages/preprocess/preprocessor.h"

extern "C" void* __libc_malloc(size_t);            // NOLINT: glibc's own names
extern "C" void* __libc_calloc(size_t, size_t);    // NOLINT
extern "C" void* __libc_realloc(void*, size_t);    // NOLINT
extern "C" void* __libc_memalign(size_t, size_t);  // NOLINT

namespace {
thread_local bool counting = false;
thread_local int64_t allocations = 0;
void Count() { allocations += counting ? 1 : 0; }
}  // namespace

extern "C" void* malloc(size_t bytes) {
  Count();
  return __libc_malloc(bytes);
}
extern "C" void* calloc(size_t count, size_t bytes) {
  Count();
  return __libc_calloc(count, bytes);
}
extern "C" void* realloc(void* block, size_t bytes) {
  Count();
  return __libc_realloc(block, bytes);
}
extern "C" void* memalign(size_t alignment, size_t bytes) {
  Count();
  return __libc_memalign(alignment, bytes);
}
extern "C" void* aligned_alloc(size_t alignment, size_t bytes) {
  Count();
  return __libc_memalign(alignment, bytes);
}

namespace sightline {
namespace {

template <typename F>
int64_t AllocationsOf(const F& work) {
  allocations = 0;
  counting = true;
  work();
  counting = false;
  return allocations;
}

std::filesystem::path AddYolox(const std::filesystem::path& root) {
  const auto folder = root / "yolox_nano";
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(AssetsFolder() / "models/yolox_nano_416.onnx", folder / "model.onnx");
  EXPECT_TRUE(WriteFileAtomically(
                  folder / "model.yaml",
                  "name: yolox_nano\n"
                  "input: {width: 416, height: 416, color: bgr, resize: letterbox, anchor: top_left}\n"
                  "head: {family: yolox, labels: coco80}\n")
                  .ok());
  return root;
}

TEST(HotPath, allocates_nothing_per_frame_after_warm_up) {
  SKIP_WITHOUT_ASSETS();
  auto temporary = TemporaryFolder::Create();
  ASSERT_TRUE(temporary.ok());
  const registry::ModelStore store({AddYolox(temporary->path())});
  auto plan = pipeline::PlanForModel("yolox_nano", store);
  ASSERT_TRUE(plan.ok()) << plan.status();
  auto engine = pipeline::Engine::Create(*std::move(plan), {});
  ASSERT_TRUE(engine.ok()) << engine.status();
  const pipeline::LoadedStep& step = (*engine)->step(0);
  const auto decoder = decode::PictureDecoder::Create({});
  const auto runner = step.session->NewRunner();
  Bytes bytes;
  ASSERT_TRUE(
      ReadFile(AssetsFolder() / "images/coco/mediapipe_coco/images/000000000078.jpg", 1 << 28, &bytes).ok());

  FramePtr frame;
  InputTransform transform;
  Tensor input;
  input.Reset(ElementType::kFloat32, {1, 3, 416, 416});
  preprocess::Preprocessor::Scratch preprocess_scratch;
  postprocess::Head::Scratch head_scratch;
  HeadResult result;
  absl::Span<const TensorView> outputs;
  const TensorView inputs[1] = {input.view()};

  const auto decode_it = [&] {
    frame.reset();
    auto header = decoder->ReadHeader(bytes);
    auto decoded = decoder->Decode(bytes, *header, {});
    frame = *std::move(decoded);
  };
  const auto preprocess_it = [&] {
    const Box whole = WholeBox(frame->source_size);
    transform = step.preprocessor->Transform(whole, frame->source_size);
    step.preprocessor->Run(*frame, transform, whole, input.view().data, &preprocess_scratch);
  };
  const auto infer_it = [&] { outputs = *runner->Run(inputs); };
  const auto head_it = [&] {
    ASSERT_TRUE(step.head->Decode(outputs, 0, transform, &head_scratch, &result).ok());
  };

  for (int warm_up = 0; warm_up < 3; ++warm_up) {
    decode_it();
    preprocess_it();
    infer_it();
    head_it();
  }
  const int64_t decoding = AllocationsOf(decode_it), preprocessing = AllocationsOf(preprocess_it),
                inference = AllocationsOf(infer_it), postprocessing = AllocationsOf(head_it);
  std::printf(
      "heap allocations of one frame: decode %ld, preprocess %ld, infer %ld (inside ONNX Runtime), head "
      "%ld\n",
      decoding, preprocessing, inference, postprocessing);
  EXPECT_GT(result.detections.size(), 0u);
  EXPECT_EQ(decoding, 0) << "the baseline JPEG path";
  EXPECT_EQ(preprocessing, 0);
  EXPECT_EQ(postprocessing, 0);
  RecordProperty("infer_allocations", static_cast<int>(inference));
}

}  // namespace
}  // namespace sightline
