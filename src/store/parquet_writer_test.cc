#include "store/parquet_writer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>

#include "absl/cleanup/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "store/duckdb_database.h"

namespace sightline::store {
namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

// What row `index` holds; every kind of field is sometimes there and sometimes not.
struct TestRow {
  std::string source, label, error;
  std::vector<Attribute> attributes;
  std::vector<Keypoint> keypoints;
  Mask mask;
  std::vector<float> embedding;
  ResultRow row;

  explicit TestRow(int64_t index) {
    const auto f = static_cast<float>(index);
    source = fmt::format("folder/picture number {}'s \"name\".jpg", index / 3);
    label = index % 5 == 0 ? "" : fmt::format("class {}", index % 80);
    row.source = source;
    row.frame = index;
    if (index % 2 == 0) row.time_s = static_cast<double>(index) / 3;
    row.step = "objects";
    row.kind = static_cast<ResultKind>(index % 5);
    row.label = label;
    if (index % 7 != 0) row.score = 1 / (1 + f);
    if (index % 3 != 0) row.box = Box{f, f + 0.25f, f + 2, f + 3};
    if (index % 4 == 0) row.track_id = index / 4 + 1;
    if (index % 6 == 0) {
      attributes = {{"gender", index % 12 == 0 ? "male" : "female", kNone, 0.75f}, {"age", "", f / 8, kNone}};
      row.attributes = attributes;
    }
    if (index % 9 == 0) {
      for (int i = 0; i < static_cast<int>(index % 4) + 1; ++i)
        keypoints.push_back({f + static_cast<float>(i), f, 0.5f});
      row.keypoints = keypoints;
    }
    if (index % 11 == 0) {
      mask = {{f, f, f + 4, f + 4}, {3, static_cast<uint32_t>(index % 13), 7}};
      row.mask = &mask;
    }
    if (index % 10 == 0) {
      for (int i = 0; i < 16; ++i) embedding.push_back(f + static_cast<float>(i) / 16);
      row.embedding = embedding;
    }
    row.model = "yolox_nano@1";
    if (row.kind == ResultKind::kError) {
      error = fmt::format("failed {}", index);
      row.error = error;
    }
  }
};

// Reads with a database of its own; rows of cells as text, NULL as "NULL".
class Reader {
 public:
  explicit Reader(const std::filesystem::path& folder)
      : database_(*Database::OpenInMemory(DatabaseOptions{.spill_folder = folder / "spill"})) {}
  ~Reader() {
    duckdb_destroy_data_chunk(&chunk_);
    duckdb_destroy_result(&result_);
  }

  void Query(const std::string& sql) {
    duckdb_destroy_result(&result_);
    ASSERT_EQ(duckdb_query(database_.connection(), sql.c_str(), &result_), DuckDBSuccess)
        << duckdb_result_error(&result_);
  }
  bool Fetch() {
    duckdb_destroy_data_chunk(&chunk_);
    chunk_ = duckdb_fetch_chunk(result_);
    return chunk_ != nullptr;
  }
  idx_t rows() const { return duckdb_data_chunk_get_size(chunk_); }
  duckdb_vector column(idx_t index) const { return duckdb_data_chunk_get_vector(chunk_, index); }
  static bool IsNull(duckdb_vector vector, idx_t row) {
    uint64_t* validity = duckdb_vector_get_validity(vector);
    return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
  }
  template <typename T>
  static const T* Data(duckdb_vector vector) {
    return static_cast<const T*>(duckdb_vector_get_data(vector));
  }
  static std::string Text(duckdb_vector vector, idx_t row) {
    if (IsNull(vector, row)) return "";
    duckdb_string_t text = Data<duckdb_string_t>(vector)[row];
    return {duckdb_string_t_data(&text), duckdb_string_t_length(text)};
  }
  template <typename T>
  static std::optional<T> Value(duckdb_vector vector, idx_t row) {
    return IsNull(vector, row) ? std::nullopt : std::optional<T>(Data<T>(vector)[row]);
  }
  template <typename T>
  static std::vector<T> List(duckdb_vector vector, idx_t row) {
    if (IsNull(vector, row)) return {};
    const duckdb_list_entry entry = Data<duckdb_list_entry>(vector)[row];
    const T* items = Data<T>(duckdb_list_vector_get_child(vector)) + entry.offset;
    return {items, items + entry.length};
  }

