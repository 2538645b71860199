#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "store/parquet_writer.h"

namespace sightline::store {
namespace {

int64_t ResidentKilobytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("VmRSS:", 0) == 0) return std::atoll(line.c_str() + 6);
  }
  return 0;
}

TEST(ParquetMemoryTest, does_not_grow_with_the_rows) {
  const TemporaryFolder folder = *TemporaryFolder::Create();
  auto created = CreateParquetWriter(folder.path() / "out.parquet", {.memory_bytes_max = int64_t{64} << 20});
  ASSERT_TRUE(created.ok()) << created.status();
  const auto writer = std::move(*created);
  std::vector<float> embedding(512);
  ResultRow row;
  row.source = "folder/a picture with a rather long name.jpg";
  row.step = "people";
  row.kind = ResultKind::kEmbedding;
  row.box = Box{1, 2, 3, 4};
  row.model = "osnet@1";
  uint32_t random = 1;
  const auto write_rows = [&](int count) {
    for (int i = 0; i < count; ++i) {
      for (float& value : embedding) {
        random = random * 1664525 + 1013904223;
        value = static_cast<float>(random) / 4294967296.f;
      }
      row.frame = i;
      row.embedding = embedding;
      ASSERT_TRUE(writer->Write(row).ok());
    }
  };
  write_rows(40'000);  // 80 MB, more than the memory limit
  const int64_t early = ResidentKilobytes();
  write_rows(40'000);  // 80 MB more
  const int64_t late = ResidentKilobytes();
  const absl::Status finished = writer->Finish();
  ASSERT_TRUE(finished.ok()) << finished;
  const int64_t last = ResidentKilobytes();
  std::printf("resident KB: %ld after 40,000 rows of 2 KB, %ld after 80,000, %ld after Finish\n", early, late,
              last);
  EXPECT_LT(late - early, 32 << 10);
}

}  // namespace
}  // namespace sightline::store
