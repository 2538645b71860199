#include "pipeline/spec/pipeline_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/spec/step_order.h"
#include "pipeline/spec/test_catalog.h"

namespace sightline::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Text(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) text += diagnostic.Text() + "\n";
  return text;
}

Plan MustCheck(std::string_view yaml) {
  const CheckedPipeline checked = CheckPipeline(yaml, "test.yaml", ExampleCatalog());
  EXPECT_TRUE(checked.plan.has_value()) << Text(checked.diagnostics);
  return checked.plan.value_or(Plan());
}

// What the executor looks at; the struct has no comparison of its own.
void ExpectSame(const Plan& a, const Plan& b) {
  EXPECT_EQ(a.name, b.name);
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (size_t i = 0; i < a.steps.size(); ++i) {
    SCOPED_TRACE(a.steps[i].id);
    const Step &x = a.steps[i], &y = b.steps[i];
    EXPECT_EQ(x.id, y.id);
    EXPECT_EQ(x.kind, y.kind);
    EXPECT_EQ(x.on, y.on);
    EXPECT_EQ(x.model, y.model);
    EXPECT_EQ(x.head.min_score, y.head.min_score);
    EXPECT_EQ(x.head.iou, y.head.iou);
    EXPECT_EQ(x.head.class_agnostic, y.head.class_agnostic);
    EXPECT_EQ(x.head.max_detections, y.head.max_detections);
    EXPECT_EQ(x.head.top_k, y.head.top_k);
    EXPECT_EQ(x.keep_classes, y.keep_classes);
    EXPECT_EQ(x.on_classes, y.on_classes);
    EXPECT_EQ(x.margin, y.margin);
    EXPECT_EQ(x.square, y.square);
    EXPECT_EQ(x.min_box, y.min_box);
    EXPECT_EQ(x.appearance, y.appearance);
    EXPECT_EQ(x.tracker.high_score, y.tracker.high_score);
    EXPECT_EQ(x.tracker.low_score, y.tracker.low_score);
    EXPECT_EQ(x.tracker.match_iou, y.tracker.match_iou);
    EXPECT_EQ(x.tracker.lost_s_max, y.tracker.lost_s_max);
    EXPECT_EQ(x.tracker.confirm_hits, y.tracker.confirm_hits);
    EXPECT_EQ(x.tracker.per_class, y.tracker.per_class);
    EXPECT_EQ(x.tracker.alike, y.tracker.alike);
    EXPECT_EQ(x.tracker.appearance_weight, y.tracker.appearance_weight);
  }
}

constexpr std::string_view kEverything = R"(
steps:
  - {id: tracks, kind: track, on: objects, appearance: looks, high_score: 0.6, lost_s_max: 2.5, confirm_hits: 3}
  - {id: who, kind: classify, model: age_gender, on: tracks, on_labels: [person], margin: 0.25, square: true, min_box: 12}
  - {id: looks, kind: embed, model: osnet, on: objects}
  - id: objects
    kind: detect
    model: yolox_nano@1
    min_score: 0.1
    iou: 0.6
    class_agnostic: true
    max_detections: 50
    labels: [car, person]
  - {id: board, kind: classify, model: pcb_defects, top_k: 2}
)";

