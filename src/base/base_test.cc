#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "base/queue.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline {
namespace {

TEST(Queue, drops_oldest_when_full) {
  BoundedQueue<int> queue(2, WhenFull::kDropOldest);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(queue.Push(i));
  EXPECT_EQ(queue.dropped(), 3u);
  EXPECT_EQ(queue.Pop(), 3);
  EXPECT_EQ(queue.Pop(), 4);
}

TEST(Queue, drops_newest_when_full) {
  BoundedQueue<int> queue(1, WhenFull::kDropNewest);
  EXPECT_TRUE(queue.Push(1));
  EXPECT_FALSE(queue.Push(2));
  EXPECT_EQ(queue.dropped(), 1u);
  EXPECT_EQ(queue.Pop(), 1);
}

TEST(Queue, blocks_when_full_and_loses_nothing) {
  BoundedQueue<int> queue(2, WhenFull::kBlock);
  std::jthread producer([&] {
    for (int i = 0; i < 1000; ++i) queue.Push(i);
    queue.Close();
  });
  int expected = 0;
  while (auto item = queue.Pop()) EXPECT_EQ(*item, expected++);
  EXPECT_EQ(expected, 1000);
}

TEST(Queue, gives_what_is_there_together) {
  BoundedQueue<int> queue(8, WhenFull::kDropOldest);
  for (int i = 0; i < 5; ++i) queue.Push(i);
  EXPECT_EQ(queue.PopSome(3), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(queue.PopSome(3), (std::vector<int>{3, 4}));
  queue.Push(5);
  queue.Close();
  EXPECT_EQ(queue.PopSome(3), std::vector<int>{5});
  EXPECT_TRUE(queue.PopSome(3).empty());
}

TEST(Queue, close_wakes_a_waiting_consumer) {
  BoundedQueue<int> queue(1, WhenFull::kBlock);
  std::jthread consumer([&] { EXPECT_EQ(queue.Pop(), std::nullopt); });
  queue.Close();
}

TEST(AtomicFile, is_absent_until_committed_and_leaves_nothing_behind_when_abandoned) {
  auto folder = TemporaryFolder::Create();
  ASSERT_TRUE(folder.ok());
  const auto path = folder->path() / "result.txt";
  {
    auto file = AtomicFile::Create(path);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->Write("half").ok());
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder->path()));
  ASSERT_TRUE(WriteFileAtomically(path, "whole").ok());
  EXPECT_EQ(*ReadTextFile(path, 100), "whole");
}

TEST(AtomicFile, writes_to_a_pipe_or_device_without_taking_its_name) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "atomic_file_pipe";
  std::filesystem::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  EXPECT_TRUE(WriteFileAtomically(path, "line").ok());
  char text[8] = {};
  EXPECT_EQ(read(reader, text, sizeof text), 4);
  EXPECT_STREQ(text, "line");
  close(reader);
  EXPECT_TRUE(std::filesystem::is_fifo(path));
  EXPECT_TRUE(absl::IsInvalidArgument(AtomicFile::CreateSeekable(path).status()))
      << "and does not wait for a reader";
  std::filesystem::remove(path);
  EXPECT_TRUE(absl::IsInvalidArgument(WriteFileAtomically(testing::TempDir(), "line")));
  // A link stays a link.
  const std::filesystem::path file = path.string() + ".file";
  ASSERT_TRUE(WriteFileAtomically(file, "old").ok());
  std::filesystem::create_symlink(file, path);
  EXPECT_TRUE(WriteFileAtomically(path, "new").ok());
  EXPECT_TRUE(std::filesystem::is_symlink(path));
  EXPECT_EQ(*ReadTextFile(file, 100), "new");
  std::filesystem::remove(path);
}

TEST(AtomicFile, reports_a_full_disk) {
  auto file = AtomicFile::Create("/dev/full-no-such-folder/x");
  EXPECT_FALSE(file.ok());
}

TEST(ReadFile, refuses_what_is_larger_than_the_limit_and_what_is_no_file) {
  auto folder = TemporaryFolder::Create();
  ASSERT_TRUE(folder.ok());
  ASSERT_TRUE(WriteFileAtomically(folder->path() / "a", "123456").ok());
  Bytes bytes;
  EXPECT_EQ(ReadFile(folder->path() / "a", 5, &bytes).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(ReadFile(folder->path() / "a", 6, &bytes).ok());
  EXPECT_EQ(ReadFile(folder->path(), 100, &bytes).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadFile(folder->path() / "none", 100, &bytes).code(), absl::StatusCode::kNotFound);
}

TEST(Log, removes_credentials_from_addresses) {
  EXPECT_EQ(WithoutCredentials("rtsp://user:p@ss@host:554/a?b=@"), "rtsp://host:554/a?b=@");
  EXPECT_EQ(WithoutCredentials("http://host/a@b"), "http://host/a@b");
  EXPECT_EQ(WithoutCredentials("/tmp/a@b"), "/tmp/a@b");
}

TEST(Status, annotation_keeps_the_code) {
  const absl::Status status = Annotate(absl::NotFoundError("no such key"), "pipeline.yaml:3:5");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(MessageOf(status), "pipeline.yaml:3:5: no such key");
}

TEST(Text, splits_joins_and_trims) {
  EXPECT_EQ(Split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(Join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(Trim(" \t x y\n"), "x y");
}

TEST(Text, makes_any_bytes_valid_utf8) {
  EXPECT_EQ(ToValidUtf8("caf\xC3\xA9 \xFF\xC0\xAF"), "caf\xC3\xA9 \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_FALSE(IsValidUtf8("\xED\xA0\x80"));
}

TEST(Text, suggests_only_what_is_near) {
  EXPECT_EQ(NearestName("min_scor", {"min_score", "margin", "model"}), "min_score");
  EXPECT_EQ(NearestName("zebra", {"min_score", "margin"}), "");
  EXPECT_EQ(NearestName("c", {"a", "d"}), "");
  EXPECT_EQ(NearestName("yolox", {"yolox_nano_416", "yolox_s", "yunet"}), "yolox_s");
}

TEST(Text, parses_whole_numbers_only) {
  EXPECT_EQ(ParseInteger("12"), 12);
  EXPECT_EQ(ParseInteger("12x"), std::nullopt);
  EXPECT_EQ(ParseNumber("nan"), std::nullopt);
}

}  // namespace
}  // namespace sightline
