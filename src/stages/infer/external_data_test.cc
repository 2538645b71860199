#include "stages/infer/external_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "stages/infer/tiny_onnx.h"

namespace sightline::infer {
namespace {

using ::testing::HasSubstr;
using namespace tiny_onnx;  // NOLINT: the test's vocabulary

absl::Span<const uint8_t> Span(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::vector<std::string> Locations(const std::string& model) {
  const auto files = FindExternalData(Span(model));
  std::vector<std::string> locations;
  if (!files.ok()) return {std::string(MessageOf(files.status()))};
  for (const ExternalFile& file : *files) locations.push_back(file.location);
  return locations;
}

std::string Tensor(std::string_view location) { return ExternalTensor("w", {3}, location, 4, 12); }

class ExternalFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = TemporaryFolder::Create();
    ASSERT_TRUE(made.ok());
    temporary_ = std::make_unique<TemporaryFolder>(std::move(*made));
    folder_ = temporary_->path() / "model";
    std::filesystem::create_directories(folder_ / "sub");
    for (const char* name : {"model/w.bin", "model/sub/w.bin", "secret.bin"}) {
      ASSERT_TRUE(WriteFileAtomically(temporary_->path() / name, "0123456789abcdef").ok());
    }
  }
  absl::Status Resolve(const std::string& location, uint64_t bytes_needed = 16) const {
    return ResolveExternalFile(folder_, {location, "w", bytes_needed}).status();
  }
  std::unique_ptr<TemporaryFolder> temporary_;
  std::filesystem::path folder_;
};

TEST(FindExternalData, finds_tensors_wherever_they_hide) {
  EXPECT_THAT(Locations(ScaleModel(Tensor("plain"), 1)), testing::ElementsAre("plain"));
  const std::string sparse = Field(1, Tensor("values")) + Field(2, Tensor("indices"));
  EXPECT_THAT(Locations(Model(Field(15, sparse))), testing::ElementsAre("indices", "values"));
  const auto in_attribute = [](std::string_view attribute) { return Model(Field(1, Field(5, attribute))); };
  EXPECT_THAT(Locations(in_attribute(Field(5, Tensor("t")))), testing::ElementsAre("t"));
  EXPECT_THAT(Locations(in_attribute(Field(10, Tensor("ts")))), testing::ElementsAre("ts"));
  EXPECT_THAT(Locations(in_attribute(Field(22, sparse))), testing::ElementsAre("indices", "values"));
  EXPECT_THAT(Locations(in_attribute(Field(23, sparse))), testing::ElementsAre("indices", "values"));
  const std::string subgraph = Field(5, Tensor("deep"));
  EXPECT_THAT(Locations(in_attribute(Field(6, subgraph))), testing::ElementsAre("deep"));
  EXPECT_THAT(Locations(in_attribute(Field(11, subgraph))), testing::ElementsAre("deep"));
  const std::string function = Field(7, Field(5, Field(5, Tensor("function"))));
  EXPECT_THAT(Locations(Field(25, function)), testing::ElementsAre("function"));
  EXPECT_THAT(Locations(Field(20, Field(1, subgraph))), testing::ElementsAre("deep"));
  // Two occurrences of one message are merged by protobuf; both count here.
  EXPECT_THAT(Locations(Field(7, Field(5, Tensor("a"))) + Field(7, Field(5, Tensor("b")))),
              testing::ElementsAre("a", "b"));
}

TEST(FindExternalData, keeps_the_largest_end_of_a_file) {
  const std::string graph = Field(5, ExternalTensor("a", {3}, "w", 0, 12)) +
                            Field(5, ExternalTensor("b", {3}, "w", 100, 28)) +
                            Field(5, ExternalTensor("c", {3}, "w", 12, 12));
  const auto files = FindExternalData(Span(Model(graph)));
  ASSERT_TRUE(files.ok());
  ASSERT_EQ(files->size(), 1u);
  EXPECT_EQ((*files)[0].bytes_needed, 128u);
  EXPECT_EQ((*files)[0].first_tensor, "a");
}

TEST(FindExternalData, refuses_what_no_parser_agrees_on) {
  const std::string model = ScaleModel(Tensor("w"), 1);
  EXPECT_FALSE(FindExternalData(Span(model.substr(0, model.size() / 2))).ok());
  EXPECT_FALSE(FindExternalData(Span(std::string("\x07", 1))).ok());      // wire type 7
  EXPECT_FALSE(FindExternalData(Span(std::string("\x0c", 1))).ok());      // group end alone
  EXPECT_FALSE(FindExternalData(Span(std::string("\x00\x00", 2))).ok());  // field 0
  EXPECT_FALSE(
      FindExternalData(Span(Varint((uint64_t{1} << 32) | 0x3a) + Varint(0))).ok());  // tag over 32 bits
  EXPECT_FALSE(FindExternalData(Span("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")).ok());  // huge length
}

TEST(FindExternalData, bounds_nesting) {
  std::string graph = Field(5, Tensor("w"));
  for (int i = 0; i < 50; ++i) graph = Field(1, Field(5, Field(6, graph)));
  const auto files = FindExternalData(Span(Model(graph)));
  ASSERT_FALSE(files.ok());
  EXPECT_THAT(std::string(MessageOf(files.status())), HasSubstr("nested more than"));
  std::string groups;
  for (int i = 0; i < 100'000; ++i) groups += "\x0b";
  EXPECT_FALSE(FindExternalData(Span(groups)).ok());
}

TEST(FindExternalData, bounds_the_number_of_files) {
  std::string graph;
  for (int i = 0; i < 5000; ++i) graph += Field(5, Tensor(fmt::format("w{}", i)));
  EXPECT_TRUE(absl::IsResourceExhausted(FindExternalData(Span(Model(graph))).status()));
}

TEST(FindExternalData, bounds_the_number_of_fields) {
  std::string shape;
  for (int i = 0; i < 4'000'001; ++i) shape += std::string("\x0a\x00", 2);  // as many empty dimensions
  const std::string value = Field(2, Field(1, Number(1, 1) + Field(2, shape)));
  EXPECT_TRUE(absl::IsResourceExhausted(FindExternalData(Span(Model(Field(11, value)))).status()));
}

TEST_F(ExternalFiles, accepts_files_beneath_the_folder) {
  EXPECT_TRUE(Resolve("w.bin").ok()) << Resolve("w.bin");
  EXPECT_TRUE(Resolve("./w.bin").ok());
  EXPECT_TRUE(Resolve("sub/w.bin").ok());
  const auto path = ResolveExternalFile(folder_, {"sub/w.bin", "w", 16});
  ASSERT_TRUE(path.ok());
  EXPECT_EQ(*path, folder_ / "sub/w.bin");
}

TEST_F(ExternalFiles, refuses_paths_that_lead_outside) {
  const std::string absolute = (folder_ / "w.bin").string();
  for (const std::string& location :
       {std::string("../secret.bin"), std::string("sub/../../secret.bin"), std::string("sub/../w.bin"),
        std::string(".."), absolute, std::string("/etc/passwd"), std::string("//etc/passwd"), std::string(""),
        std::string("w.bin\0x", 7)}) {
    EXPECT_TRUE(absl::IsPermissionDenied(Resolve(location))) << location << ": " << Resolve(location);
  }
  EXPECT_THAT(std::string(MessageOf(Resolve("../secret.bin"))), HasSubstr("tensor 'w'"));
  EXPECT_THAT(std::string(MessageOf(Resolve("../secret.bin"))),
              HasSubstr("'../secret.bin', a path with '..'"));
}

TEST_F(ExternalFiles, refuses_links_at_every_step) {
  std::filesystem::create_symlink(temporary_->path() / "secret.bin", folder_ / "link.bin");
  std::filesystem::create_symlink("w.bin", folder_ / "inside_link.bin");
  std::filesystem::create_directory_symlink(temporary_->path(), folder_ / "link_folder");
  std::filesystem::create_directory_symlink("..", folder_ / "sub/up");
  std::filesystem::create_symlink("nowhere", folder_ / "dangling.bin");
  for (const char* location :
       {"link.bin", "inside_link.bin", "link_folder/secret.bin", "sub/up/w.bin", "dangling.bin"}) {
    EXPECT_TRUE(absl::IsPermissionDenied(Resolve(location))) << location << ": " << Resolve(location);
    EXPECT_THAT(std::string(MessageOf(Resolve(location))), HasSubstr("symbolic link"));
  }
}

TEST_F(ExternalFiles, names_missing_short_and_odd_files) {
  EXPECT_TRUE(absl::IsNotFound(Resolve("weights.data")));
  EXPECT_THAT(std::string(MessageOf(Resolve("weights.data"))), HasSubstr("'weights.data', which is not in"));
  EXPECT_TRUE(absl::IsNotFound(Resolve("w.bin/below")));
  EXPECT_TRUE(absl::IsDataLoss(Resolve("w.bin", 17)));
  EXPECT_TRUE(absl::IsInvalidArgument(Resolve("sub")));
  EXPECT_TRUE(absl::IsInvalidArgument(Resolve(".")));
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(Resolve("pipe")));
}

}  // namespace
}  // namespace sightline::infer
