#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "absl/cleanup/cleanup.h"
#include "base/check.h"
#include "base/file.h"
#include "base/text.h"
#include "stages/sinks/events/event_sink.h"

namespace sightline::sinks {
namespace {

EventMessage Line(int number, size_t size = 20) {
  return {fmt::format("id{}", number), "dwell", "gate", fmt::format("{:>{}}", number, size)};
}

class JsonLinesTest : public testing::Test {
 protected:
  std::unique_ptr<EventSink> Open(uint64_t bytes_max = 64 << 20, int files_max = 10) {
    auto sink = CreateJsonLinesSink({file_, bytes_max, files_max});
    CHECK(sink.ok()) << sink.status();
    return *std::move(sink);
  }
  std::string Text(const std::string& suffix = "") {
    return ReadTextFile(file_.string() + suffix, 1 << 20).value_or("");
  }
  TemporaryFolder folder_ = *TemporaryFolder::Create();
  const std::filesystem::path file_ = folder_.path() / "deep" / "events.jsonl";
};

TEST_F(JsonLinesTest, appends_over_restarts_and_cuts_off_a_torn_line) {
  ASSERT_TRUE(Open()->Send(Line(1, 1)).ok());
  std::ofstream(file_, std::ios::app) << "torn by a crash";
  auto sink = Open();
  EXPECT_EQ(Text(), "1\n");
  for (const absl::Status& status : sink->SendTogether({Line(2, 1), Line(3, 1)})) EXPECT_TRUE(status.ok());
  EXPECT_EQ(Text(), "1\n2\n3\n");
}

TEST_F(JsonLinesTest, rotates_and_keeps_so_many_files) {
  auto sink = Open(100, 3);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(sink->Send(Line(i, 39)).ok());  // two in a file
  EXPECT_EQ(Text(), fmt::format("{:>39}\n{:>39}\n", 18, 19));
  EXPECT_EQ(Text(".1"), fmt::format("{:>39}\n{:>39}\n", 16, 17));
  EXPECT_EQ(Text(".2"), fmt::format("{:>39}\n{:>39}\n", 14, 15));
  EXPECT_FALSE(std::filesystem::exists(file_.string() + ".3"));
}

TEST_F(JsonLinesTest, goes_on_in_a_new_file_when_somebody_moved_it_away) {
  auto sink = Open();
  ASSERT_TRUE(sink->Send(Line(1, 1)).ok());
  std::filesystem::rename(file_, file_.string() + ".moved");
  ASSERT_TRUE(sink->Send(Line(2, 1)).ok());
  EXPECT_EQ(Text(), "2\n");
  EXPECT_EQ(Text(".moved"), "1\n");
}

TEST_F(JsonLinesTest, full_disk_leaves_whole_lines_and_is_tried_again) {
  signal(SIGXFSZ, SIG_IGN);
  auto sink = Open();
  ASSERT_TRUE(sink->Send(Line(1, 59)).ok());
  {
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto restore = absl::MakeCleanup([&] { setrlimit(RLIMIT_FSIZE, &before); });
    rlimit small = before;
    small.rlim_cur = 100;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const absl::Status status = sink->Send(Line(2, 59));
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    EXPECT_EQ(Text(), fmt::format("{:>59}\n", 1));
  }
  EXPECT_TRUE(sink->Send(Line(2, 59)).ok());
  EXPECT_EQ(Text(), fmt::format("{:>59}\n{:>59}\n", 1, 2));
}

TEST_F(JsonLinesTest, refuses_what_is_no_plain_file) {
  EXPECT_TRUE(absl::IsInvalidArgument(CreateJsonLinesSink({"/dev/null"}).status()));
  EXPECT_FALSE(CreateJsonLinesSink({folder_.path()}).ok());
  EXPECT_FALSE(CreateJsonLinesSink({""}).ok());
}

}  // namespace
}  // namespace sightline::sinks
