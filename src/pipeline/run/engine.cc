#include "pipeline/run/engine.h"

#include <map>

#include "base/status.h"
#include "base/text.h"

namespace sightline::pipeline {
namespace {

using SessionCache = std::map<std::pair<std::filesystem::path, bool>, std::shared_ptr<const infer::Session>>;

absl::StatusOr<std::shared_ptr<const infer::Session>> LoadSession(const CatalogModel& model, bool open_size,
                                                                  const EngineOptions& options,
                                                                  SessionCache* cache) {
  auto& cached = (*cache)[{model.graph_file, open_size}];
  if (cached == nullptr) {
    infer::SessionOptions session_options;
    session_options.threads = options.inference_threads;
    session_options.open_size = open_size;
    ASSIGN_OR_RETURN(cached, infer::Session::Load(model.graph_file, session_options));
  }
  return cached;
}

absl::StatusOr<int> FindInput(const infer::Session& session, const std::string& name) {
  const auto& inputs = session.inputs();
  if (name.empty() && inputs.size() == 1) return 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].name == name && inputs.size() == 1) return static_cast<int>(i);
  }
  if (inputs.size() != 1) {
    return absl::UnimplementedError(
        fmt::format("the graph has {} inputs; only models with one picture input run here", inputs.size()));
  }
  return absl::InvalidArgumentError(
      fmt::format("the card's input.name is '{}' but the graph's input is '{}'", name, inputs[0].name));
}

// The card's input must be what the graph takes; an extent that the graph leaves open (-1) takes anything.
absl::Status CheckInput(const InputCard& card, const TensorSpec& spec) {
  if (spec.type != card.type) {
    return absl::InvalidArgumentError(
        fmt::format("the card's input.type is {} but the graph takes {}", Name(card.type), Name(spec.type)));
  }
  if (spec.shape.size() != 4) {
    return absl::InvalidArgumentError(
        fmt::format("the graph's input has shape {}; four axes are needed", ToString(spec.shape)));
  }
  const int64_t channels = card.color == ColorOrder::kGray ? 1 : 3;
  const bool nchw = card.layout == TensorLayout::kNchw;
  const int64_t wanted[3] = {nchw ? channels : card.height, nchw ? card.height : card.width,
                             nchw ? card.width : channels};
  for (int i = 0; i < 3; ++i) {
    const int64_t extent = spec.shape[static_cast<size_t>(i + 1)];
    if (extent >= 0 && wanted[i] != extent) {
      return absl::InvalidArgumentError(
          fmt::format("the card describes an input of {}x{} pixels, {} channels, {} but the graph takes {}",
                      card.width, card.height, channels, nchw ? "nchw" : "nhwc", ToString(spec.shape)));
    }
  }
  return absl::OkStatus();
}

// Padding can be left out of a fixed letterbox when the head reads grids of any size.
bool MayCutPadding(const InputCard& input, const postprocess::HeadFamily& family) {
  return input.cut_padding && input.resize == ResizeMode::kLetterbox && input.width > 0 && input.height > 0 &&
         family.any_size;
}

bool HasOpenSize(const InputCard& card, const TensorSpec& spec) {
  const size_t height = card.layout == TensorLayout::kNchw ? 2 : 1;
  return spec.shape[height] < 0 && spec.shape[height + 1] < 0;
}

absl::Status LoadModelStep(const Step& step, const EngineOptions& options, SessionCache* cache,
                           LoadedStep* loaded) {
  loaded->card = step.model->card;
  loaded->card.head = step.head;
  const InputCard& card = loaded->card.input;
  const postprocess::HeadFamily* family = postprocess::FindHeadFamily(loaded->card.head.family);
  if (family == nullptr) {
    return absl::InvalidArgumentError(fmt::format("there is no head family '{}'", loaded->card.head.family));
  }
  const bool may_cut = MayCutPadding(card, *family);
  ASSIGN_OR_RETURN(loaded->session, LoadSession(*step.model, may_cut, options, cache));
  ASSIGN_OR_RETURN(loaded->input, FindInput(*loaded->session, card.name));
  const TensorSpec& input = loaded->session->inputs()[static_cast<size_t>(loaded->input)];
  RETURN_IF_ERROR(CheckInput(card, input));
  // And against the file, which says more than an opened graph.
  for (const TensorSpec& declared : step.model->graph.inputs) {
    if (declared.name == input.name) RETURN_IF_ERROR(CheckInput(card, declared));
  }
  loaded->batch = input.shape[0];
  if (loaded->batch > 256) {
    return absl::ResourceExhaustedError(
        fmt::format("a batch of {} is more than the limit of 256", loaded->batch));
  }
  const auto padding =
      may_cut && HasOpenSize(card, input) ? preprocess::Padding::kCut : preprocess::Padding::kWhole;
  ASSIGN_OR_RETURN(preprocess::Preprocessor preprocessor, preprocess::Preprocessor::Create(card, padding));
  loaded->preprocessor.emplace(std::move(preprocessor));
  // Output shapes as the file declares them: an opened graph no longer says.
  ASSIGN_OR_RETURN(loaded->head, family->create(loaded->card, step.model->graph));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Engine>> Engine::Create(Plan plan, const EngineOptions& options) {
  std::shared_ptr<Engine> engine(new Engine);
  engine->plan_ = std::move(plan);
  SessionCache cache;
  for (const Step& step : engine->plan_.steps) {
    auto loaded = std::make_unique<LoadedStep>();
    const bool after_ordered = step.on >= 0 && engine->steps_[static_cast<size_t>(step.on)]->ordered;
    loaded->ordered = step.kind == StepKind::kTrack || after_ordered;
    if (step.kind != StepKind::kTrack) {
      RETURN_IF_ERROR(Annotate(LoadModelStep(step, options, &cache, loaded.get()),
                               fmt::format("step '{}', model {}", step.id, step.model->card.Id())));
    }
    engine->steps_.push_back(std::move(loaded));
  }
  return engine;
}

bool Engine::has_ordered_models() const {
  for (const auto& step : steps_) {
    if (step->ordered && step->session != nullptr) return true;
  }
  return false;
}

}  // namespace sightline::pipeline
