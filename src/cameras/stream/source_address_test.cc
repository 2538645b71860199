#include "cameras/stream/source_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::cameras {
namespace {

using testing::HasSubstr;
using testing::Not;

absl::StatusOr<ingest::Input> Parse(const std::string& address) {
  SourceOptions options;
  options.address = address;
  return ParseSource(options, {});
}

TEST(SourceAddress, names_show_neither_credentials_nor_queries) {
  const auto input = Parse("rtsp://bob:hunter2@cam.example:8554/live?token=hunter3");
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_EQ(input->kind, ingest::InputKind::kUrl);
  EXPECT_EQ(input->name, "rtsp://cam.example:8554/live");
  EXPECT_EQ(input->address, "rtsp://bob:hunter2@cam.example:8554/live?token=hunter3");
  EXPECT_EQ(Parse("http://cam/video?user=bob,password=hunter2")->name, "http://cam/video");
  EXPECT_EQ(Parse("/dev/video0")->kind, ingest::InputKind::kFile);
}

TEST(SourceAddress, what_can_be_no_source_is_refused_without_secrets) {
  for (const char* address :
       {"", "ftp://bob:hunter2@host/x", "rtsp://bob:hunter2@/x", "rtsp://bob:hunter2@host:99999/", "sim:day",
        "http://bob:hunter2@ho st/", "gopher://bob:hunter2@host", "file:///etc/passwd"}) {
    const auto input = Parse(address);
    EXPECT_TRUE(absl::IsInvalidArgument(input.status())) << address << input.status();
    EXPECT_THAT(input.status().ToString(), Not(HasSubstr("hunter2"))) << address;
  }
  EXPECT_FALSE(Parse(std::string("a\0b", 3)).ok());
  EXPECT_FALSE(Parse("http://h/" + std::string(10'000, 'a')).ok());
}

TEST(SourceAddress, statuses_lose_every_form_of_the_secrets) {
  const std::string address = "rtsp://bob:p%40ss%2Fword@cam/live?auth=sesame";
  for (const char* said : {"rtsp://bob:p%40ss%2Fword@cam/live?auth=sesame: refused", "login p@ss/word failed",
                           "bad p%40ss%2Fword", "GET /live?auth=sesame",
                           "see 'rtsp://bob:p%40ss%2Fword@cam/live?auth=sesame' again"}) {
    const std::string shown = WithoutSecrets(absl::UnavailableError(said), address).ToString();
    for (const char* secret : {"p%40ss", "p@ss", "sesame"})
      EXPECT_THAT(shown, Not(HasSubstr(secret))) << said;
  }
  const std::string torn = "http://cam/video?user=bob,password=hunter2";
  EXPECT_THAT(WithoutSecrets(absl::UnavailableError("no answer from " + torn), torn).ToString(),
              Not(HasSubstr("hunter2")));
  const absl::Status status = WithoutSecrets(absl::NotFoundError("no such camera"), address);
  EXPECT_EQ(status, absl::NotFoundError("no such camera"));
}

}  // namespace
}  // namespace sightline::cameras