TEST(Pipeline, resolves_names_to_steps_models_and_classes) {
  const Plan plan = MustCheck(kEverything);
  ASSERT_EQ(plan.steps.size(), 5u);
  EXPECT_EQ(plan.name, "test");
  EXPECT_EQ(plan.file, "test.yaml");
  std::vector<std::string> ids;
  for (const Step& step : plan.steps) ids.push_back(step.id);
  EXPECT_THAT(ids, ElementsAre("objects", "looks", "tracks", "who", "board"));
  EXPECT_EQ(plan.steps[0].on, -1);
  EXPECT_THAT(plan.steps[0].keep_classes, ElementsAre(0, 2));
  EXPECT_EQ(plan.steps[0].head.min_score, 0.1f);
  EXPECT_EQ(plan.steps[0].head.max_detections, 50);
  EXPECT_EQ(plan.steps[0].model->card.name, "yolox_nano");
  EXPECT_EQ(plan.steps[1].on, 0);
  EXPECT_EQ(plan.steps[2].on, 0);
  EXPECT_EQ(plan.steps[2].appearance, 1);
  EXPECT_EQ(plan.steps[2].model, nullptr);
  EXPECT_GT(plan.steps[2].tracker.appearance_weight, 0) << "an appearance step counts without being told to";
  EXPECT_EQ(plan.steps[3].on, 2);
  EXPECT_THAT(plan.steps[3].on_classes, ElementsAre(0)) << "labels of the model behind the tracks";
  EXPECT_EQ(plan.steps[4].on, -1);
  EXPECT_EQ(plan.steps[4].head.top_k, 2);
}

TEST(Pipeline, labels_that_are_alike_become_classes) {
  const std::string begin = "steps: [{id: o, kind: detect, model: yolox_nano}, {id: t, kind: track, on: o";
  EXPECT_THAT(MustCheck(begin + "}]").steps[1].tracker.alike,
              ElementsAre(ElementsAre(1, 3), ElementsAre(2, 5, 7)))
      << "COCO names no van";
  EXPECT_THAT(MustCheck(begin + ", alike: []}]").steps[1].tracker.alike, IsEmpty());
  EXPECT_THAT(MustCheck(begin + ", alike: [[truck, car], [dog, cat]]}]").steps[1].tracker.alike,
              ElementsAre(ElementsAre(2, 7), ElementsAre(15, 16)));
}

TEST(Pipeline, takes_from_the_card_what_it_does_not_say) {
  const Plan plan = MustCheck("steps: [{id: faces, kind: detect, model: yunet}]");
  EXPECT_EQ(plan.steps[0].head.min_score, 0.6f);
  EXPECT_EQ(plan.steps[0].head.iou, 0.3f);
  EXPECT_THAT(plan.steps[0].keep_classes, IsEmpty());
}

TEST(Pipeline, what_it_shows_gives_the_same_plan) {
  for (const std::string_view yaml :
       {kEverything, std::string_view("steps: [{id: a, kind: detect, model: yunet}]"),
        std::string_view("steps: [{id: o, kind: detect, model: yolox_nano}, {id: t, kind: track, on: o, "
                         "alike: []}]")}) {
    const Plan plan = MustCheck(yaml);
    const std::string shown = ShowPlan(plan);
    SCOPED_TRACE(shown);
    ExpectSame(plan, MustCheck(shown));
    EXPECT_EQ(ShowPlan(MustCheck(shown)), shown);
  }
}

TEST(Pipeline, shows_every_default) {
  EXPECT_EQ(ShowPlan(MustCheck("name: p\nsteps:\n  - {id: faces, kind: detect, model: yunet}\n"
                               "  - {id: who, kind: classify, model: age_gender, on: faces}\n")),
            "name: p\n"
            "steps:\n"
            "  - id: faces\n"
            "    kind: detect\n"
            "    model: yunet@1\n"
            "    min_score: 0.6\n"
            "    iou: 0.3\n"
            "    class_agnostic: false\n"
            "    max_detections: 300\n"
            "  - id: who\n"
            "    kind: classify\n"
            "    model: age_gender@1\n"
            "    min_score: 0.3\n"
            "    top_k: 5\n"
            "    on: faces\n"
            "    margin: 0\n"
            "    square: false\n"
            "    min_box: 0\n");
}

