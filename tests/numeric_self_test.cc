// Prints numbers that must agree between instruction sets: a decoded picture at every scale, preprocessed
// tensors, one model's outputs. usage: numeric_self_test PICTURE.jpg [MODELS_DIR MODEL]; one "name value" a
// line.
#include <cstdio>

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/run/engine.h"
#include "pipeline/spec/pipeline_spec.h"
#include "registry/model_store.h"
#include "stages/decode/picture_decoder.h"
#include "stages/preprocess/preprocessor.h"

namespace sightline {
namespace {

constexpr int kSamples = 97;  // a prime, so that samples do not line up with rows

void Print(const std::string& name, double value) { std::printf("%s %.9g\n", name.c_str(), value); }

template <typename T>
void PrintSamples(const std::string& name, const T* values, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += static_cast<double>(values[i]);
  Print(name + ".mean", sum / static_cast<double>(count));
  for (size_t i = 0; i < kSamples; ++i) {
    Print(fmt::format("{}.{}", name, i), static_cast<double>(values[(i * 7919 * 31) % count]));
  }
}

void PrintFrame(const std::string& name, const Frame& frame) {
  std::vector<uint8_t> samples;
  for (int plane = 0; plane < PlaneCount(frame.format); ++plane) {
    const Size size = PlaneSize(frame.format, frame.size, plane);
    for (int y = 0; y < size.height; ++y) {
      const uint8_t* row = frame.planes[plane].data + static_cast<ptrdiff_t>(y) * frame.planes[plane].stride;
      samples.insert(samples.end(), row, row + size.width);
    }
  }
  PrintSamples(name, samples.data(), samples.size());
}

absl::Status RunPicture(absl::Span<const uint8_t> bytes) {
  const auto decoder = decode::PictureDecoder::Create({});
  ASSIGN_OR_RETURN(const decode::PictureHeader header, decoder->ReadHeader(bytes));
  for (int k = 0; k < 4; ++k) {
    const Size need{std::max(1, header.size.width >> k), std::max(1, header.size.height >> k)};
    ASSIGN_OR_RETURN(const FramePtr frame, decoder->Decode(bytes, header, {0, need}));
    PrintFrame(fmt::format("decode.{}", 1 << k), *frame);
    InputCard card;
    card.width = card.height = 224;
    card.color = ColorOrder::kBgr;
    ASSIGN_OR_RETURN(const auto preprocessor, preprocess::Preprocessor::Create(card));
    const Box whole = WholeBox(frame->source_size);
    const InputTransform transform = preprocessor.Transform(whole, frame->source_size);
    Tensor tensor;
    tensor.Reset(ElementType::kFloat32, preprocessor.TensorShape(transform.input));
    preprocess::Preprocessor::Scratch scratch;
    preprocessor.Run(*frame, transform, whole, tensor.view().data, &scratch);
    PrintSamples(fmt::format("preprocess.{}", 1 << k), tensor.view().floats(),
                 static_cast<size_t>(tensor.view().elements()));
  }
  return absl::OkStatus();
}

absl::Status RunModel(absl::Span<const uint8_t> bytes, const std::string& models, const std::string& model) {
  const registry::ModelStore store({models});
  ASSIGN_OR_RETURN(pipeline::Plan plan, pipeline::PlanForModel(model, store));
  ASSIGN_OR_RETURN(const auto engine, pipeline::Engine::Create(std::move(plan), {}));
  const pipeline::LoadedStep& step = engine->step(0);
  const auto decoder = decode::PictureDecoder::Create({});
  ASSIGN_OR_RETURN(const decode::PictureHeader header, decoder->ReadHeader(bytes));
  ASSIGN_OR_RETURN(const FramePtr frame, decoder->Decode(bytes, header, {}));
  const Box whole = WholeBox(frame->source_size);
  const InputTransform transform = step.preprocessor->Transform(whole, frame->source_size);
  Tensor input;
  input.Reset(ElementType::kFloat32, step.preprocessor->TensorShape(transform.input));
  preprocess::Preprocessor::Scratch scratch;
  step.preprocessor->Run(*frame, transform, whole, input.view().data, &scratch);
  const auto runner = step.session->NewRunner();
  ASSIGN_OR_RETURN(const auto outputs, runner->Run({input.view()}));
  for (size_t i = 0; i < outputs.size(); ++i) {
    PrintSamples(fmt::format("model.{}", i), outputs[i].floats(), static_cast<size_t>(outputs[i].elements()));
  }
  postprocess::Head::Scratch head_scratch;
  HeadResult result;
  RETURN_IF_ERROR(step.head->Decode(outputs, 0, transform, &head_scratch, &result));
  Print("detections", static_cast<double>(result.detections.size()));
  for (size_t i = 0; i < result.detections.size(); ++i) {
    Print(fmt::format("detection.{}.score", i), result.detections[i].score);
    Print(fmt::format("detection.{}.x1", i), result.detections[i].box.x1);
    Print(fmt::format("detection.{}.y2", i), result.detections[i].box.y2);
  }
  return absl::OkStatus();
}

absl::Status Run(int argc, char** argv) {
  Bytes bytes;
  RETURN_IF_ERROR(ReadFile(argv[1], uint64_t{1} << 28, &bytes));
  RETURN_IF_ERROR(RunPicture(bytes));
  return argc >= 4 ? RunModel(bytes, argv[2], argv[3]) : absl::OkStatus();
}

}  // namespace
}  // namespace sightline

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    std::fprintf(stderr, "usage: numeric_self_test PICTURE.jpg [MODELS_DIR MODEL]\n");
    return 2;
  }
  const absl::Status status = sightline::Run(argc, argv);
  if (!status.ok())
    std::fprintf(stderr, "numeric_self_test: %s\n", std::string(sightline::MessageOf(status)).c_str());
  return status.ok() ? 0 : 1;
}
