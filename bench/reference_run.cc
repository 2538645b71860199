// The slow path whose accuracy the fast one must match: pictures decoded elsewhere (PPM), the reference
// resize in double precision, the same model and head. usage: reference_run MODELS_DIR MODEL FILE.ppm... ;
// JSON Lines on standard output.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/run/engine.h"
#include "pipeline/spec/pipeline_spec.h"
#include "registry/model_store.h"
#include "stages/decode/picture_decoder.h"
#include "stages/preprocess/reference.h"

namespace sightline {
namespace {

absl::Status Run(const std::string& models, const std::string& model, absl::Span<char*> files) {
  const registry::ModelStore store({models});
  ASSIGN_OR_RETURN(pipeline::Plan plan, pipeline::PlanForModel(model, store));
  ASSIGN_OR_RETURN(const auto engine, pipeline::Engine::Create(std::move(plan), {}));
  const pipeline::LoadedStep& step = engine->step(0);
  // The whole letterbox, padding included.
  ASSIGN_OR_RETURN(const auto preprocessor, preprocess::Preprocessor::Create(step.card.input));
  const auto runner = step.session->NewRunner();
  const auto decoder = decode::PictureDecoder::Create({});
  postprocess::Head::Scratch scratch;
  HeadResult result;
  Bytes bytes;
  for (const char* file : files) {
    RETURN_IF_ERROR(ReadFile(file, uint64_t{1} << 30, &bytes));
    ASSIGN_OR_RETURN(const decode::PictureHeader header, decoder->ReadHeader(bytes));
    ASSIGN_OR_RETURN(const FramePtr frame, decoder->Decode(bytes, header, {}));
    const Box whole = WholeBox(frame->source_size);
    const InputTransform transform = preprocessor.Transform(whole, frame->source_size);
    const std::vector<double> values = preprocess::ReferenceRun(step.card.input, *frame, transform, whole);
    Tensor input;
    input.Reset(ElementType::kFloat32, preprocessor.TensorShape(transform.input));
    std::transform(values.begin(), values.end(), input.view().floats(),
                   [](double v) { return static_cast<float>(v); });
    ASSIGN_OR_RETURN(const auto outputs, runner->Run({input.view()}));
    RETURN_IF_ERROR(step.head->Decode(outputs, 0, transform, &scratch, &result));
    for (const Detection& d : result.detections) {
      std::printf(
          "%s\n",
          fmt::format(R"({{"source":"{}","label":"{}","score":{:.6f},"box":[{:.3f},{:.3f},{:.3f},{:.3f}]}})",
                      std::filesystem::path(file).stem().string(),
                      step.card.head.labels[static_cast<size_t>(d.class_id)], d.score, d.box.x1, d.box.y1,
                      d.box.x2, d.box.y2)
              .c_str());
    }
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace sightline

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: reference_run MODELS_DIR MODEL FILE.ppm...\n");
    return 2;
  }
  const absl::Status status =
      sightline::Run(argv[1], argv[2], absl::MakeSpan(argv + 3, static_cast<size_t>(argc - 3)));
  if (!status.ok())
    std::fprintf(stderr, "reference_run: %s\n", std::string(sightline::MessageOf(status)).c_str());
  return status.ok() ? 0 : 1;
}
