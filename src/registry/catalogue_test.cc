#include "registry/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "pipeline/spec/labels.h"

namespace sightline::registry {
namespace {

using ::testing::HasSubstr;

TEST(CatalogueTest, the_one_in_the_program_is_well_formed) {
  const auto catalogue = BuiltinCatalogue();
  ASSERT_TRUE(catalogue.ok()) << MessageOf(catalogue.status());
  for (const CatalogueEntry& entry : *catalogue) {
    EXPECT_EQ(entry.card.name, entry.name);
    EXPECT_EQ(entry.card.sha256, entry.sha256);
    EXPECT_EQ(entry.card.licence, entry.licence);
    EXPECT_EQ(entry.card.source, entry.origins.front());
    EXPECT_FALSE(entry.licence.empty()) << entry.name;
  }
  const auto nano = FindInCatalogue(*catalogue, "yolox_nano");
  ASSERT_TRUE(nano.ok());
  EXPECT_EQ((*nano)->card.head.labels, *pipeline::BuiltinLabels("coco80"));
}

TEST(CatalogueTest, an_unknown_name_is_answered_with_a_near_one) {
  const auto catalogue = BuiltinCatalogue();
  ASSERT_TRUE(catalogue.ok());
  const auto found = FindInCatalogue(*catalogue, "yolox_nanno");
  EXPECT_TRUE(absl::IsNotFound(found.status()));
  EXPECT_THAT(std::string(MessageOf(found.status())), HasSubstr("did you mean 'yolox_nano'?"));
}

std::string Refusal(const std::string& models) {
  return std::string(MessageOf(ParseCatalogue("models:\n" + models, "c.yaml").status()));
}

std::string Entry(const std::string& name, const std::string& origin, const std::string& digest,
                  const std::string& head) {
  return "  - {name: " + name + ", task: t, origins: ['" + origin + "'], bytes: 5, sha256: '" + digest +
         "', licence: MIT, card: {input: {width: 8, height: 8}, head: {" + head + "}}}\n";
}

TEST(CatalogueTest, an_entry_without_a_digest_or_address_is_refused) {
  const std::string digest(64, 'a');
  EXPECT_TRUE(
      ParseCatalogue("models:\n" + Entry("n", "https://host/x", digest, "family: yolox"), "c.yaml").ok());
  EXPECT_THAT(Refusal(Entry("n", "https://host/x", "", "family: yolox")), HasSubstr("models[0].sha256"));
  EXPECT_THAT(Refusal(Entry("n", "https://user:word@host/x", digest, "family: yolox")),
              HasSubstr("models[0].origins[0]"));
  EXPECT_THAT(Refusal(Entry("n", "rtsp://host/x", digest, "family: yolox")),
              HasSubstr("models[0].origins[0]"));
  EXPECT_THAT(Refusal(Entry("../n", "https://host/x", digest, "family: yolox")), HasSubstr("models[0].name"));
}

TEST(CatalogueTest, a_card_is_checked_as_a_file_would_be) {
  const std::string digest(64, 'a');
  EXPECT_THAT(Refusal(Entry("n", "https://host/x", digest, "family: yollox")),
              HasSubstr("did you mean 'yolox'?"));
  EXPECT_THAT(Refusal(Entry("n", "https://host/x", digest, "family: yolox") +
                      Entry("n", "https://host/x", digest, "family: yolox")),
              HasSubstr("stands twice"));
}

}  // namespace
}  // namespace sightline::registry
