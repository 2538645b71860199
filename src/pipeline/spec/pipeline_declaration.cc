#include "pipeline/spec/pipeline_declaration.h"

#include "base/text.h"
#include "pipeline/spec/card_declaration.h"

namespace sightline::pipeline {
namespace {

bool IsStepId(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

bool IsModelReference(std::string_view text) {
  const size_t at = text.find('@');
  if (at == std::string_view::npos) return IsModelName(text);
  return IsModelName(text.substr(0, at)) && IsModelName(text.substr(at + 1));
}

TextRule StepIdRule(std::string words) {
  TextRule rule;
  rule.words = std::move(words);
  rule.pattern = "^[a-z0-9_-]{1,64}$";
  rule.valid = &IsStepId;
  rule.bytes_max = 64;
  return rule;
}

Typed<std::string> ModelReference() {
  TextRule rule;
  rule.words = "a model's name, or name@version";
  rule.pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]*(@[A-Za-z0-9_-][A-Za-z0-9._-]*)?$";
  rule.valid = &IsModelReference;
  rule.bytes_max = 257;
  return Text(rule);
}

Typed<std::vector<std::string>> LabelNames() {
  TextRule rule;
  rule.bytes_max = 256;
  return ListOf(Text(rule), 1, 50'000);
}

using StepObject = Object<StepSpec>;

StepObject* NewStep(std::string_view kind, std::string doc) {
  auto* o = new StepObject(fmt::format("{} step", kind), std::move(doc));
  o->Add("id", &StepSpec::id, Text(StepIdRule("an id of a-z, 0-9, '_' and '-'")),
         "Name of the step: other steps point to it, and results carry it.")
      .Required()
      .Example("faces");
  o->Add("kind", &StepSpec::kind,
         Optional(Choice<StepKind>({{"detect", StepKind::kDetect, ""},
                                    {"classify", StepKind::kClassify, ""},
                                    {"embed", StepKind::kEmbed, ""},
                                    {"track", StepKind::kTrack, ""}})),
         "What the step does.")
      .Required()
      .Example(std::string(kind));
  return o;
}

void AddModel(StepObject* o) {
  o->Add("model", &StepSpec::model, ModelReference(),
         "Model that the step runs; its family must serve this kind of step.")
      .Required()
      .Example("yunet");
}

void AddMinScore(StepObject* o) {
  o->Add("min_score", &StepSpec::min_score, Optional(Number({.min = 0, .max = 1})),
         "Results below this score are dropped.")
      .Default("the model card's")
      .Example("0.6");
}

// The boxes of an earlier step, for the kinds that look at them one by one.
void AddBoxes(StepObject* o) {
  o->Add("on", &StepSpec::on, Text(StepIdRule("the id of a detect or track step")),
         "Step whose boxes this step looks at, one by one.")
      .Default("the whole picture")
      .Example("faces");
  o->Add("on_labels", &StepSpec::on_labels, Optional(LabelNames()), "Only boxes with one of these labels.")
      .Default("all")
      .Example("[person]");
  o->Add("margin", &StepSpec::margin, Number({.min = 0, .max = 4}),
         "Grow each box by this share of its width and height on each side.")
      .Example("0.4");
  o->Add("square", &StepSpec::square, Boolean(),
         "Make each box square around its centre, by its longer side.");
  o->Add("min_box", &StepSpec::min_box, Number({.min = 0, .max = 65500}),
         "Skip boxes whose shorter side is below this many pixels of the picture.")
      .Example("12");
}

const ObjectType* DetectStep() {
  auto* o = NewStep("detect", "Finds things in the whole picture: boxes with labels and scores.");
  AddModel(o);
  AddMinScore(o);
  o->Add("iou", &StepSpec::iou, Optional(Number({.min = 0, .max = 1})),
         "Of two boxes that overlap more than this, the worse is dropped (non-maximum suppression).")
      .Default("the model card's")
      .Example("0.5");
  o->Add("class_agnostic", &StepSpec::class_agnostic, Optional(Boolean()),
         "Boxes suppress boxes of other classes too.")
      .Default("the model card's")
      .Example("true");
  o->Add("max_detections", &StepSpec::max_detections, Optional(Integer(1, 100'000)),
         "At most so many a picture, best first.")
      .Default("the model card's")
      .Example("100");
  o->Add("labels", &StepSpec::labels, Optional(LabelNames()), "Keep only these labels.")
      .Default("all")
      .Example("[person, car]");
  return o;
}

const ObjectType* ClassifyStep() {
  auto* o = NewStep(
      "classify",
      "Says what the picture, or each box of another step, shows: classes, or attributes such as age.");
  AddModel(o);
  AddMinScore(o);
  o->Add("top_k", &StepSpec::top_k, Optional(Integer(1, 1000)), "At most so many classes, best first.")
      .Default("the model card's")
      .Example("1");
  AddBoxes(o);
  return o;
}

const ObjectType* EmbedStep() {
  auto* o = NewStep(
      "embed",
      "Turns the picture, or each box of another step, into a vector that is near that of what looks alike.");
  AddModel(o);
  AddBoxes(o);
  return o;
}

const ObjectType* TrackStep() {
  auto* o = NewStep("track",
                    "Follows the boxes of a detect step from frame to frame and gives each thing a number.");
  const auto share = [] { return Number({.min = 0, .max = 1}); };
  using Options = track::TrackerOptions;
  o->Add("on", &StepSpec::on, Text(StepIdRule("the id of a detect step")),
         "Detect step whose boxes are followed.")
      .Required()
      .Example("objects");
  o->Add("high_score", &StepSpec::tracker, &Options::high_score, share(),
         "Boxes with at least this score are matched first and may start a track.");
  o->Add("low_score", &StepSpec::tracker, &Options::low_score, share(),
         "Boxes between this score and high_score only carry on a track that lost its box. The detect step's "
         "min_score must let them "
         "through.");
  o->Add("match_iou", &StepSpec::tracker, &Options::match_iou, share(),
         "Least overlap of a box with where its track is expected.");
  o->Add("lost_s_max", &StepSpec::tracker, &Options::lost_s_max, WideNumber({.min = 0, .max = 3600}),
         "Seconds without a box after which a track ends.");
  o->Add("confirm_hits", &StepSpec::tracker, &Options::confirm_hits, Integer(1, 100),
         "Frames with a box before a track is reported.");
  o->Add("per_class", &StepSpec::tracker, &Options::per_class, Boolean(),
         "A box carries on only tracks of its own label, or of one that is `alike`.");
  o->Add(
       "alike", &StepSpec::alike, Optional(ListOf(ListOf(Text(), 2, 100), 0, 100)),
       "Labels that the detector takes for each other. Of two such boxes on one thing the better one counts, "
       "and a track goes on under either, with the label that it was seen with most: each thing is counted "
       "once.")
      .Default("[[bicycle, motorcycle], [car, van, truck, bus]], as far as the model has them")
      .Example("[[car, truck, bus], [cat, dog]]");
  o->Add("appearance", &StepSpec::appearance, Text(StepIdRule("the id of an embed step")),
         "Embed step on the same boxes: what a thing looks like then helps to find it again.")
      .Default("none")
      .Example("looks");
  o->Add("appearance_weight", &StepSpec::appearance_weight, Optional(share()),
         "How much appearance counts against overlap.")
      .Default(fmt::format("{} with `appearance`, else 0", kAppearanceWeight))
      .Example("0.3");
  return o;
}

// A key that another kind of step has is named as such: the commonest mistake is the kind, not the spelling.
std::string ExplainKey(const std::vector<std::pair<std::string, const ObjectType*>>& kinds,
                       const std::string& kind, const std::string& key) {
  std::vector<std::string> others;
  for (const auto& [name, object] : kinds) {
    if (object->Find(key) != nullptr) others.push_back(name);
  }
  if (others.empty()) return "";
  return fmt::format("{} step has no key '{}' (it is for {})", kind == "embed" ? "an embed" : "a " + kind,
                     key, Join(others, ", "));
}

Typed<StepSpec> Steps() {
  std::vector<std::pair<std::string, const ObjectType*>> kinds = {
      {"detect", DetectStep()}, {"classify", ClassifyStep()}, {"embed", EmbedStep()}, {"track", TrackStep()}};
  for (const auto& [name, object] : kinds) {
    const_cast<ObjectType*>(object)->explain_unknown = [kinds, kind = name](const std::string& key) {
      return ExplainKey(kinds, kind, key);
    };
  }
  return {MakeVariants("kind", kinds, [](const void* step) {
    return static_cast<size_t>(static_cast<const StepSpec*>(step)->kind.value_or(StepKind::kDetect));
  })};
}

}  // namespace

const Object<PipelineSpec>& PipelineDeclaration() {
  static const auto* declaration = [] {
    auto* o = new Object<PipelineSpec>("pipeline", "What is done to each picture or frame.");
    TextRule name;
    name.bytes_max = 256;
    o->Add("name", &PipelineSpec::name, Text(name), "Name of the pipeline.")
        .Default("the file's name")
        .Example("people");
    o->Add("steps", &PipelineSpec::steps, ListOf(Steps(), 1, kStepsMax),
           "The steps, in any order: a step runs after those that it names. Which keys a step has depends on "
           "its `kind`.")
        .Required();
    return o;
  }();
  return *declaration;
}

}  // namespace sightline::pipeline
