#include "store/track_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <algorithm>
#include <fstream>

#include "absl/cleanup/cleanup.h"
#include "base/check.h"
#include "base/file.h"
#include "base/text.h"
#include "store/duckdb_database.h"

namespace sightline::store {
namespace {

constexpr int64_t kNoon = 1'750'075'200'000'000;  // 2025-06-16T12:00:00Z

TrackPoint PointNumber(int number) {
  TrackPoint point;
  point.camera = number % 2 ? "gate" : "dock";
  point.label = "car";
  point.time_us = kNoon + number * 100'000ll;
  point.track = number / 10;
  point.score = 0.5f;
  point.box = {1, 2, 3, static_cast<float>(number)};
  if (number % 2) {
    point.x_m = number * 0.5;
    point.y_m = -1;
  }
  return point;
}

class TrackLogTest : public testing::Test {
 protected:
  std::unique_ptr<TrackLog> Open(int64_t rows_max = 1000, uint64_t folder_bytes_max = 1 << 30) {
    TrackLogOptions options;
    options.folder = root_;
    options.rows_max = rows_max;
    options.folder_bytes_max = folder_bytes_max;
    auto log = TrackLog::Create(options);
    CHECK(log.ok()) << log.status();
    return *std::move(log);
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root_))
      if (entry.is_regular_file()) files.push_back(std::filesystem::relative(entry.path(), root_));
    std::sort(files.begin(), files.end());
    return files;
  }
  std::string Ask(const std::string& sql) const {
    Database database = *Database::OpenInMemory({folder_.path() / "spill"});
    duckdb_result result{};
    const auto destroy = absl::MakeCleanup([&] { duckdb_destroy_result(&result); });
    if (duckdb_query(database.connection(), sql.c_str(), &result) == DuckDBError)
      return duckdb_result_error(&result);
    char* text = duckdb_value_varchar(&result, 0, 0);
    const std::string answer = text != nullptr ? text : "NULL";
    duckdb_free(text);
    return answer;
  }
  std::string All() const { return SqlQuoted((root_ / "*/*.parquet").string()); }

  TemporaryFolder folder_ = *TemporaryFolder::Create();
  std::filesystem::path root_ = folder_.path() / "tracks";
};

TEST_F(TrackLogTest, writes_what_was_appended_into_files_of_so_many_rows) {
  auto log = Open(100);
  for (int i = 0; i < 250; ++i) ASSERT_TRUE(log->Append(PointNumber(i)).ok());
  EXPECT_EQ(Files().size(), 2u) << "the third is not there before it is complete";
  ASSERT_TRUE(log->Finish().ok());
  EXPECT_THAT(Files(),
              testing::ElementsAre("2025-06-16/120000-0000.parquet", "2025-06-16/120010-0000.parquet",
                                   "2025-06-16/120020-0000.parquet"));
  EXPECT_EQ(Ask("SELECT count(*) FROM " + All()), "250");
  EXPECT_EQ(Ask("SELECT sum(x_m) FROM " + All() + " WHERE camera = 'gate'"), "7812.5");
  EXPECT_EQ(Ask("SELECT count(*) FROM " + All() + " WHERE x_m IS NULL AND camera = 'dock' AND label = 'car'"),
            "125");
  EXPECT_EQ(Ask("SELECT max(y2) FROM " + All()), "249.0");
  EXPECT_EQ(log->lost(), 0);
}

TEST_F(TrackLogTest, begins_a_new_file_after_an_hour_and_never_writes_over_one) {
  for (int round = 0; round < 2; ++round) {
    auto log = Open();
    TrackPoint point = PointNumber(0);
    ASSERT_TRUE(log->Append(point).ok());
    point.time_us += 3'600'000'000ll;
    ASSERT_TRUE(log->Append(point).ok());
  }
  EXPECT_THAT(Files(),
              testing::ElementsAre("2025-06-16/120000-0000.parquet", "2025-06-16/120000-0001.parquet",
                                   "2025-06-16/130000-0000.parquet", "2025-06-16/130000-0001.parquet"));
}

TEST_F(TrackLogTest, oldest_files_go_when_the_folder_is_over_its_budget) {
  auto log = Open(10, 1);
  for (int i = 0; i < 35; ++i) ASSERT_TRUE(log->Append(PointNumber(i)).ok());
  EXPECT_TRUE(Files().empty());
  log = nullptr;
  log = Open(10, 4000);  // a file has some 1600 bytes
  for (int i = 0; i < 101; ++i) ASSERT_TRUE(log->Append(PointNumber(i)).ok());
  const auto files = Files();
  ASSERT_FALSE(files.empty());
  EXPECT_LT(files.size(), 5u);
  EXPECT_EQ(files.back(), "2025-06-16/120009-0000.parquet");
}

TEST_F(TrackLogTest, what_a_crash_left_unfinished_is_removed) {
  std::filesystem::create_directories(root_ / "2025-06-16" / "120000-0000.parquet.partial.tmp");
  std::ofstream(root_ / "2025-06-16" / "120000-0000.parquet.partial") << "half";
  std::ofstream(root_ / "2025-06-16" / "notes.txt") << "somebody's";
  Open();
  EXPECT_THAT(Files(), testing::ElementsAre("2025-06-16/notes.txt"));
}

TEST_F(TrackLogTest, full_disk_costs_one_file_which_is_counted) {
  std::filesystem::create_directories(root_);
  if (mount("tmpfs", root_.c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "no small file system can be mounted here (root is needed)";
  }
  const auto unmount = absl::MakeCleanup([&] { umount2(root_.c_str(), MNT_DETACH); });
  std::ofstream(root_ / "filler") << std::string(60 << 10, 'x');
  auto log = Open();
  TrackPoint point = PointNumber(1);
  for (int i = 0; i < 900; ++i) {
    point.box.x1 = static_cast<float>((i * 7919) % 10'007) / 3;
    point.score = static_cast<float>((i * 104'729) % 10'007) / 7;
    ASSERT_TRUE(log->Append(point).ok());
  }
  const absl::Status status = log->Finish();
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(log->lost(), 900);
  std::filesystem::remove(root_ / "filler");
  ASSERT_TRUE(log->Append(PointNumber(1)).ok());
  EXPECT_TRUE(log->Finish().ok());
  EXPECT_EQ(Files().size(), 1u);
}

}  // namespace
}  // namespace sightline::store
