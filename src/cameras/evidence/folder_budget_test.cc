#include "cameras/evidence/folder_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/file.h"
#include "cameras/evidence/evidence_names.h"

namespace sightline::cameras {
namespace {

namespace fs = std::filesystem;

class Budget : public testing::Test {
 protected:
  // Written `age` hours ago.
  fs::path Put(const std::string& name, size_t bytes, int age) const {
    const fs::path path = folder_.path() / name;
    fs::create_directories(path.parent_path());
    EXPECT_TRUE(WriteFileAtomically(path, std::string(bytes, 'x')).ok());
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(age));
    return path;
  }
  TemporaryFolder folder_ = *TemporaryFolder::Create();
};

TEST_F(Budget, goes_on_with_what_lies_there_the_oldest_first) {
  const auto old = Put("b/2026-01-01/1.jpg", 400, 30), middle = Put("a/2026-01-02/2.mp4", 400, 20),
             young = Put("c/2026-01-03/3.jpg", 400, 10);
  auto budget = *FolderBudget::Create(folder_.path(), 1000);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_FALSE(fs::exists(old.parent_path()));  // the day is over
  EXPECT_EQ(budget->bytes(), 800u);
  EXPECT_EQ(budget->removed(), 1u);
  budget->MakeRoom(300);
  EXPECT_FALSE(fs::exists(middle));
  budget->Add(Put("a/2026-01-04/4.jpg", 700, 0), 700);
  EXPECT_FALSE(fs::exists(young));
  EXPECT_EQ(budget->bytes(), 700u);
  budget->Add(Put("a/2026-01-04/5.jpg", 1001, 0), 1001);  // more than all: it cannot stay
  EXPECT_EQ(budget->bytes(), 0u);
}

TEST_F(Budget, other_files_are_neither_counted_nor_touched_and_unfinished_ones_removed) {
  const auto note = Put("note.txt", 5000, 30), picture = Put("picture.jpg", 5000, 30),
             text = Put("a/2026-01-01/readme.txt", 5000, 30),
             partial = Put("a/2026-01-01/9.mp4.partial", 5000, 1);
  const auto outside = *TemporaryFolder::Create();
  ASSERT_TRUE(WriteFileAtomically(outside.path() / "far.jpg", std::string(5000, 'x')).ok());
  fs::create_directory_symlink(outside.path(), folder_.path() / "a/link");
  fs::create_symlink(outside.path() / "far.jpg", folder_.path() / "a/2026-01-01/far.jpg");
  auto budget = *FolderBudget::Create(folder_.path(), 100);
  budget->MakeRoom(100);
  EXPECT_EQ(budget->bytes(), 0u);
  EXPECT_TRUE(fs::exists(note) && fs::exists(picture) && fs::exists(text) &&
              fs::exists(outside.path() / "far.jpg"));
  EXPECT_FALSE(fs::exists(partial));
}

TEST_F(Budget, what_somebody_else_removed_is_no_trouble) {
  const auto path = Put("a/2026-01-01/1.jpg", 400, 3);
  auto budget = *FolderBudget::Create(folder_.path(), 1000);
  fs::remove(path);
  budget->MakeRoom(1000);
  EXPECT_EQ(budget->bytes(), 0u);
}

TEST_F(Budget, a_folder_that_cannot_be_is_refused_with_words) {
  Put("file", 1, 0);
  const auto budget = FolderBudget::Create(folder_.path() / "file/evidence", 1000);
  ASSERT_FALSE(budget.ok());
  EXPECT_THAT(std::string(budget.status().message()), testing::HasSubstr("cannot keep evidence"));
}

TEST_F(Budget, a_new_folder_is_its_owners_alone) {
  ASSERT_TRUE(FolderBudget::Create(folder_.path() / "evidence", 1000).ok());
  EXPECT_EQ(fs::status(folder_.path() / "evidence").permissions(), fs::perms::owner_all);
}

TEST(EvidenceStem, is_camera_day_event) {
  const WallTime at = std::chrono::sys_days(std::chrono::year(2026) / 11 / 28) + std::chrono::hours(23);
  EXPECT_EQ(EvidenceStem("north-gate", "01K8.a_b", at), "north-gate/2026-11-28/01K8.a_b");
}

TEST(EvidenceStem, odd_names_stay_inside_and_apart) {
  const char* odd[] = {"../../etc/passwd", "..",  ".",    "",     "a/b", "a\\b", "a b", "a\nb",
                       ".hidden",          "a_b", "über", "a\tb", "/",   "a:b"};
  std::vector<std::string> seen;
  for (const char* name : odd) {
    const std::string stem = EvidenceStem(name, name, WallTime());
    const fs::path path = fs::path(stem).lexically_normal();
    EXPECT_EQ(path.string(), stem);
    EXPECT_EQ(std::distance(path.begin(), path.end()), 3) << stem;
    for (const auto& part : path) EXPECT_NE(part.string()[0], '.') << stem;
    EXPECT_THAT(seen, testing::Not(testing::Contains(stem)));
    seen.push_back(stem);
  }
  const std::string large(5000, 'x');
  EXPECT_LT(EvidenceStem(large, large, WallTime()).size(), 300u);
  EXPECT_NE(EvidenceStem(large, "a", WallTime()), EvidenceStem(large + "y", "a", WallTime()));
}

}  // namespace
}  // namespace sightline::cameras
