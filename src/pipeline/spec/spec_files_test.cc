// The files of the repository that say what a specification is: the corpus of bad ones, the examples, the
// documents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "pipeline/spec/model_card_spec.h"
#include "pipeline/spec/pipeline_spec.h"
#include "pipeline/spec/test_catalog.h"
#include "pipeline/spec/test_corpus.h"

namespace sightline::pipeline {
namespace {

std::vector<std::filesystem::path> YamlFiles(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(SpecFiles, every_bad_pipeline_is_refused_with_its_messages) {
  const auto files = YamlFiles("tests/bad_specs/pipeline");
  EXPECT_GE(files.size(), 40u);
  for (const auto& file : files) {
    const std::string yaml = Read(file);
    const CheckedPipeline checked = CheckPipeline(yaml, "", ExampleCatalog());
    std::string said;
    for (const Diagnostic& diagnostic : checked.diagnostics) said += diagnostic.Text() + "\n";
    EXPECT_EQ(said, Expected(yaml)) << file;
    EXPECT_FALSE(checked.plan.has_value()) << file;
  }
}

TEST(SpecFiles, every_bad_card_is_refused_with_its_messages) {
  const auto files = YamlFiles("tests/bad_specs/card");
  EXPECT_GE(files.size(), 15u);
  for (const auto& file : files) {
    const std::string yaml = Read(file);
    const auto card = ParseModelCard(yaml, "");
    EXPECT_EQ(std::string(MessageOf(card.status())) + "\n", Expected(yaml)) << file;
  }
}

TEST(SpecFiles, every_example_is_a_good_pipeline) {
  const std::vector<std::string> names = {"defects", "faces", "objects", "people"};
  for (const std::string& name : names) {
    const auto plan = LoadPipeline("examples/" + name + ".yaml", ExampleCatalog());
    ASSERT_TRUE(plan.ok()) << MessageOf(plan.status());
    EXPECT_EQ(plan->name, name);
  }
}

TEST(SpecFiles, the_generated_documents_are_up_to_date) {
  const std::vector<std::pair<std::string, std::string>> documents = {
      {"pipeline.schema.json", PipelineJsonSchema()},
      {"model-card.schema.json", ModelCardJsonSchema()},
      {"pipeline.md", PipelineReference()},
      {"model-card.md", ModelCardReference()}};
  for (const auto& [name, text] : documents) {
    EXPECT_EQ(Read("docs/reference/" + name), text) << "run ./dev docs";
  }
}

TEST(SpecFiles, the_examples_in_the_documents_are_good) {
  const auto pipelines = YamlBlocks(PipelineReference()), cards = YamlBlocks(ModelCardReference());
  EXPECT_FALSE(pipelines.empty());
  EXPECT_FALSE(cards.empty());
  for (const std::string& yaml : pipelines) {
    const CheckedPipeline checked = CheckPipeline(yaml, "", ExampleCatalog());
    EXPECT_TRUE(checked.plan.has_value()) << ToStatus(checked.diagnostics) << yaml;
  }
  for (const std::string& yaml : cards) EXPECT_TRUE(ParseModelCard(yaml, "").ok()) << yaml;
}

}  // namespace
}  // namespace sightline::pipeline
