#include "cameras/node/node_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/status.h"
#include "cameras/node/scene.h"
#include "pipeline/spec/test_corpus.h"

namespace sightline::cameras {
namespace {

using pipeline::Expected;
using pipeline::Read;
using ::testing::HasSubstr;

template <typename Parse>
void ExpectRefused(const std::filesystem::path& folder, size_t least, Parse parse) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string yaml = Read(entry.path());
    EXPECT_EQ(std::string(MessageOf(parse(yaml))) + "\n", Expected(yaml)) << entry.path();
    ++files;
  }
  EXPECT_GE(files, least);
}

TEST(NodeConfig, every_bad_node_is_refused_with_its_messages) {
  ExpectRefused("tests/bad_specs/node", 12,
                [](const std::string& yaml) { return ParseNodeConfig(yaml, "").status(); });
}

TEST(NodeConfig, every_bad_camera_is_refused_with_its_messages) {
  ExpectRefused("tests/bad_specs/camera", 18,
                [](const std::string& yaml) { return ParseCameraConfig(yaml, "").status(); });
}

TEST(NodeConfig, nothing_is_all_defaults) {
  const auto config = ParseNodeConfig("", "");
  ASSERT_TRUE(config.ok()) << MessageOf(config.status());
  EXPECT_EQ(config->http.listen, "127.0.0.1:8080");
  EXPECT_EQ(config->pipeline, "street");
  EXPECT_TRUE(config->evidence.enabled);
  EXPECT_THAT(config->redact, testing::ElementsAre("faces", "people", "plates"));
}

TEST(NodeConfig, a_camera_says_the_same_after_it_was_printed) {
  const std::string yaml =
      "name: north\nsource: rtsp://${LOGIN}@10.0.0.5/1\nattention: full\nrate: 8\nweight: 2\n"
      "picture: [1280, 720]\n"
      "zones:\n  - {name: road, points: [[10, 20], [600, 20], [600.5, 700]], heading_deg: 90}\n"
      "lines:\n  - {name: stop, from: [1, 2], to: [3, 4]}\n"
      "rules:\n  - {kind: line_crossing, line: stop, direction: forward, labels: [car]}\n"
      "  - {kind: crowd, zones: [road], count: 9, schedule: [{days: [mon, sun], from: '22:00', to: "
      "'06:00'}]}\n"
      "redact: []\n";
  const auto once = ParseCameraConfig(yaml, "");
  ASSERT_TRUE(once.ok()) << MessageOf(once.status());
  const std::string printed = PrintCameraConfig(*once, false);
  const auto again = ParseCameraConfig(printed, "");
  ASSERT_TRUE(again.ok()) << MessageOf(again.status()) << printed;
  EXPECT_EQ(PrintCameraConfig(*again, false), printed);
  EXPECT_EQ(again->zones[0].points[2][0], 600.5);
  EXPECT_EQ(again->rules[1].schedule[0].from_minute, 22 * 60);
  ASSERT_TRUE(again->redact.has_value());
  EXPECT_TRUE(again->redact->empty());
}

TEST(NodeConfig, credentials_are_not_printed_when_hidden) {
  const auto config = ParseCameraConfig("name: a\nsource: rtsp://admin:s3cret@10.0.0.5/1?key=s3cret", "");
  ASSERT_TRUE(config.ok());
  EXPECT_THAT(PrintCameraConfig(*config, false), HasSubstr("s3cret"));
  EXPECT_THAT(PrintCameraConfig(*config, true), testing::Not(HasSubstr("s3cret")));
  EXPECT_THAT(PrintCameraConfig(*config, true), testing::Not(HasSubstr("admin")));
  EXPECT_EQ(ShownSource("sim:street?seed=7"), "sim:street?seed=7");
}

TEST(NodeConfig, variables_of_the_environment_are_filled_in_and_missing_ones_named) {
  setenv("SIGHTLINE_TEST_LOGIN", "me:pass", 1);
  EXPECT_EQ(WithEnvironment("rtsp://${SIGHTLINE_TEST_LOGIN}@h/1").value_or(""), "rtsp://me:pass@h/1");
  EXPECT_EQ(WithEnvironment("a $${B} c").value_or(""), "a ${B} c");
  EXPECT_EQ(WithEnvironment("${unclosed").value_or(""), "${unclosed");
  const auto missing = WithEnvironment("${SIGHTLINE_TEST_NOT_THERE}");
  EXPECT_TRUE(absl::IsNotFound(missing.status()));
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("SIGHTLINE_TEST_NOT_THERE"));
}

TEST(NodeConfig, points_are_shares_or_pixels_of_the_picture_that_was_meant) {
  const auto shares = ParseCameraConfig(
      "name: a\nsource: x.mp4\nzones:\n  - {name: z, points: [[0, 0], [0.5, 0], [0.5, 1]]}", "");
  ASSERT_TRUE(shares.ok());
  auto scene = SceneOf(*shares, {}, {640, 360});
  ASSERT_TRUE(scene.ok()) << MessageOf(scene.status());
  EXPECT_DOUBLE_EQ(scene->geometry.zones[0].polygon[1].x, 320);
  EXPECT_DOUBLE_EQ(scene->geometry.zones[0].polygon[2].y, 360);
  const auto pixels = ParseCameraConfig(
      "name: a\nsource: x.mp4\npicture: [1280, 720]\n"
      "zones:\n  - {name: z, points: [[0, 0], [640, 0], [640, 720]]}",
      "");
  ASSERT_TRUE(pixels.ok());
  scene = SceneOf(*pixels, {}, {640, 360});
  ASSERT_TRUE(scene.ok()) << MessageOf(scene.status());
  EXPECT_DOUBLE_EQ(scene->geometry.zones[0].polygon[1].x, 320);
  EXPECT_DOUBLE_EQ(scene->geometry.zones[0].polygon[2].y, 360);
}

TEST(NodeConfig, the_reference_and_its_example_are_good) {
  EXPECT_EQ(Read("docs/node.md"), NodeReferencePage()) << "run ./dev docs";
  EXPECT_EQ(Read("docs/reference/node.schema.json"), NodeConfigSchema()) << "run ./dev docs";
  const std::string page = NodeReferencePage();
  int blocks = 0;
  for (const std::string& yaml : pipeline::YamlBlocks(page)) {
    if (!yaml.starts_with("name: edge-7")) continue;
    ++blocks;
    const auto parsed = ParseNodeConfig(yaml, "");
    EXPECT_TRUE(parsed.ok()) << MessageOf(parsed.status()) << yaml;
  }
  EXPECT_EQ(blocks, 1);
}

}  // namespace
}  // namespace sightline::cameras