 private:
  Database database_;
  duckdb_result result_{};
  duckdb_data_chunk chunk_ = nullptr;
};

void ExpectSameRow(const Reader& reader, idx_t row, const ResultRow& expected) {
  EXPECT_EQ(Reader::Text(reader.column(0), row), expected.source);
  EXPECT_EQ(Reader::Value<int64_t>(reader.column(1), row), expected.frame);
  EXPECT_EQ(Reader::Value<double>(reader.column(2), row), expected.time_s);
  EXPECT_EQ(Reader::Text(reader.column(3), row), expected.step);
  EXPECT_EQ(Reader::Text(reader.column(4), row), Name(expected.kind));
  EXPECT_EQ(Reader::Text(reader.column(5), row), expected.label);
  EXPECT_EQ(Reader::Value<float>(reader.column(6), row), expected.score);
  std::vector<float> box;
  if (expected.box) box = {expected.box->x1, expected.box->y1, expected.box->x2, expected.box->y2};
  EXPECT_EQ(Reader::List<float>(reader.column(7), row), box);
  EXPECT_EQ(Reader::Value<int64_t>(reader.column(8), row), expected.track_id);

  const duckdb_vector map = reader.column(9);
  ASSERT_EQ(Reader::IsNull(map, row), expected.attributes.empty());
  if (!expected.attributes.empty()) {
    const duckdb_list_entry entry = Reader::Data<duckdb_list_entry>(map)[row];
    ASSERT_EQ(entry.length, expected.attributes.size());
    const duckdb_vector entries = duckdb_list_vector_get_child(map);
    const duckdb_vector values = duckdb_struct_vector_get_child(entries, 1);
    for (idx_t i = 0; i < entry.length; ++i) {
      const Attribute& attribute = expected.attributes[i];
      EXPECT_EQ(Reader::Text(duckdb_struct_vector_get_child(entries, 0), entry.offset + i), attribute.name);
      const std::string value =
          attribute.value.empty() ? fmt::format("{}", attribute.number) : std::string(attribute.value);
      EXPECT_EQ(Reader::Text(duckdb_struct_vector_get_child(values, 0), entry.offset + i), value);
      const auto number = Reader::Value<float>(duckdb_struct_vector_get_child(values, 1), entry.offset + i);
      EXPECT_EQ(number.has_value(), !std::isnan(attribute.number));
      EXPECT_EQ(number.value_or(0), std::isnan(attribute.number) ? 0 : attribute.number);
      const auto score = Reader::Value<float>(duckdb_struct_vector_get_child(values, 2), entry.offset + i);
      EXPECT_EQ(score.has_value(), !std::isnan(attribute.score));
      EXPECT_EQ(score.value_or(0), std::isnan(attribute.score) ? 0 : attribute.score);
    }
  }
  const duckdb_vector keypoints = reader.column(10);
  ASSERT_EQ(Reader::IsNull(keypoints, row), expected.keypoints.empty());
  if (!expected.keypoints.empty()) {
    const duckdb_list_entry entry = Reader::Data<duckdb_list_entry>(keypoints)[row];
    ASSERT_EQ(entry.length, expected.keypoints.size());
    const duckdb_vector points = duckdb_list_vector_get_child(keypoints);
    for (idx_t i = 0; i < entry.length; ++i) {
      EXPECT_EQ(Reader::Data<float>(duckdb_struct_vector_get_child(points, 0))[entry.offset + i],
                expected.keypoints[i].x);
      EXPECT_EQ(Reader::Data<float>(duckdb_struct_vector_get_child(points, 1))[entry.offset + i],
                expected.keypoints[i].y);
      EXPECT_EQ(Reader::Data<float>(duckdb_struct_vector_get_child(points, 2))[entry.offset + i],
                expected.keypoints[i].score);
    }
  }
  const duckdb_vector mask = reader.column(11);
  ASSERT_EQ(Reader::IsNull(mask, row), expected.mask == nullptr);
  if (expected.mask != nullptr) {
    const Box& area = expected.mask->area;
    EXPECT_EQ(Reader::List<float>(duckdb_struct_vector_get_child(mask, 0), row),
              (std::vector<float>{area.x1, area.y1, area.x2, area.y2}));
    EXPECT_EQ(Reader::List<uint32_t>(duckdb_struct_vector_get_child(mask, 1), row), expected.mask->runs);
  }
  EXPECT_EQ(Reader::List<float>(reader.column(12), row),
            std::vector<float>(expected.embedding.begin(), expected.embedding.end()));
  EXPECT_EQ(Reader::Text(reader.column(13), row), expected.model);
  EXPECT_EQ(Reader::Text(reader.column(14), row), expected.error);
}

class ParquetWriterTest : public ::testing::Test {
 protected:
  std::unique_ptr<sinks::ResultWriter> MustCreate(const std::filesystem::path& path) {
    auto writer = CreateParquetWriter(path);
    EXPECT_TRUE(writer.ok()) << writer.status();
    return std::move(*writer);
  }
  const TemporaryFolder folder_ = *TemporaryFolder::Create();
};

TEST_F(ParquetWriterTest, rows_read_back_as_written_and_in_order) {
  constexpr int64_t kRows = 100'000;
  const auto path = folder_.path() / "it's \"out\".parquet";
  auto writer = MustCreate(path);
  for (int64_t i = 0; i < kRows; ++i) {
    ASSERT_TRUE(writer->Write(TestRow(i).row).ok());
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  const absl::Status finished = writer->Finish();
  ASSERT_TRUE(finished.ok()) << finished;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1) << "something is left";

  Reader reader(folder_.path());
  reader.Query(fmt::format("SELECT * FROM read_parquet({})", SqlQuoted(path.string())));
  int64_t index = 0;
  while (reader.Fetch() && !HasFailure()) {
    for (idx_t row = 0; row < reader.rows() && !HasFailure(); ++row, ++index) {
      SCOPED_TRACE(fmt::format("row {}", index));
      ExpectSameRow(reader, row, TestRow(index).row);
    }
  }
  EXPECT_TRUE(HasFailure() || index == kRows) << index;
}

TEST_F(ParquetWriterTest, schema_is_the_documented_one) {
  const auto path = folder_.path() / "out.parquet";
  ASSERT_TRUE(MustCreate(path)->Finish().ok());  // also: no rows at all are a valid file
  Reader reader(folder_.path());
  reader.Query(fmt::format("DESCRIBE SELECT * FROM read_parquet({})", SqlQuoted(path.string())));
  std::string schema;
  while (reader.Fetch()) {
    for (idx_t row = 0; row < reader.rows(); ++row) {
      schema += Reader::Text(reader.column(0), row) + " " + Reader::Text(reader.column(1), row) + "\n";
    }
  }
  EXPECT_EQ(
      schema,
      "source VARCHAR\nframe BIGINT\ntime_s DOUBLE\nstep VARCHAR\nkind VARCHAR\nlabel VARCHAR\nscore FLOAT\n"
      "box FLOAT[]\ntrack_id BIGINT\n"
      "attributes MAP(VARCHAR, STRUCT(\"value\" VARCHAR, number FLOAT, score FLOAT))\n"
      "keypoints STRUCT(x FLOAT, y FLOAT, score FLOAT)[]\nmask STRUCT(area FLOAT[], runs UINTEGER[])\n"
      "embedding FLOAT[]\nmodel VARCHAR\nerror VARCHAR\n");
}

TEST_F(ParquetWriterTest, leaves_nothing_when_it_is_not_finished) {
  {
    auto writer = MustCreate(folder_.path() / "out.parquet");
    for (int64_t i = 0; i < 5000; ++i) ASSERT_TRUE(writer->Write(TestRow(i).row).ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(ParquetWriterTest, replaces_what_a_broken_run_left) {
  const auto path = folder_.path() / "out.parquet";
  ASSERT_TRUE(WriteFileAtomically(path.string() + ".partial", "rubbish").ok());
  std::filesystem::create_directory(path.string() + ".partial.tmp");
  ASSERT_TRUE(
      WriteFileAtomically(path.string() + ".partial.tmp/duckdb_temp_storage_DEFAULT-0.tmp", "rubbish").ok());
  auto writer = MustCreate(path);
  ASSERT_TRUE(writer->Write(TestRow(1).row).ok());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(ParquetWriterTest, text_that_is_no_utf8_is_made_valid) {
  const auto path = folder_.path() / "out.parquet";
  auto writer = MustCreate(path);
  ResultRow row;
  row.source = std::string_view("a\xFF\0b", 4);
  ASSERT_TRUE(writer->Write(row).ok());
  ASSERT_TRUE(writer->Finish().ok());
  Reader reader(folder_.path());
  reader.Query(fmt::format("SELECT source FROM read_parquet({})", SqlQuoted(path.string())));
  ASSERT_TRUE(reader.Fetch());
  EXPECT_EQ(Reader::Text(reader.column(0), 0), std::string("a\xEF\xBF\xBD\0b", 6));
}

TEST_F(ParquetWriterTest, file_that_cannot_grow_is_an_error_and_leaves_nothing) {
  const auto ignored = signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{1 << 20, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto restore = absl::MakeCleanup([&] {
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, ignored);
  });
  absl::Status status;
  {
    auto writer = MustCreate(folder_.path() / "out.parquet");
    for (int64_t i = 0; i < 400'000 && status.ok(); ++i) status = writer->Write(TestRow(i).row);
    if (status.ok()) status = writer->Finish();
    EXPECT_FALSE(status.ok());
    EXPECT_NE(MessageOf(status).find("out.parquet"), std::string_view::npos) << status;
    EXPECT_EQ(writer->Finish(), status);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(ParquetWriterTest, folder_or_missing_folder_is_an_error) {
  EXPECT_EQ(CreateParquetWriter(folder_.path()).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CreateParquetWriter(folder_.path() / "no" / "x.parquet").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ParquetWriterTest, writes_ordinary_rows_at_speed) {
  auto writer = MustCreate(folder_.path() / "out.parquet");
  const TestRow kept(7);
  const auto start = std::chrono::steady_clock::now();
  constexpr int kRows = 400'000;
  for (int i = 0; i < kRows; ++i) {
    ResultRow row = kept.row;
    row.frame = i;
    ASSERT_TRUE(writer->Write(row).ok());
  }
  ASSERT_TRUE(writer->Finish().ok());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%.0f rows/s\n", kRows / seconds);
  EXPECT_GT(kRows / seconds, 10'000);
}

}  // namespace
}  // namespace sightline::store
