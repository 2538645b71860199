#include "registry/verify_model.h"

#include <chrono>

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "data/limits.h"
#include "registry/model_check.h"
#include "registry/test_picture.h"
#include "stages/decode/picture_decoder.h"
#include "stages/infer/session.h"
#include "stages/preprocess/preprocessor.h"

namespace sightline::registry {
namespace {

using Time = std::chrono::steady_clock;

double MillisecondsSince(Time::time_point start) {
  return std::chrono::duration<double, std::milli>(Time::now() - start).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

absl::StatusOr<FramePtr> DecodeFile(const std::filesystem::path& path) {
  const MediaLimits limits;
  Bytes bytes;
  RETURN_IF_ERROR(ReadFile(path, limits.bytes_max, &bytes));
  const auto decoder = decode::PictureDecoder::Create(limits);
  const auto header = decoder->ReadHeader(bytes);
  if (!header.ok()) return Annotate(header.status(), path.string());
  auto frame = decoder->Decode(bytes, *header, {});
  return frame.ok() ? std::move(frame) : Annotate(frame.status(), path.string());
}

OutputStatistics Statistics(const TensorSpec& spec, const TensorView& view) {
  OutputStatistics statistics;
  statistics.name = spec.name;
  statistics.shape = ToString(view.shape);
  statistics.elements = view.elements();
  if (view.type != ElementType::kFloat32) return statistics;
  double sum = 0;
  int64_t finite = 0;
  for (int64_t i = 0; i < view.elements(); ++i) {
    const double value = view.floats()[i];
    if (!std::isfinite(value)) {
      ++statistics.not_finite;
      continue;
    }
    statistics.min = finite == 0 ? value : std::min(statistics.min, value);
    statistics.max = finite == 0 ? value : std::max(statistics.max, value);
    sum += value;
    ++finite;
  }
  if (finite > 0) statistics.mean = sum / static_cast<double>(finite);
  return statistics;
}

// The chain of one model, with its memory.
class Chain {
 public:
  static absl::StatusOr<std::unique_ptr<Chain>> Create(const pipeline::CatalogModel& model) {
    ASSIGN_OR_RETURN(auto session, infer::Session::Load(model.graph_file, infer::SessionOptions{}));
    // The session knows shapes that the file does not spell out.
    GraphSignature graph = model.graph;
    graph.inputs = session->inputs();
    graph.outputs = session->outputs();
    const std::string card_file = (model.folder / "model.yaml").string();
    auto head = CheckAgainstGraph(model.card, graph);
    if (!head.ok()) return Annotate(head.status(), card_file);
    auto preprocessor = preprocess::Preprocessor::Create(model.card.input);
    if (!preprocessor.ok()) return Annotate(preprocessor.status(), card_file);
    return std::unique_ptr<Chain>(new Chain(std::move(session), *std::move(head), *std::move(preprocessor)));
  }

  absl::Status Run(const Frame& frame, VerifyReport* report) {
    const Size input = preprocessor_.InputSize(frame.source_size);
    const Box region = WholeBox(frame.source_size);
    const InputTransform transform = preprocessor_.Transform(region, frame.source_size);
    input_.Reset(preprocessor_.card().type, preprocessor_.TensorShape(input));
    const auto start = Time::now();
    preprocessor_.Run(frame, transform, region, input_.view().data, &preprocess_scratch_);
    report->preprocess_ms = MillisecondsSince(start);
    const auto inferred = Time::now();
    ASSIGN_OR_RETURN(outputs_, runner_->Run({input_.view()}));
    report->infer_ms = MillisecondsSince(inferred);
    const auto decoded = Time::now();
    RETURN_IF_ERROR(head_->Decode(outputs_, 0, transform, &head_scratch_, &report->result));
    report->head_ms = MillisecondsSince(decoded);
    report->picture_size = frame.source_size;
    report->input_size = input;
    return absl::OkStatus();
  }

  std::vector<OutputStatistics> OutputsNow() const {
    std::vector<OutputStatistics> all;
    for (size_t i = 0; i < outputs_.size(); ++i)
      all.push_back(Statistics(session_->outputs()[i], outputs_[i]));
    return all;
  }

 private:
  Chain(std::shared_ptr<const infer::Session> session, std::unique_ptr<postprocess::Head> head,
        preprocess::Preprocessor preprocessor)
      : session_(std::move(session)),
        runner_(session_->NewRunner()),
        head_(std::move(head)),
        preprocessor_(std::move(preprocessor)) {}

  std::shared_ptr<const infer::Session> session_;
  std::unique_ptr<infer::Session::Runner> runner_;
  std::unique_ptr<postprocess::Head> head_;
  preprocess::Preprocessor preprocessor_;
  preprocess::Preprocessor::Scratch preprocess_scratch_;
  postprocess::Head::Scratch head_scratch_;
  Tensor input_;
  absl::Span<const TensorView> outputs_;
};

void WarnOfOutputs(const std::vector<OutputStatistics>& outputs, const std::vector<OutputStatistics>& of_flat,
                   std::vector<std::string>* warnings) {
  bool any_change = false;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const OutputStatistics& output = outputs[i];
    const std::string name = ToValidUtf8(output.name);
    if (output.not_finite > 0) {
      warnings->push_back(
          fmt::format("output '{}': {} of {} values are NaN or infinite (a wrong scale or mean?)", name,
                      output.not_finite, output.elements));
    } else if (output.elements > 1 && output.min == output.max) {
      warnings->push_back(
          fmt::format("output '{}': all {} values are {:g}", name, output.elements, output.min + 0.0));
    }
    any_change |= i >= of_flat.size() || output.shape != of_flat[i].shape || output.min != of_flat[i].min ||
                  output.max != of_flat[i].max || output.mean != of_flat[i].mean;
  }
  if (!any_change)
    warnings->push_back("the outputs are the same for a flat grey picture: they do not depend on the input");
}

void WarnOfResult(const VerifyReport& report, bool real_picture, std::vector<std::string>* warnings) {
  const HeadCard& head = report.model->card.head;
  const HeadResult& result = report.result;
  int outside = 0;
  for (const Detection& detection : result.detections)
    outside += detection.score < 0 || detection.score > 1.0001f;
  if (outside > 0) {
    warnings->push_back(
        fmt::format("{} scores lie outside 0..1: is the head family or an output's role wrong?", outside));
  }
  if (static_cast<int>(result.detections.size()) >= head.max_detections) {
    warnings->push_back(
        fmt::format("the limit of {} detections was reached: is the normalisation of the input wrong?",
                    head.max_detections));
  }
  if (!result.classifications.empty() && result.classifications[0].score > 1.0001f) {
    warnings->push_back("the best class has a score above 1: are these logits (head.logits: true)?");
  }
  const bool nothing = result.detections.empty() && result.classifications.empty() &&
                       result.attributes.empty() && result.embedding.empty();
  if (nothing && real_picture) {
    warnings->push_back(fmt::format("nothing was found in this picture at min_score {:g}", head.min_score));
  }
}

}  // namespace

absl::StatusOr<VerifyReport> VerifyModel(const pipeline::ModelCatalog& catalog, std::string_view name,
                                         const VerifyOptions& options) {
  VerifyReport report;
  ASSIGN_OR_RETURN(report.model, catalog.Find(name));
  const auto loading = Time::now();
  ASSIGN_OR_RETURN(const auto chain, Chain::Create(*report.model));
  report.load_ms = MillisecondsSince(loading);
  FramePtr frame = DrawTestPicture();
  report.picture = "a drawn test picture";
  if (!options.picture.empty()) {
    const auto decoding = Time::now();
    ASSIGN_OR_RETURN(frame, DecodeFile(options.picture));
    report.decode_ms = MillisecondsSince(decoding);
    report.picture = options.picture.string();
  }
  RETURN_IF_ERROR(chain->Run(*DrawFlatPicture(), &report));
  const std::vector<OutputStatistics> of_flat = chain->OutputsNow();
  std::vector<double> preprocess, infer, head;
  for (int i = 0; i < std::max(options.runs, 1) + 1; ++i) {
    RETURN_IF_ERROR(chain->Run(*frame, &report));
    if (i == 0) continue;  // warms up
    preprocess.push_back(report.preprocess_ms);
    infer.push_back(report.infer_ms);
    head.push_back(report.head_ms);
  }
  report.preprocess_ms = Median(preprocess);
  report.infer_ms = Median(infer);
  report.head_ms = Median(head);
  report.outputs = chain->OutputsNow();
  WarnOfOutputs(report.outputs, of_flat, &report.warnings);
  WarnOfResult(report, !options.picture.empty(), &report.warnings);
  return report;
}

}  // namespace sightline::registry