TEST(Pipeline, a_single_model_is_a_plan_of_one_step) {
  for (const auto& [model, kind] :
       {std::pair("yolox_nano", StepKind::kDetect), std::pair("age_gender", StepKind::kClassify),
        std::pair("pcb_defects", StepKind::kClassify), std::pair("osnet", StepKind::kEmbed)}) {
    const auto plan = PlanForModel(model, ExampleCatalog());
    ASSERT_TRUE(plan.ok()) << MessageOf(plan.status());
    ASSERT_EQ(plan->steps.size(), 1u);
    EXPECT_EQ(plan->steps[0].kind, kind);
    EXPECT_EQ(plan->steps[0].id, Name(kind));
    ExpectSame(*plan, MustCheck(ShowPlan(*plan)));
  }
  EXPECT_EQ(PlanForModel("nothing", ExampleCatalog()).status().code(), absl::StatusCode::kNotFound);
}

TEST(Pipeline, loads_files_and_names_the_one_that_is_not_there) {
  const auto plan = LoadPipeline("examples/people.yaml", ExampleCatalog());
  ASSERT_TRUE(plan.ok()) << MessageOf(plan.status());
  EXPECT_EQ(plan->file, "examples/people.yaml");
  const auto missing = LoadPipeline("examples/none.yaml", ExampleCatalog());
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(missing.status()), HasSubstr("examples/none.yaml"));
}

TEST(Pipeline, stops_counting_faults_at_a_hundred) {
  std::string yaml = "steps:\n  - {id: a, kind: detect, model: yunet}\n";
  for (int i = 0; i < 500; ++i) yaml += fmt::format("wrong{}: 1\n", i);
  const auto diagnostics = CheckPipeline(yaml, "f", ExampleCatalog()).diagnostics;
  ASSERT_EQ(diagnostics.size(), 101u);
  EXPECT_EQ(diagnostics.back().Text(), "f: and more");
}

TEST(Pipeline, every_fault_is_one_line) {
  const auto diagnostics =
      CheckPipeline("\"na\\nme\": \"x\"\nsteps: [\"a\\nb\"]\n", "f", ExampleCatalog()).diagnostics;
  EXPECT_EQ(Text(diagnostics),
            "f:1:1: unknown key 'na me'; did you mean 'name'?\n"
            "f:2:9: steps[0]: wanted a map of keys, found the quoted text 'a b'\n");
}

TEST(Pipeline, refuses_what_is_too_big) {
  const std::string long_file = "name: " + std::string((1 << 20) + 1, 'x');
  EXPECT_THAT(Text(CheckPipeline(long_file, "f", ExampleCatalog()).diagnostics),
              HasSubstr("f: 1048583 bytes"));
  std::string many = "steps: [";
  for (int i = 0; i < 200'000; ++i) many += "a,";
  EXPECT_THAT(Text(CheckPipeline(many + "a]", "f", ExampleCatalog()).diagnostics),
              HasSubstr("more than 100000 values"));
  std::string steps = "steps:\n";
  for (int i = 0; i < 65; ++i) steps += fmt::format("  - {{id: s{}, kind: detect, model: yunet}}\n", i);
  EXPECT_THAT(Text(CheckPipeline(steps, "f", ExampleCatalog()).diagnostics),
              HasSubstr("a list of 65; wanted 1 to 64"));
}

TEST(StepOrder, keeps_the_given_order_where_it_can) {
  EXPECT_THAT(OrderSteps({{}, {}, {}}).order, ElementsAre(0, 1, 2));
  EXPECT_THAT(OrderSteps({{2}, {}, {}}).order, ElementsAre(1, 2, 0));
  EXPECT_THAT(OrderSteps({{1}, {2}, {}, {}}).order, ElementsAre(2, 1, 0, 3));
}

TEST(StepOrder, names_each_cycle_once) {
  const StepOrder order = OrderSteps({{1}, {2}, {1}, {3}, {0}, {}});
  EXPECT_THAT(order.order, ElementsAre(5));
  EXPECT_THAT(order.cycles, ElementsAre(ElementsAre(1, 2), ElementsAre(3)));
}

}  // namespace
}  // namespace sightline::pipeline
